import Engine
import GasSchedule
import JSON
import Syscalls
import Testing
import WasmReference

@testable import GasBench

@Suite struct SyscallBenchTests {
    private static func profile(_ version: UInt32) throws -> NetworkProfile {
        try #require(NetworkProfile.table.first { $0.version.rawValue == version })
    }

    private static func bench(_ version: UInt32, _ syscalls: [String] = []) throws -> SyscallBench {
        try SyscallBench(
            profile(version), syscalls: syscalls,
            settings: BenchSettings(budget: 0, run: 100, mostRounds: BenchSettings.leastRounds),
            engine: ReferenceEngine.fvm())
    }

    /// In both generations every syscall has a row, or the reason why it has none; every call of a row succeeds, is
    /// counted by the machine and pays at least for its crossing. Any of it failing throws.
    @Test(arguments: [18, 28] as [UInt32]) func everySyscallIsMeasured(version: UInt32) throws {
        let bench = try SyscallBenchTests.bench(version)
        let rows = try bench.measure()
        let set = SyscallSet.of(try SyscallBenchTests.profile(version).syscalls)
        let named = Set(rows.map(\.syscall)).union(bench.unmeasured.map(\.syscall))
        #expect(named == Set(set.rows.map(\.title)))
        #expect(!bench.unmeasured.contains { $0.reason == "no kernel" })
        #expect(rows.count > 55)
        for row in rows {
            #expect(row.compute >= 14_000 && row.executions >= UInt64(row.rounds), "\(row.title)")
            #expect(row.time.interval.contains(row.time.value), "\(row.title)")
            #expect(SyscallRowTime(json: try JSON.parse(Array(row.json.text().utf8))) == row)
        }
    }

    /// Gas by payload is the price list's: 14,000 for the crossing, 14 turns of a loop's instructions, 7 a byte.
    @Test func gasIsThePriceLists() throws {
        let rows = try SyscallBenchTests.bench(28, ["crypto::hash"]).measure()
        func compute(_ size: Int) throws -> Double {
            try #require(rows.first { $0.operands == "sha2-256, \(size) bytes" }).compute
        }
        #expect(try compute(1_024) - compute(0) == 7 * 1_024)
        #expect(try compute(65_536) - compute(64) == Double(7 * (65_536 - 64)))
        #expect(try compute(0) < 14_100)
    }

    @Test func unknownSyscallsAreNamed() {
        #expect {
            _ = try SyscallBenchTests.bench(28, ["crypto::guess"])
        } throws: { error in
            guard case BenchError.unknownOperator("crypto::guess") = error else { return false }
            return true
        }
    }
}
