import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// Where a guest's stack ends is computed from its WASM: the interpreter and every way to compile agree.
struct StackTests {
    /// Every tier, bounds mode and processor level.
    private static let allWays =
        everyWay + [
            LoweringOptions(cpu: .v3), LoweringOptions(tier: .baseline, cpu: .v3),
        ]

    /// Calls itself `local 0` times.
    private static func recursive(
        _ sample: inout Sample, _ name: String, parameters: Int = 1, locals: [(count: Int, type: UInt8)] = [],
        extra: [UInt8] = []
    ) {
        let types = [ValueType](repeating: .i32, count: parameters)
        let index = UInt8(sample.module.functions.count)
        let rest = (1..<max(1, parameters)).flatMap(Code.get)
        sample.add(
            name, types, [.i32], locals: locals,
            code: Code.get(0) + [0x45, 0x04, 0x40] + Code.constant(.i32, 7) + [0x0F, 0x0B] + extra + Code.get(0)
                + Code.constant(.i32, 1) + [0x6B] + rest + [0x10, index] + Code.constant(.i32, 1) + [0x6A])
    }

    @Test func theHeightIsCheckedAtTheSameCallAfterTheSameCharges() throws {
        var sample = Sample()
        Self.recursive(&sample, "plain")
        Self.recursive(&sample, "groups", locals: [(count: Int, type: UInt8)](repeating: (1, 0x7F), count: 300))
        Self.recursive(&sample, "many locals", locals: [(5_000, 0x7E)])
        var calls: [GuestCall] = []
        for depth: UInt64 in [
            0, 1, 5, 6, 7, 8, 150, 200, 205, 210, 300, 340, 341, 342, 400, 405, 406, 407, 408, 409, 410, 500, 511,
            512, 2_000, 10_000,
        ] {
            for name in ["plain", "groups", "many locals"] {
                calls.append(GuestCall(export: name, arguments: [depth]))
            }
        }
        let seen = try compare(sample.module.bytes, calls)
        #expect(seen.outcomes.contains(.trapped(10)) && seen.outcomes.contains(.trapped(12)))
    }

    // MARK: What tiers do differently

    /// `f(n)` calls itself n times and has `count` locals, of which `live` are set before the call.
    private static func locals(_ sample: inout Sample, _ count: Int, live: Int) {
        var code: [UInt8] = []
        for local in 1..<(1 + live) {
            code += Code.get(0) + [0xAD] + Code.constant(.i64, UInt64(local % 63)) + [0x7C, 0x21]
            code += WasmBytes.unsigned(local)
        }
        code += Code.get(0) + [0x45, 0x04, 0x7E] + Code.constant(.i64, 7) + [0x05] + Code.get(0)
        code += Code.constant(.i32, 1) + [0x6B, 0x10, 0x00, 0x0B]
        sample.add("f", [.i32], [.i64], locals: [(count, 0x7E)], code: code)
    }

    private static let depths = [0, 1, 50, 70, 75, 76, 77, 78, 100, 200, 300, 330, 341, 342, 5_000].map {
        GuestCall(export: "f", arguments: [$0])
    }

    /// An optimised frame has none of these locals, an unoptimised one all.
    @Test func localsThatNobodyReadsChangeNothing() throws {
        var sample = Sample()
        Self.locals(&sample, 3_000, live: 0)
        let seen = try compare(sample.module.bytes, Self.depths, ways: Self.allWays)
        #expect(seen.outcomes[11] == .returned([7]), "f 300")
    }

    @Test func localsThatAreSetChangeNothing() throws {
        var sample = Sample()
        Self.locals(&sample, 3_000, live: 3_000)
        let seen = try compare(sample.module.bytes, Self.depths, ways: Self.allWays)
        #expect(seen.outcomes.contains(.trapped(12)))
    }

    /// A function beside it that takes long to compile, and in which tier it is, do not either.
    @Test func anotherFunctionsTierChangesNothing() throws {
        var sample = Sample()
        Self.locals(&sample, 3_000, live: 0)
        let arm = Code.get(0) + [0x04, 0x40] + Code.constant(.i32, 1) + [0x1A, 0x0B]
        sample.add("slow", [.i32], [.i32], code: (0..<400).flatMap { _ in arm } + Code.get(0))
        var cheapened = LoweringOptions()
        cheapened.budget.longestBlock = 1
        try compare(sample.module.bytes, Self.depths, ways: Self.allWays + [cheapened])
    }

    // MARK: Ways to call

    /// A frame of 320,000 bytes and more at the least.
    private static let wide = [(count: 20_000, type: UInt8(0x7E))]

