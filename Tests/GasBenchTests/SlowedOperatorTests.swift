import GasReport
import JSON
import Measuring
import Statistics
import Testing

@testable import GasBench

/// A compiler that makes one operator slower is caught, and the operator is named.
@Suite struct SlowedOperatorTests {
    private static let names: Set<String> = ["i32.popcnt", "i64.mul", "i64.rotl", "i32.ctz", "i32.clz", "i64.shl"]
    private static let slowed = "i32.clz"
    /// Twice the work is twice the time of a chain; what other tests do at the same time is a third at most.
    private static let threshold = 0.5

    /// The kernel with each of its steps done twice: what a compiler does that needs twice the work for it.
    private static func doubled(_ kernel: Kernel) -> Kernel {
        Kernel(
            name: kernel.name, form: kernel.form, operands: kernel.operands, opcodes: kernel.opcodes,
            glue: kernel.glue, memory: kernel.memory, copies: kernel.copies, a: kernel.a, b: kernel.b,
            start: kernel.start, aType: kernel.aType, bType: kernel.bType, chainType: kernel.chainType,
            chains: kernel.chains, isWalk: kernel.isWalk, isFresh: kernel.isFresh, before: kernel.before,
            frame: kernel.frame
        ) { code, index in
            kernel.step(&code, index)
            kernel.step(&code, index)
        }
    }

    private static func report(slowing slowed: String?) throws -> JSONValue {
        let kernels = KernelTable.all(.fvm).filter { names.contains($0.name) && $0.form == .latency }
            .map { $0.name == slowed ? doubled($0) : $0 }
        let bench = try OperatorBench(
            kernels, settings: BenchSettings(budget: 2, run: 50_000, mostRounds: 60), pool: Pools.pool(),
            unmeteredPool: nil)
        let rows = try bench.measure()
        return .object([
            "schema": .string(ReportDocument.schema), "conditions": .object([:]), "methods": .array([]),
            "operators": .object([
                "yardstick_ns": try Rounds.median(bench.yardsticks).json, "operators": .array(rows.map(\.json)),
            ]),
        ])
    }

    @Test func itIsNamedAndNothingElse() throws {
        let before = try Self.report(slowing: nil)
        let same = try ReportDifference(before, try Self.report(slowing: nil), threshold: Self.threshold, force: false)
        #expect(!same.hasDrift && same.rows.count >= Self.names.count)
        let slower = try ReportDifference(
            before, try Self.report(slowing: Self.slowed), threshold: Self.threshold, force: false)
        let named = slower.rows.filter { $0.verdict == .drift }.map(\.name)
        #expect(slower.hasDrift && named == ["\(Self.slowed) latency"], "\(named)")
        #expect(slower.rows.first { $0.name.hasPrefix(Self.slowed) }.map { $0.ratio > 1.5 } == true)
    }
}
