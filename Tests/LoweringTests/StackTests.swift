import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// Counted height and native stack.
struct StackTests {
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
            0, 1, 5, 6, 7, 8, 300, 340, 341, 342, 400, 405, 406, 407, 408, 409, 410, 500, 511, 512, 2_000, 10_000,
        ] {
            for name in ["plain", "groups", "many locals"] {
                calls.append(GuestCall(export: name, arguments: [depth]))
            }
        }
        // Native frames of "many locals" may be too big for the native stack before the height ends it; such
        // a run is no chain's, so the interpreter's verdict counts only for what fits.
        let seen = try compare(sample.module.bytes, calls.filter { $0.export != "many locals" })
        #expect(seen.outcomes.contains(.trapped(10)))
    }

    /// Frames the counted height does not bound: the guest ends, the host lives.
    @Test(arguments: everyWay)
    func nativeOverflowIsATrapWhateverTheFrame(_ way: LoweringOptions) throws {
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
            let module = try TestModule(sample.module.bytes)
            let native = try module.compile(way, linker: .find())
            let arguments = [UInt64](repeating: 100_000, count: parameters)
            let seen = try module.run(
                native,
                [
                    GuestCall(export: "deep", arguments: arguments),
                    GuestCall(export: "deep", arguments: [0] + arguments.dropFirst()),
                ],
                gas: 1 << 60)
            let isOverflow = seen.outcomes[1] == .trapped(10) || seen.outcomes[1] == .trapped(12)
            #expect(isOverflow, "\(parameters) parameters, \(locals) locals: \(seen.outcomes[1])")
            #expect(seen.outcomes[2] == .returned([7]), "the same instance runs on")
        }
    }
}
