import ArtifactFormat
import CodeSettings
import CompilePool
import GasSchedule
import JSON
import NativeEngine
import TestSupport
import Testing
import WasmFormat

@testable import GasBench

/// Pools of the built compiler that keep objects in memory only.
enum Pools {
    static func pool(_ tier: Tier = .baseline, isMetered: Bool = true) -> CompilePool {
        CompilePool(
            store: nil, settings: CompileSettings(isMetered: isMetered, tier: tier), jobs: 1,
            worker: builtPrograms + "/smelt-worker")
    }
}

@Suite struct OperatorBenchTests {
    /// One of each kind: numeric, memory, branches, calls, bulk, what leaves something behind.
    static let names: Set<String> = [
        "i64.add", "f32.demote_f64", "i64.trunc_f64_u", "i32.load16_s", "i64.store", "br_if", "br_table", "call",
        "call (short)", "call_indirect", "memory.fill", "memory.init", "table.copy", "data.drop", "memory.grow", "if",
        "global.set", "select", "table.grow",
    ]

    private static func kernels(where isWanted: (Kernel) -> Bool = { names.contains($0.name) }) -> [Kernel] {
        // What takes 256 MiB is left to the command's own runs.
        KernelTable.all(.fvm).filter { isWanted($0) && $0.memory.pages < 1_000 }
    }

    /// In both tiers: the counter shows every step, the baseline charges nothing, metered and unmetered code give the
    /// same results. Any of it failing throws.
    @Test(arguments: Tier.allCases) func everyRunIsProved(tier: Tier) throws {
        let kernels = OperatorBenchTests.kernels()
        let settings = BenchSettings(budget: 0, run: 2_000, mostRounds: BenchSettings.leastRounds)
        let bench = try OperatorBench(
            kernels, settings: settings, pool: Pools.pool(tier), unmeteredPool: Pools.pool(tier, isMetered: false))
        let rows = try bench.measure()
        #expect(rows.count == kernels.count && rows.count > 40)
        for (kernel, row) in zip(kernels, rows) {
            #expect(row.title == kernel.title && row.rounds == BenchSettings.leastRounds)
            #expect(row.executions >= UInt64(kernel.copies * row.rounds))
            #expect(row.unmetered != nil)
            #expect(row.step.interval.contains(row.step.value))
        }
    }

    /// Both tiers give every kernel the same result.
    @Test func tiersAgree() throws {
        let kernels = OperatorBenchTests.kernels { $0.form == .latency && !$0.isWalk }
        #expect(kernels.count > 150)
        let module = KernelModule(kernels: kernels, prices: .fvm).bytes
        let instances = try Tier.allCases.map { try NativeModule.compiled(module, Pools.pool($0)).started() }
        for (index, kernel) in kernels.enumerated() where kernel.memory == kernels[0].memory {
            for factor in [1, 2] {
                let arguments = [3, kernel.a, kernel.b, kernel.start]
                let export = KernelModule.export(index, factor)
                let runs = try instances.map { try $0.timed(export, arguments) }
                #expect(runs[0].result == runs[1].result && runs[0].gas == runs[1].gas, "\(kernel.title)")
            }
        }
    }

