import Engine
import Testing
import WasmReference

/// Operators whose corners engines get wrong.
struct OperatorTests {
    private func run(_ code: UInt8, types: (parameter: UInt8, result: UInt8), _ arguments: UInt64...) throws
        -> GuestOutcome
    {
        var module = ModuleBuilder()
        let gets: [UInt8] = arguments.indices.flatMap { index -> [UInt8] in [0x20, UInt8(index)] }
        module.function(
            "f", arguments.map { _ in types.parameter }, [types.result], gets + [code])
        return try module.started().call("f", arguments)
    }

    private func trap(_ outcome: GuestOutcome) -> Trap? {
        if case .trapped(let trap, _) = outcome { trap } else { nil }
    }

    /// add sub mul div min max of a negative quiet NaN with a payload.
    @Test(arguments: [UInt8](0x92...0x97))
    func binaryFloatOperatorsGiveThePositiveCanonicalNaN(_ code: UInt8) throws {
        let f32 = (parameter: ModuleBuilder.f32, result: ModuleBuilder.f32)
        #expect(try run(code, types: f32, 0xFFC0_1234, 0x3F80_0000) == .returned([0x7FC0_0000]))
        #expect(try run(code, types: f32, 0x3F80_0000, 0x7F80_0001) == .returned([0x7FC0_0000]))
        let f64 = (parameter: ModuleBuilder.f64, result: ModuleBuilder.f64)
        let wide = code + 0x0E
        #expect(try run(wide, types: f64, 0xFFF8_0000_0000_1234, 0) == .returned([0x7FF8_0000_0000_0000]))
    }

    /// ceil floor trunc nearest sqrt of f32 and f64.
    @Test(arguments: [UInt8](0x8D...0x91))
    func unaryFloatOperatorsGiveThePositiveCanonicalNaN(_ code: UInt8) throws {
        let f32 = (parameter: ModuleBuilder.f32, result: ModuleBuilder.f32)
        #expect(try run(code, types: f32, 0xFF80_0001) == .returned([0x7FC0_0000]))
        let f64 = (parameter: ModuleBuilder.f64, result: ModuleBuilder.f64)
        #expect(try run(code + 0x0E, types: f64, 0xFFF0_0000_0000_0001) == .returned([0x7FF8_0000_0000_0000]))
    }

    @Test func demoteAndPromoteCanonicalise() throws {
        let demote = (parameter: ModuleBuilder.f64, result: ModuleBuilder.f32)
        #expect(try run(0xB6, types: demote, 0xFFF8_0000_2000_0000) == .returned([0x7FC0_0000]))
        let promote = (parameter: ModuleBuilder.f32, result: ModuleBuilder.f64)
        #expect(try run(0xBB, types: promote, 0xFFC0_1234) == .returned([0x7FF8_0000_0000_0000]))
    }

    @Test func absNegAndCopysignKeepSignallingNaNs() throws {
        let f32 = (parameter: ModuleBuilder.f32, result: ModuleBuilder.f32)
        #expect(try run(0x8B, types: f32, 0xFF80_0001) == .returned([0x7F80_0001]))
        #expect(try run(0x8C, types: f32, 0x7F80_0001) == .returned([0xFF80_0001]))
        #expect(try run(0x98, types: f32, 0x7F80_0001, 0x8000_0000) == .returned([0xFF80_0001]))
    }

    @Test func divisionTrapsAndTheOneOverflowingRemainderIsZero() throws {
        let i32 = (parameter: ModuleBuilder.i32, result: ModuleBuilder.i32)
        #expect(trap(try run(0x6D, types: i32, 1, 0)) == .integerDivideByZero)
        #expect(trap(try run(0x6D, types: i32, 0x8000_0000, 0xFFFF_FFFF)) == .integerOverflow)
        #expect(try run(0x6F, types: i32, 0x8000_0000, 0xFFFF_FFFF) == .returned([0]))
        #expect(trap(try run(0x70, types: i32, 1, 0)) == .integerDivideByZero)
    }

    @Test func truncationAcceptsWhatRoundsIntoRangeAndTrapsBeyond() throws {
        let signed = (parameter: ModuleBuilder.f64, result: ModuleBuilder.i32)
        #expect(try run(0xAA, types: signed, (-2_147_483_648.9).bitPattern) == .returned([0x8000_0000]))
        #expect(trap(try run(0xAA, types: signed, (-2_147_483_649.0).bitPattern)) == .integerOverflow)
        #expect(trap(try run(0xAA, types: signed, Double.nan.bitPattern)) == .invalidConversion)
        #expect(try run(0xAB, types: signed, (-0.9).bitPattern) == .returned([0]))
        let wide = (parameter: ModuleBuilder.f64, result: ModuleBuilder.i64)
        #expect(try run(0xB0, types: wide, (-0x1p63).bitPattern) == .returned([0x8000_0000_0000_0000]))
        #expect(trap(try run(0xB0, types: wide, (-0x1p63).nextDown.bitPattern)) == .integerOverflow)
        #expect(trap(try run(0xB1, types: wide, (0x1p64).bitPattern)) == .integerOverflow)
    }

    @Test func rotationByZeroIsTheIdentity() throws {
        let i64 = (parameter: ModuleBuilder.i64, result: ModuleBuilder.i64)
        #expect(try run(0x8A, types: i64, 0x1234, 0) == .returned([0x1234]))
        #expect(try run(0x89, types: i64, 0x1234, 64) == .returned([0x1234]))
    }

    @Test func indirectCallLooksAtIndexThenNullThenType() throws {
        var module = ModuleBuilder()
        module.tables = [[0x70, 0, 3]]
        module.elements = [[0, 0x41, 0, 0x0B, 1, 0]]
        module.function("none", [], [], [])
        let other = module.type([], [ModuleBuilder.i32])
        module.function("f", [ModuleBuilder.i32], [], [0x20, 0, 0x11, 0, 0])
        module.function("g", [ModuleBuilder.i32], [ModuleBuilder.i32], [0x20, 0, 0x11, UInt8(other), 0])
        let instance = try module.started()
        #expect(try instance.call("f", [0]) == .returned([]))
        #expect(trap(try instance.call("g", [3])) == .undefinedElement)
        #expect(trap(try instance.call("g", [1])) == .uninitializedElement)
        #expect(trap(try instance.call("g", [0])) == .indirectCallType)
    }

    @Test func trapNamesFunctionAndByteOffset() throws {
        var module = ModuleBuilder()
        module.importFunction("h", [], [])
        module.function("f", [], [], [0x01, 0x00])
        let offset = UInt32(module.bytes.count - 2)
        let instance = try module.started()
        #expect(
            try instance.call("f", []) == .trapped(.unreachable, TrapSite(function: 1, offset: offset)))
    }
}
