import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// A module whose functions are all exported under their own names.
struct Sample {
    var module = WasmModule()
    private(set) var names: [String] = []
    private var typeNumbers: [[UInt8]: Int] = [:]

    /// - Parameter pages: initial and maximum size of an exported memory; nil for none.
    init(pages: (Int, Int)? = nil) {
        module.types = []
        if let pages {
            module.memories = [[1] + WasmBytes.unsigned(pages.0) + WasmBytes.unsigned(pages.1)]
            module.exports.append(("memory", 2, 0))
        }
    }

    mutating func type(_ parameters: [ValueType], _ results: [ValueType]) -> Int {
        let bytes = WasmBytes.functionType(parameters.map(\.rawValue), results.map(\.rawValue))
        if let known = typeNumbers[bytes] { return known }
        module.types.append(bytes)
        typeNumbers[bytes] = module.types.count - 1
        return module.types.count - 1
    }

    mutating func importFunction(_ name: String, _ parameters: [ValueType], _ results: [ValueType]) {
        module.imports.append(WasmModule.importedFunction("host", name, type: type(parameters, results)))
    }

    mutating func add(
        _ name: String, _ parameters: [ValueType] = [], _ results: [ValueType] = [],
        locals: [(count: Int, type: UInt8)] = [], code: [UInt8]
    ) {
        let number = type(parameters, results)
        module.exports.append((name, 0, module.imports.count + module.functions.count))
        module.functions.append(WasmModule.Function(type: number, locals: locals, code: code))
        names.append(name)
    }

    mutating func add(
        _ name: String, _ parameters: [ValueType] = [], _ results: [ValueType] = [],
        locals: [(count: Int, type: UInt8)] = [], _ text: String
    ) {
        add(name, parameters, results, locals: locals, code: Assembler.assemble(text))
    }
}

enum Code {
    static func get(_ local: Int) -> [UInt8] { [0x20] + WasmBytes.unsigned(local) }

    /// A constant of `type` with these bits.
    static func constant(_ type: ValueType, _ bits: UInt64) -> [UInt8] {
        switch type {
        case .i32: [0x41] + WasmBytes.signed(Int64(Int32(truncatingIfNeeded: bits)))
        case .i64: [0x42] + WasmBytes.signed(Int64(bitPattern: bits))
        case .f32: [0x43] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
        case .f64: [0x44] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
        case .funcref: [0xD0, 0x70]
        }
    }

    /// A load or store with an alignment of one byte.
    static func access(_ opcode: Opcode, offset: UInt32) -> [UInt8] {
        opcode.encoded + [0] + WasmBytes.unsigned(Int(offset))
    }
}

/// Runs calls on the interpreter and on native code compiled in the given ways, and demands equal observations.
@discardableResult
func compare(
    _ bytes: [UInt8], _ calls: [GuestCall], gas: [Int64] = [1 << 40], ways: [LoweringOptions] = everyWay,
    _ what: String = ""
) throws -> Observation {
    let module = try TestModule(bytes)
    let linker = try Linker.find()
    var last = Observation()
    let expected = try gas.map { try module.interpret(calls, gas: $0) }
    for way in ways {
        let native = try module.compile(way, linker: linker)
        for (position, limit) in gas.enumerated() {
            let seen = try module.run(native, calls, gas: limit)
            last = seen
            guard seen != expected[position] else { continue }
            let want = expected[position]
            let index = zip(seen.outcomes.indices, want.outcomes.indices).first {
                seen.outcomes[$0.0] != want.outcomes[$0.1] || seen.gas[$0.0] != want.gas[$0.1]
            }
            if let (index, _) = index {
                let call = index == 0 ? "instantiation" : "\(calls[index - 1])"
                Issue.record(
                    """
                    \(what) \(way.bounds) \(way.tier), gas \(limit), \(call): \
                    \(seen.outcomes[index]) with \(seen.gas[index]) left, the interpreter says \
                    \(want.outcomes[index]) with \(want.gas[index])
                    """)
            } else {
                Issue.record("\(what) \(way.bounds) \(way.tier), gas \(limit): memory or host calls differ")
            }
        }
    }
    return last
}

enum Boundary {
    static let i32: [UInt64] = [
        0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000,
        0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FF80, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1234_5678,
    ]
    static let i64: [UInt64] =
        i32 + [
            0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0x8000_0000_0000_0001, .max, .max - 1,
            0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_7FFF_FFFF, 0x0123_4567_89AB_CDEF, 0x0020_0000_0000_0001,
            0x7FFF_FFFF_FFFF_FBFF, 0x7FFF_FF40_0000_0001, 0xFFFF_FFFF_FFFF_F400,
        ]
    static let f32: [UInt64] =
        [
            0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.99999994, -0.99999994, 2_147_483_520,
            2_147_483_648,
            -2_147_483_648, -2_147_483_904, 4_294_967_040, 4_294_967_296, 9_223_371_487_098_961_920,
            9_223_372_036_854_775_808,
            -9_223_372_036_854_775_808, -9_223_373_136_366_403_584, 18_446_742_974_197_923_840,
            18_446_744_073_709_551_616, 8388608.5,
            16_777_216, 1e10, -1e10, .greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude, .infinity,
            -.infinity, .pi,
        ].map { (number: Float) in UInt64(number.bitPattern) } + [
            0x7FC0_0000, 0xFFC0_0000, 0x7FC0_0001, 0x7F80_0001, 0xFF80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF,
        ]
    static let f64: [UInt64] =
        [
            0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.9999999999999999, -0.9999999999999999,
            2_147_483_647, 2147483647.9999998, 2_147_483_648, -2_147_483_648, -2147483648.9999995, -2_147_483_649,
            4_294_967_295,
            4294967295.9999995, 4_294_967_296, 9_223_372_036_854_774_784, 9_223_372_036_854_775_808,
            -9_223_372_036_854_775_808,
            -9_223_372_036_854_777_856, 18_446_744_073_709_549_568, 18_446_744_073_709_551_616, 4503599627370496.5,
            9_007_199_254_740_992,
            1e300, -1e300, .greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude, .infinity,
            -.infinity, .pi, 3.4028235677973366e38, 1.401298464324817e-45,
        ].map { (number: Double) in number.bitPattern } + [
            0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FF0_0000_0000_0001,
            0xFFF0_0000_0000_0001, 0x7FFF_FFFF_FFFF_FFFF, .max, 0x7FF0_0000_2000_0000,
        ]

    static func values(_ type: ValueType) -> [UInt64] {
        switch type {
        case .i32: i32
        case .i64: i64
        case .f32: f32
        case .f64: f64
        case .funcref: [0]
        }
    }

    /// Tuples of boundary values for parameters.
    static func tuples(_ types: [ValueType], every step: Int = 1) -> [[UInt64]] {
        var tuples: [[UInt64]] = [[]]
        for type in types {
            tuples = tuples.flatMap { tuple in values(type).map { tuple + [$0] } }
        }
        return step == 1 ? tuples : tuples.enumerated().compactMap { $0.offset % step == 0 ? $0.element : nil }
    }
}
