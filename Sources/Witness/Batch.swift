import TestSupport
import WasmFormat

/// Inputs that every small function of a width and kind of numbers gets: `(x, y, s)`.
struct InputTable: Sendable {
    /// Slots of x, y and s.
    let rows: [[UInt64]]

    /// A row in memory: three slots.
    static let stride = 24

    private init(_ first: [UInt64], _ second: [UInt64]) {
        var rows: [[UInt64]] = []
        for (i, x) in first.enumerated() {
            for (j, y) in second.enumerated() { rows.append([x, y, UInt64((i + j) % 5)]) }
        }
        // Neighbours differ in x: a function that traps at one x is soon at another.
        let step = 37
        self.rows = rows.indices.map { rows[$0 * step % rows.count] }
    }

    init(_ width: Width, floats: Bool) {
        guard !floats else {
            let numbers: [Double] = [0, -0.0, 1, -1, 0.5, -2.5, 3.25, 1e10, .infinity, .nan]
            var bits = numbers.map { width == .i32 ? UInt64(Float($0).bitPattern) : $0.bitPattern }
            // A signalling NaN, one with the sign and a payload, the smallest number.
            bits += width == .i32 ? [0x7F80_0001, 0xFFC0_1234, 1] : [0x7FF0_0000_0000_0001, 0xFFF8_0000_0000_1234, 1]
            self.init(bits, Array(bits.prefix(11)))
            return
        }
        let numbers: [Int64] = [
            0, 1, -1, 2, 3, -2, width.minimum, width.maximum, width.minimum + 1, Int64(width.bits) - 1, 0x80,
            0x1234_5678_9ABC_DEF1,
        ]
        self.init(
            numbers.map(width.slot), [0, 1, -1, 3, width.minimum, width.maximum, -7, 0x7654_3210].map(width.slot))
    }

    var bytes: [UInt8] {
        rows.flatMap { $0 }.flatMap { slot in (0..<8).map { UInt8(truncatingIfNeeded: slot >> (8 * $0)) } }
    }

    /// Integers of 32 bits, of 64, floats of 32, of 64.
    static let all = [false, true].flatMap { floats in Width.allCases.map { InputTable($0, floats: floats) } }

    static func index(of function: SmallFunction) -> Int {
        (function.takesFloats ? 2 : 0) + function.typeIndex
    }
}

/// A module of small functions and two drivers, `run32` and `run64`: `(function, first input, end, table) -> hash`.
///
/// `at` and `hash` tell how far it came when a trap ended it.
///
/// A driver calls a function through the table with each input and folds the results into a hash. Before each call it
/// writes the input's number to a global, so that after a trap the host knows where to go on.
enum Batch {
    /// Functions of a module: many, because a module has costs of its own; few enough that a failure is found soon.
    static let size = 2_000
    /// Where the inputs' tables begin in memory; in front of them lie bytes that functions load.
    static let inputs = 64
    static let loads: [UInt8] = [
        0x00, 0xFF, 0x80, 0x7F, 0x01, 0x80, 0xFF, 0x7F, 0xFE, 0x00, 0x00, 0x80, 0xFF, 0xFF, 0xFF, 0xFF,
    ]

    /// Address of a table of inputs.
    static func address(_ table: Int) -> Int {
        InputTable.all.prefix(table).reduce(inputs) { $0 + $1.rows.count * InputTable.stride }
    }

    static func module(_ functions: [SmallFunction]) -> [UInt8] {
        var module = WasmModule()
        module.types = SmallFunction.types + [WasmBytes.functionType([0x7F, 0x7F, 0x7F, 0x7F], [0x7E])]
        module.functions = functions.map {
            WasmModule.Function(type: $0.typeIndex, locals: $0.locals, code: $0.code)
        }
        for width in Width.allCases { module.functions.append(driver(width)) }
        module.functions.append(WasmModule.Function(type: 3, "global.get 0"))
        module.functions.append(WasmModule.Function(type: 4, "global.get 1"))
        module.types += [WasmBytes.functionType([], [0x7F]), WasmBytes.functionType([], [0x7E])]
        module.tables = [[0x70, 0] + WasmBytes.unsigned(functions.count)]
        module.memories = [[0, 1]]
        module.globals = [[0x7F, 1, 0x41, 0, 0x0B], [0x7E, 1, 0x42, 0, 0x0B]]
        module.exports = [
            ("run32", 0, functions.count), ("run64", 0, functions.count + 1), ("at", 0, functions.count + 2),
            ("hash", 0, functions.count + 3),
        ]
        module.elements = [
            [0, 0x41, 0, 0x0B] + WasmBytes.vector(functions.indices.map { WasmBytes.unsigned($0) })
        ]
        let data = loads + [UInt8](repeating: 0, count: inputs - loads.count) + InputTable.all.flatMap(\.bytes)
        module.data = [[0, 0x41, 0, 0x0B] + WasmBytes.sized(data)]
        return module.bytes
    }

    private static func driver(_ width: Width) -> WasmModule.Function {
        func load(_ type: String, _ offset: Int) -> [UInt8] {
            // The address of the input is in local 4.
            SmallFunction.assemble("local.get 4 \(type).load").dropLast() + WasmBytes.unsigned(offset)
        }
        let start = SmallFunction.assemble(
            """
            local.get 1 i32.eqz if i64.const -3750763034362895579 global.set 1 end
            loop local.get 1 global.set 0
            local.get 3 local.get 1 i32.const \(InputTable.stride) i32.mul i32.add local.set 4
            global.get 1 i64.const 5 i64.rotl
            """)
        let call =
            load(width.name, 0) + load(width.name, 8) + load("i32", 16)
            + SmallFunction.assemble(
                "local.get 0 call_indirect \(width == .i32 ? 0 : 1) 0 \(width == .i32 ? "i64.extend_i32_u" : "")")
        let end = SmallFunction.assemble(
            """
            i64.xor i64.const 1099511628211 i64.mul global.set 1
            local.get 1 i32.const 1 i32.add local.tee 1 local.get 2 i32.lt_u br_if 0 end global.get 1
            """)
        return WasmModule.Function(type: 2, locals: [(1, 0x7F)], code: start + call + end)
    }
}
