import GasSchedule
import SeededRandom
import Statistics
import WasmFormat

/// A loop body that the search makes: instructions on a stack machine, each with where its operands come from.
struct Genome: Sendable, Hashable {
    /// One instruction.
    struct Gene: Sendable, Hashable {
        var opcode: Opcode
        /// Whether the value on top of the stack, if it has the right type, is the first operand.
        var takesTop: Bool
        /// Which local of a type is read, and written last.
        var source: Int
        /// Which offset, size or constant.
        var immediate: Int
    }

    var genes: [Gene]
    /// The memory it walks through.
    var walk = Walk.all[0]

    /// Lines that each hold the address of the next one, in an order that nothing guesses.
    struct Walk: Sendable, Hashable {
        /// How far they lie apart, as a power of two of bytes. Far apart, they are on pages of their own and share places
        /// in caches.
        var stride: Int
        /// How much memory they fill, as a power of two of bytes: no cache holds it, and twice as much has twice as many
        /// entries in the tables of pages. The FVM gives a guest 512 MiB at most.
        var reach: Int

        static let all = [28, 29].flatMap { reach in [6, 8, 10, 12].map { Walk(stride: $0, reach: reach) } }

        /// For people.
        var text: String { "lines \(1 << stride) bytes apart in \((1 << reach) >> 20) MiB" }

        var memory: MemoryShape {
            MemoryShape(pages: (1 << reach) >> 16, lines: reach - stride, stride: stride, offset: 0)
        }
    }

    /// More would only make compiling slow: bodies repeat what is here.
    static let longest = 12
    /// Instructions a loop's body has at least, so that the loop itself is little of it.
    private static let body = 240

    /// Instructions that may stand in a body: those that have types, and bulk memory. What grows memory would end a run
    /// sooner or later.
    static let vocabulary: [Opcode] = Opcode.allCases.filter { opcode in
        let row = opcode.row
        guard row.refusedBy == nil, let types = row.types else { return false }
        return !types.operands.isEmpty && row.gas != .memoryGrow
            && row.immediates != .elementAndTable && row.immediates != .twoTables
    }

    private static let offsets: [UInt32] = [0, 0, 0, 0, 0, 4, 60, 62, 4_092, 65_536]
    private static let sizes: [Int32] = [0, 1, 8, 64, 512, 4_096]

    /// Whether it writes memory, so that the next one needs it anew.
    var writes: Bool {
        genes.contains { gene in
            gene.opcode.row.gas == .store || gene.opcode.row.gas.isLinear
        }
    }

    /// The instructions as text, for people.
    var text: String {
        let names = genes.map(\.opcode.name).joined(separator: " ")
        return "\(walk.text): \(names)"
    }

    /// The loop as a kernel on memory that no cache holds.
    func kernel(_ prices: WasmPrices) -> Kernel {
        var once = Emitter(prices: prices)
        for gene in genes { once.emit(gene) }
        let repeats = max(1, Genome.body / max(1, once.code.path.count))
        let genes = genes
        return Kernel(
            name: "loop", form: .latency, operands: "", opcodes: [], glue: [], memory: walk.memory, copies: 1,
            // Numbers near 1 as floats, odd as integers.
            a: 0x3FF8_0000_0000_0001, b: 0x3FC0_0001, start: 0xB504_F333_F9DE_6485, aType: .f64, bType: .f32,
            chainType: .i32, chains: 1, isWalk: true, isFresh: false, frame: .locals
        ) { code, _ in
            var emitter = Emitter(prices: prices)
            emitter.code = code
            for _ in 0..<repeats {
                for gene in genes { emitter.emit(gene) }
            }
            emitter.flush(to: 0)
            code = emitter.code
        }
    }

    /// Writes genes and keeps the types that are on the stack.
    private struct Emitter {
        var code: CodeWriter
        var stack: [ValueType] = []
        var source = 0

        init(prices: WasmPrices) { code = CodeWriter(prices: prices) }

        private static let deepest = 6

        private static func locals(_ type: ValueType) -> [Int] {
            switch type {
            case .i32: [Slot.address, Slot.chain]
            case .i64: [Slot.index, Slot.aBits, Slot.bBits]
            case .f32: [Slot.b]
            default: [Slot.a]
            }
        }

        private func local(_ type: ValueType, _ source: Int) -> Int {
            let locals = Emitter.locals(type)
            return locals[source % locals.count]
        }

        mutating func emit(_ gene: Gene) {
            guard let types = gene.opcode.row.types else { return }
            source = gene.source
            if gene.opcode.row.gas.isLinear { return emitBulk(gene) }
            var operands = types.operands[...]
            if gene.takesTop, let top = stack.last, top == operands.first {
                stack.removeLast()
                operands = operands.dropFirst()
            }
            for (index, type) in operands.enumerated() { code.op(.localGet, local(type, gene.source + index)) }
            if gene.opcode.row.accessWidth > 0 {
                code.access(gene.opcode, offset: Genome.offsets[gene.immediate % Genome.offsets.count])
            } else {
                code.op(gene.opcode)
            }
            stack += types.results
            if stack.count > Emitter.deepest { flush(to: 0) }
        }

