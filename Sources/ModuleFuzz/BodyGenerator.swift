import TestSupport
import WasmFormat

/// Writes one valid body: statements and expressions by type, at random.
struct BodyGenerator {
    /// A label that is in scope.
    struct Label {
        /// What a branch to it carries.
        var carries: ValueType?
        /// Local that counts a loop's rounds; nil for other constructs.
        var counter: Int?
    }

    let shape: ModuleShape
    /// Of the index space.
    let function: Int
    var random: FuzzRandom
    private(set) var code: [UInt8] = []
    /// Innermost last; the first is the function's own.
    var labels: [Label] = []
    /// Types of parameters and locals.
    private(set) var locals: [ValueType] = []
    private(set) var groups: [(count: Int, type: UInt8)] = []
    /// Locals from here count rounds of loops and are assigned by nothing else.
    private(set) var firstCounter = 0
    /// Instructions that may still be written before everything becomes short.
    var budget: Int
    /// Whether the last instruction is an `i32.const` of a negative number, which must not precede a
    /// linear instruction.
    private var lastIsNegative = false

    static let counters = 8

    init(shape: ModuleShape, function: Int, budget: Int, random: FuzzRandom) {
        self.shape = shape
        self.function = function
        self.budget = budget
        self.random = random
        let type = shape.type(of: function)
        locals = type.parameters
        labels = [Label(carries: type.results.first)]
        makeLocals()
    }

    private mutating func makeLocals() {
        let many = random.chance(4)
        for _ in 0..<random.below(6) {
            var types: [ValueType] = [.i32, .i64, .f32, .f64]
            if shape.table != nil { types.append(.funcref) }
            let type = random.pick(types) ?? .i32
            let count = many ? random.below(900) : random.below(4)
            groups.append((count, type.rawValue))
            locals += [ValueType](repeating: type, count: count)
        }
        firstCounter = locals.count
        groups.append((Self.counters, ValueType.i32.rawValue))
        locals += [ValueType](repeating: .i32, count: Self.counters)
    }

    /// The whole body without its last `end`.
    mutating func body() -> WasmModule.Function {
        let result = shape.type(of: function).results.first
        if random.chance(3) { deepNesting() }
        var dead = false
        for _ in 0..<(2 + random.below(6)) where budget > 0 && !dead { dead = statement(depth: 0) }
        if dead { deadCode() }
        if let result, !dead || random.chance(50) { expression(result, depth: 0) }
        return WasmModule.Function(type: shape.functions[function], locals: groups, code: code)
    }

    // MARK: Writing

    mutating func emit(_ opcode: Opcode, _ immediates: [UInt8] = []) {
        code += opcode.encoded + immediates
        lastIsNegative = false
        budget -= 1
    }

    mutating func emit(_ opcode: Opcode, _ index: Int) { emit(opcode, WasmBytes.unsigned(index)) }

    mutating func constant(_ type: ValueType, _ bits: UInt64) {
        switch type {
        case .i32:
            let value = Int32(truncatingIfNeeded: bits)
            emit(.i32Const, WasmBytes.signed(Int64(value)))
            lastIsNegative = value < 0
        case .i64: emit(.i64Const, WasmBytes.signed(Int64(bitPattern: bits)))
        case .f32: emit(.f32Const, (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) })
        case .f64: emit(.f64Const, (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) })
        case .funcref: break
        }
    }

    mutating func i32(_ value: Int) { constant(.i32, UInt64(bitPattern: Int64(value))) }

    /// An instruction priced by its topmost operand: the FVM refuses a negative constant right before it.
    mutating func linear(_ opcode: Opcode, _ immediates: [UInt8]) {
        if lastIsNegative { emit(.nop) }
        emit(opcode, immediates)
    }

    // MARK: Labels

    /// Depth of a random label that carries `type` (nil: nothing); nil when there is none.
    mutating func label(carrying type: ValueType?, loops: Bool) -> Int? {
        let depths = labels.indices.filter { labels[$0].carries == type && (loops || labels[$0].counter == nil) }
        return random.pick(depths).map { labels.count - 1 - $0 }
    }

    func label(at depth: Int) -> Label { labels[labels.count - 1 - depth] }

    /// Opens a construct, writes its contents and closes it.
    mutating func construct(
        _ opcode: Opcode, _ result: ValueType?, counter: Int? = nil, _ contents: (inout BodyGenerator) -> Void
    ) {
        emit(opcode, [result?.rawValue ?? 0x40])
        labels.append(Label(carries: opcode == .loop ? nil : result, counter: counter))
        contents(&self)
        emit(.end)
        labels.removeLast()
    }

    /// The counter for one more loop, nil when loops are nested too deeply.
    func freeCounter() -> Int? {
        let used = labels.count { $0.counter != nil }
        return used < Self.counters ? firstCounter + used : nil
    }

    /// Decrements a loop's counter and leaves it on the stack.
    mutating func countDown(_ counter: Int) {
        emit(.localGet, counter)
        i32(1)
        emit(.i32Sub)
        emit(.localTee, counter)
    }

    // MARK: Shapes of their own

    /// Constructs nested some hundreds deep, left from the middle.
    private mutating func deepNesting() {
        let depth = 50 + random.below(350)
        let kinds: [Opcode] = [.block, .block, .if]
        for _ in 0..<depth {
            let kind = random.pick(kinds) ?? .block
            if kind == .if { i32(random.below(5)) }
            emit(kind, [0x40])
        }
        value(.i32)
        if random.chance(50) {
            emit(.brIf, random.below(depth))
        } else {
            let targets = (0...random.below(40)).map { _ in random.below(depth) }
            emit(.brTable, WasmBytes.vector(targets.map(WasmBytes.unsigned)) + WasmBytes.unsigned(random.below(depth)))
            deadCode()
        }
        for _ in 0..<depth { emit(.end) }
    }

    /// Instructions that are never reached, on a stack that gives whatever is asked for.
    mutating func deadCode() {
        guard random.chance(40) else { return }
        var known: [ValueType] = []
        for _ in 0..<random.below(8) {
            guard let opcode = random.pick(Self.plain), let types = opcode.row.types else { continue }
            let available = Array(known.suffix(types.operands.count))
            guard available == Array(types.operands.suffix(available.count)) else { continue }
            known.removeLast(available.count)
            emit(opcode)
            known += types.results
        }
        for _ in known { emit(.drop) }
    }

    /// Numeric instructions without immediates.
    static let plain: [Opcode] = Opcode.allCases.filter {
        $0.rawValue >= 0x45 && $0.rawValue <= 0xFC07 && $0.row.refusedBy == nil && $0.row.types?.results.count == 1
            && $0.row.accessWidth == 0
    }
}
