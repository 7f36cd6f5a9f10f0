import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// All numeric operators on boundary values, against the interpreter.
struct OperatorTests {
    /// Operators that take numbers and give one: 0x45 to 0xC4 and the saturating conversions.
    static let operators: [(opcode: Opcode, operands: [ValueType], result: ValueType)] = Opcode.allCases.compactMap {
        let row = $0.row
        guard row.accessWidth == 0, $0.rawValue >= 0x45, $0.rawValue <= 0xFC07, row.refusedBy == nil,
            let types = row.types, let result = types.results.first, !types.operands.isEmpty, result != .funcref
        else { return nil }
        return ($0, types.operands, result)
    }

    @Test func thereAreAsManyNumericOperatorsAsTheSpecificationHas() {
        #expect(Self.operators.count == 136)
    }

    @Test(arguments: everyWay)
    func everyOperatorAgreesOnAllPairsOfBoundaryValues(_ way: LoweringOptions) throws {
        var sample = Sample()
        var calls: [GuestCall] = []
        for (opcode, operands, result) in Self.operators {
            let code = operands.indices.flatMap(Code.get) + opcode.encoded
            sample.add(opcode.name, operands, [result], code: code)
            for tuple in Boundary.tuples(operands) {
                calls.append(GuestCall(export: opcode.name, arguments: tuple))
            }
        }
        try compare(sample.module.bytes, calls, ways: [way], "operators")
    }

    @Test(arguments: everyWay)
    func operatorsOnConstantsAreFoldedToTheSameResults(_ way: LoweringOptions) throws {
        var sample = Sample()
        var calls: [GuestCall] = []
        for (opcode, operands, result) in Self.operators {
            for (number, tuple) in Boundary.tuples(operands, every: operands.count == 1 ? 1 : 37).enumerated() {
                let name = "\(opcode.name) \(number)"
                let code =
                    zip(operands, tuple).flatMap { Code.constant($0, $1) } + opcode.encoded
                sample.add(name, [], [result], code: code)
                calls.append(GuestCall(export: name, arguments: []))
            }
        }
        try compare(sample.module.bytes, calls, ways: [way], "constants")
    }

    /// A value that a loop carries and moves between register banks without a change: LLVM's peephole optimiser recursed
    /// without an end here (llvm-project#216271).
    @Test(arguments: everyWay)
    func aLoopMayMoveAValueBetweenRegisterBanks(_ way: LoweringOptions) throws {
        var sample = Sample()
        let step = """
            local.get 3 local.get 3 f64.copysign local.set 3
            local.get 4 local.get 3 i64.trunc_sat_f64_s i64.add local.set 4
            """
        sample.add(
            "f", [.i32, .i64, .f32], [.i64], locals: [(1, 0x7C), (1, 0x7E)],
            """
            local.get 1 f64.reinterpret_i64 local.set 3
            loop
            \(step) local.get 2 i32.trunc_f32_u drop \(step)
            local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
            end
            local.get 4 local.get 3 i64.reinterpret_f64 i64.xor
            """)
        let calls = [UInt64(0), 0x7FF8_0000_0000_0001, 0xC12E_8480_0000_0000, 0xFFF0_0000_0000_0000].map {
            GuestCall(export: "f", arguments: [3, $0, 0x4040_0000])
        }
        try compare(sample.module.bytes, calls, ways: [way], "banks")
    }

    /// Moves that must not touch a signalling NaN's bits.
    @Test func movesKeepAllBitsOfNaNs() throws {
        var sample = Sample(pages: (1, 1))
        var calls: [GuestCall] = []
        for type in [ValueType.f32, .f64] {
            let load = Code.access(type == .f32 ? .f32Load : .f64Load, offset: 8)
            let store = Code.access(type == .f32 ? .f32Store : .f64Store, offset: 8)
            let zero = Code.constant(.i32, 0)
            sample.add("\(type) memory", [type], [type], code: zero + Code.get(0) + store + zero + load)
            sample.add(
                "\(type) local", [type], [type], locals: [(1, type.rawValue)],
                code: Code.get(0) + [0x21, 1] + Code.get(1))
            sample.add(
                "\(type) select", [type], [type],
                code: Code.get(0) + Code.constant(type, 0) + Code.constant(.i32, 1) + [0x1B])
            sample.add("\(type) through a call", [type], [type], code: Code.get(0) + [0x10, type == .f32 ? 0 : 4])
            for bits in Boundary.values(type) {
                for kind in ["memory", "local", "select", "through a call"] {
                    calls.append(GuestCall(export: "\(type) \(kind)", arguments: [bits]))
                }
            }
        }
        let seen = try compare(sample.module.bytes, calls)
        for (call, outcome) in zip(calls, seen.outcomes.dropFirst()) {
            #expect(outcome == .returned(call.arguments), "\(call)")
        }
    }
}