    /// A kernel that says it does more than it does is no row.
    @Test func aFalseClaimIsRefused() throws {
        let honest = try #require(OperatorBenchTests.kernels { $0.name == "i64.add" && $0.form == .latency }.first)
        let liar = Kernel(
            name: "i64.add", form: .latency, operands: "", opcodes: [.i64Add], glue: [], memory: .l1, copies: 8, a: 1,
            b: 2, start: 3, aType: .i64, bType: .i64, chainType: .i64, chains: 1, isWalk: false, isFresh: false,
            frame: .stack
        ) { code, index in
            honest.step(&code, index)
            code.add(milligas: 4_000)
        }
        let bench = try OperatorBench(
            [liar], settings: BenchSettings(budget: 0, run: 1_000, mostRounds: 11), pool: Pools.pool(),
            unmeteredPool: nil)
        #expect {
            _ = try bench.measure()
        } throws: { error in
            guard case BenchError.gasDiffers(_, let expected, let used) = error else { return false }
            return expected > used && used > 0
        }
    }

    @Test func tooFewRoundsAreNoNumber() throws {
        let kernels = OperatorBenchTests.kernels { $0.name == "nop" }
        let bench = try OperatorBench(
            kernels, settings: BenchSettings(budget: 0, run: 1_000, mostRounds: 0), pool: Pools.pool(),
            unmeteredPool: nil)
        #expect {
            _ = try bench.measure()
        } throws: { error in
            if case BenchError.noTime = error { true } else { false }
        }
    }

    @Test func reportsComeBackFromJSON() throws {
        let conditions = OperatorReport.Conditions(
            priceList: .teep, networkVersion: 28, settings: CompileSettings(tier: .baseline),
            compiler: try Pools.pool().identity(), seed: 5)
        let report = try OperatorReport.measure(
            operators: ["i32.rotl", "memory.size"],
            bench: BenchSettings(budget: 0, seed: 5, run: 1_000, mostRounds: 11), conditions: conditions,
            metered: Pools.pool(), unmetered: nil)
        // Glue's rows were measured and are not shown.
        #expect(Set(report.rows.map(\.name)) == ["i32.rotl", "memory.size"])
        #expect(report.rows.contains { $0.time != nil })
        let read = try JSON.parse(Array(report.json.text().utf8))
        #expect(read["schema"]?.string == OperatorReport.schema)
        #expect(read["operators"]?.array?.map { OperatorRow(json: $0) } == report.rows)
        #expect(report.csv.split(separator: "\n").count == report.rows.count + 1)
        #expect(report.worst != nil)
    }

    @Test func unknownOperatorsAreNamed() throws {
        #expect {
            _ = try OperatorReport.measure(
                operators: ["i64.sum"], bench: BenchSettings(),
                conditions: OperatorReport.Conditions(
                    priceList: .teep, networkVersion: 28, settings: CompileSettings(),
                    compiler: try Pools.pool().identity(), seed: 1),
                metered: Pools.pool(), unmetered: nil)
        } throws: { error in
            if case BenchError.unknownOperator("i64.sum") = error { true } else { false }
        }
    }
}

@Suite struct CompileCostsTests {
    /// Modules that differ in size by a known amount: time and object grow with them, and with few of them there is no
    /// model.
    @Test func costsAreSetAgainstSizes() throws {
        let kernels = KernelTable.all(.fvm).filter { $0.memory == .l1 }
        let inputs = (1...12).map { number in
            CompileInput(
                name: "module\(number)",
                wasm: KernelModule(kernels: Array(kernels.prefix(number * 8)), prices: .fvm).bytes)
        }
        let settings = CompileSettings(tier: .baseline)
        let costs = try CompileCosts.measure(inputs + inputs.prefix(1), settings: settings, rounds: 2) { Pools.pool() }
        #expect(costs.rows.map(\.actor) == inputs.map(\.name))
        for (row, next) in zip(costs.rows, costs.rows.dropFirst()) {
            #expect(row.functions + 16 == next.functions && row.blocks < next.blocks && row.object < next.object)
        }
        #expect(costs.rows.allSatisfy { $0.rounds == 2 && $0.time.value > 0 && $0.peakMemory > 0 })
        let line = try costs.fit(.bytes) { Double($0.object) }.get()
        #expect(line.rSquared > 0.9 && line.slope.value > 1)
        let few = try CompileCosts.measure(Array(inputs.prefix(3)), settings: settings, rounds: 1) { Pools.pool() }
        #expect(few.json["fits"]?.array?.allSatisfy { $0["refused"]?.string != nil } == true)
    }
}