        /// Bulk memory on constants, behind the lines that walks need.
        private mutating func emitBulk(_ gene: Gene) {
            let size = Genome.sizes[gene.immediate % Genome.sizes.count]
            let isInit = gene.opcode == .memoryInit
            code.i32(Int32(1 + gene.source) << 20)
            code.i32(isInit ? 0 : Int32(64 + gene.source) << 16)
            code.i32(size)
            code.op(gene.opcode, gene.opcode == .memoryFill ? [0] : [0, 0])
            code.add(milligas: UInt64(size) * code.prices.perUnit(of: gene.opcode))
        }

        /// Leaves what is above a depth in locals.
        mutating func flush(to depth: Int) {
            while stack.count > depth { code.op(.localSet, local(stack.removeLast(), source)) }
        }
    }
}

extension Genome {
    /// Each instruction alone, in one chain.
    static let alone = vocabulary.map { opcode in
        Genome(genes: [Gene(opcode: opcode, takesTop: true, source: 0, immediate: 0)])
    }

    /// Some instructions at random.
    static func random(_ random: inout SplitMix64) -> Genome {
        let genes = (0...random.below(6)).map { _ in gene(&random) }
        // Half of them on lines that lie close.
        let place = random.below(2 * (Walk.all.count - 1))
        return Genome(genes: genes, walk: place < Walk.all.count ? Walk.all[place] : Walk.all[0])
    }

    private static func gene(_ random: inout SplitMix64) -> Gene {
        Gene(
            opcode: vocabulary[random.below(vocabulary.count)], takesTop: random.below(4) > 0, source: random.below(6),
            immediate: random.below(60))
    }

    /// A change at random: an instruction more, less or another, a piece twice, or other operands.
    func mutated(_ random: inout SplitMix64) -> Genome {
        var genes = genes
        let place = random.below(genes.count)
        switch random.below(10) {
        case 0: genes.insert(Genome.gene(&random), at: random.below(genes.count + 1))
        case 1 where genes.count > 1: genes.remove(at: place)
        case 2: genes += genes[place...]
        case 3: genes[place].source = random.below(6)
        case 4: genes[place].immediate = random.below(60)
        case 5:
            // A piece of it alone.
            genes = Array(genes[place...].prefix(1 + random.below(3)))
        case 6, 7:
            // Another instruction that takes and gives the same types.
            let types = genes[place].opcode.row.types
            let alike = Genome.vocabulary.filter { $0.row.types == types }
            genes[place].opcode = alike[random.below(alike.count)]
        case 8:
            // All of it one chain.
            for index in genes.indices {
                genes[index].takesTop = true
                genes[index].source = genes[place].source
            }
        default: genes[place] = Genome.gene(&random)
        }
        return Genome(genes: Array(genes.prefix(Genome.longest)), walk: walk)
    }

    /// The same on lines that lie at other distances, or fill more or less memory.
    var elsewhere: [Genome] {
        Walk.all.filter { $0 != walk }.map { Genome(genes: genes, walk: $0) }
    }

    /// What is left of it without one of its instructions, each of them alone, and one in the place of the first two:
    /// what does not matter costs gas that hides what does.
    var simpler: [Genome] {
        guard genes.count > 1 else { return [] }
        let alone = genes.map { gene in
            var gene = gene
            gene.takesTop = true
            return Genome(genes: [gene], walk: walk)
        }
        let without = genes.indices.map { index in
            var genes = genes
            genes.remove(at: index)
            return Genome(genes: genes, walk: walk)
        }
        let one = Genome.fused(genes[0], genes[1])
        return alone + without + one.map { Genome(genes: [$0], walk: walk) }
            + (genes.count > 2 ? one.map { Genome(genes: [$0] + genes.dropFirst(2), walk: walk) } : [])
    }

    /// Instructions that take what the first takes and give what the second gives, where that takes the first's result.
    private static func fused(_ first: Gene, _ second: Gene) -> [Gene] {
        guard let outer = first.opcode.row.types, let inner = second.opcode.row.types, second.takesTop,
            inner.operands.first == outer.results.first
        else { return [] }
        return vocabulary.filter { opcode in
            opcode.row.types.map { $0.operands == outer.operands && $0.results == inner.results } ?? false
        }.map { Gene(opcode: $0, takesTop: true, source: first.source, immediate: first.immediate) }
    }

    /// The beginning of this one and the end of another.
    func crossed(with other: Genome, _ random: inout SplitMix64) -> Genome {
        let start = genes.prefix(random.below(genes.count + 1))
        let end = other.genes.suffix(random.below(other.genes.count + 1))
        let all = Array((start + end).prefix(Genome.longest))
        return all.isEmpty ? self : Genome(genes: all, walk: walk)
    }
}
