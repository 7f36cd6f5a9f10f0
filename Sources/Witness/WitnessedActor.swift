import GasSchedule
import Metering
import SeededRandom
import Validator
import WasmFormat

/// An actor's module with every function and global callable by name, for comparing engines function by function.
///
/// Bodies and their charges stay as they are: names are added to the decoded module, not to the binary, and the added
/// ones get no trampoline. So the code of each function is that of the object which is shipped.
struct WitnessedActor {
    let module: ValidatedModule
    let plan: MeteringPlan
    /// Where the segment with prepared contents lies, and its bytes.
    let prepared: Range<UInt32>
    /// Active data segments of the actor itself.
    let segments: [Range<UInt32>]

    /// The first byte of the prepared contents: low in the stack, which grows down from far above.
    private static let preparedStart: UInt32 = 0x8000

    static func name(function: Int) -> String { "\u{1}f\(function)" }
    static func name(global: Int) -> String { "\u{1}g\(global)" }

    /// - Parameters:
    ///   - seed: of the prepared contents.
    ///   - change: makes another module of it, for testing the witness.
    init(_ wasm: [UInt8], seed: UInt64, change: (inout Module) -> Void = { _ in }) throws {
        let analyzed = try FrontEnd.analyze(wasm, profile: .fvm, prices: .fvm)
        var module = analyzed.module.module
        change(&module)
        plan = analyzed.plan
        for index in module.importedFunctionCount..<module.functionCount {
            module.exports.append(
                Export(name: Name(Self.name(function: index)), kind: .function, index: UInt32(index)))
        }
        for index in module.globalTypes.indices {
            module.exports.append(Export(name: Name(Self.name(global: index)), kind: .global, index: UInt32(index)))
        }
        segments = module.data.compactMap { segment in
            guard case .active(_, let offset) = segment.mode, let first = offset.instructions.first,
                first.opcode == .i32Const
            else { return nil }
            let start = UInt32(truncatingIfNeeded: first.bits)
            return start..<(start + UInt32(segment.bytes.count))
        }
        var words = PreparedWords(seed: seed, segments: segments)
        let length: UInt32 = 0x1_0000
        let end = Self.preparedStart + length
        let memory = (module.memories.first?.minimum ?? 0) * 65_536
        if end <= memory, segments.allSatisfy({ $0.lowerBound >= end || $0.upperBound <= Self.preparedStart }) {
            prepared = Self.preparedStart..<end
            let offset = Instruction(opcode: .i32Const, offset: 0, bits: UInt64(Self.preparedStart))
            module.data.append(
                DataSegment(
                    mode: .active(memory: 0, offset: ConstantExpression(instructions: [offset], offset: 0)),
                    bytes: words.bytes(Int(length), around: Self.preparedStart)))
            if let count = module.dataCount { module.dataCount = count + 1 }
        } else {
            prepared = 0..<0
        }
        self.module = try ValidatedModule.validate(module, profile: .fvm)
    }
}

/// Contents of memory as programs have them: pointers, lengths, small numbers, bytes.
private struct PreparedWords {
    var random: WitnessRandom
    let segments: [Range<UInt32>]

    init(seed: UInt64, segments: [Range<UInt32>]) {
        random = WitnessRandom(seed: seed)
        self.segments = segments
    }

    mutating func bytes(_ count: Int, around start: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let word: UInt32
            switch random.below(10) {
            case 0...2: word = start + UInt32(random.below(count / 8 - 8)) * 8
            case 3: word = random.address(in: segments)
            case 4...6: word = UInt32(random.below(20))
            case 7: word = UInt32(random.below(300))
            case 8: word = 0
            default: word = UInt32(truncatingIfNeeded: random.next())
            }
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
        return bytes
    }
}

/// Choices of which equal seeds give equal ones on every machine.
struct WitnessRandom {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { generator.next() }

    /// A number from 0 to `count` - 1; 0 when `count` is not positive.
    mutating func below(_ count: Int) -> Int { count <= 1 ? 0 : Int(next() % UInt64(count)) }

    /// An address inside one of the ranges, a multiple of four; 0 when there is none.
    mutating func address(in ranges: [Range<UInt32>]) -> UInt32 {
        guard !ranges.isEmpty else { return 0 }
        let range = ranges[below(ranges.count)]
        return (range.lowerBound + UInt32(below(range.count))) & ~3
    }
}