    @Test func everyWayToCallIsCounted() throws {
        var sample = Sample()
        let plain = sample.type([], [])
        sample.add("direct", locals: Self.wide, code: [0x10, 0x00])
        sample.add("there", locals: Self.wide, code: [0x10, 0x02])
        sample.add("back", locals: Self.wide, code: [0x10, 0x01])
        sample.add("table", locals: Self.wide, code: Code.constant(.i32, 0) + [0x11] + WasmBytes.unsigned(plain) + [0])
        sample.module.tables = [[0x70, 0, 2]]
        sample.module.elements = [[0, 0x41, 0, 0x0B] + WasmBytes.vector([[3], [1]])]
        let names = ["direct", "there", "back", "table"]
        let seen = try compare(
            sample.module.bytes, names.map { GuestCall(export: $0, arguments: []) }, ways: Self.allWays)
        #expect(seen.outcomes.dropFirst().allSatisfy { $0 == .trapped(12) })
    }

    @Test func theStartFunctionIsCounted() throws {
        var sample = Sample()
        sample.add("f", locals: Self.wide, code: [0x10, 0x00])
        sample.module.start = 0
        let seen = try compare(sample.module.bytes, [], ways: Self.allWays)
        #expect(seen.outcomes == [.trapped(12)])
    }

    /// A reference that the initialiser of a global makes leads past the trampoline: no height is added.
    @Test func referencesPastTheTrampolinesAreCounted() throws {
        var sample = Sample()
        let plain = sample.type([], [])
        sample.add(
            "f",
            code: Code.constant(.i32, 0) + [0x23, 0, 0x26, 0] + Code.constant(.i32, 0) + [0x11]
                + WasmBytes.unsigned(plain) + [0])
        sample.module.tables = [[0x70, 0, 1]]
        sample.module.globals = [[0x70, 0, 0xD2, 0, 0x0B]]
        let seen = try compare(
            sample.module.bytes, [GuestCall(export: "f", arguments: [])], gas: [1 << 60], ways: Self.allWays)
        #expect(seen.outcomes[1] == .trapped(12))
    }

    @Test func recursionWithoutMeteringIsCounted() throws {
        var sample = Sample()
        Self.recursive(&sample, "deep")
        Self.recursive(&sample, "wide", locals: Self.wide)
        let module = try TestModule(sample.module.bytes, metered: false)
        let calls = ["deep", "wide"].flatMap { name in
            [10, 50, 52, 1_000, 1 << 30].map { GuestCall(export: name, arguments: [$0]) }
        }
        let expected = try module.interpret(calls, gas: 0)
        #expect(expected.outcomes.count { $0 == .trapped(12) } >= 3)
        for way in Self.allWays {
            let seen = try module.run(try module.compile(way, linker: .find()), calls, gas: 0)
            #expect(seen.outcomes == expected.outcomes, "\(way)")
        }
    }

    /// One with more than the whole budget has no frame at all.
    @Test func aFunctionAboveTheBudgetEndsEveryCall() throws {
        var sample = Sample()
        sample.add("huge", code: [UInt8](repeating: 0x01, count: 2_100_000))
        sample.add("f", code: [0x10, 0x00])
        let calls = ["huge", "f"].map { GuestCall(export: $0, arguments: []) }
        let seen = try compare(sample.module.bytes, calls)
        #expect(seen.outcomes.dropFirst().allSatisfy { $0 == .trapped(12) })
    }

    /// Frames that the counted height does not bound: the guest ends at the same call, and the same instance runs on.
    @Test func largeFramesEndAtTheSameCall() throws {
        for (parameters, locals) in [(1_000, 0), (1, 40_000), (999, 20_000), (1, 511), (1, 513), (2, 4_096)] {
            var sample = Sample()
            // Locals that stay alive over the call.
            var uses: [UInt8] = []
            for local in 0..<min(locals, 2_000) {
                uses += Code.get(0) + Code.constant(.i32, UInt64(local)) + [0x6A, 0x21]
                uses += WasmBytes.unsigned(parameters + local)
            }
            var groups: [(count: Int, type: UInt8)] = []
            if locals > 0 { groups.append((locals, 0x7F)) }
            Self.recursive(&sample, "deep", parameters: parameters, locals: groups, extra: uses)
            let arguments = [UInt64](repeating: 100_000, count: parameters)
            let calls = [100_000, 0, 3, 20, 60, 150].map {
                GuestCall(export: "deep", arguments: [$0] + arguments.dropFirst())
            }
            let seen = try compare(
                sample.module.bytes, calls, gas: [1 << 60], "\(parameters) parameters, \(locals) locals")
            #expect(seen.outcomes[1] == .trapped(10) || seen.outcomes[1] == .trapped(12))
            #expect(seen.outcomes[2] == .returned([7]), "the same instance runs on")
        }
    }

    /// Adding reserves up, where the height alone would decide, changes nothing.
    @Test func whatTheHeightBoundsEndsAsIfReservesWereAddedUp() throws {
        var sample = Sample()
        Self.recursive(&sample, "f")
        let calls = [5, 340, 341, 342, 409, 410, 5_000].map { GuestCall(export: "f", arguments: [$0]) }
        let seen = try compare(sample.module.bytes, calls, ways: everyWay + [LoweringOptions(linksEverything: true)])
        #expect(seen.outcomes.contains(.trapped(10)) && !seen.outcomes.contains(.trapped(12)))
    }
}
