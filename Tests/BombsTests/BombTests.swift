import CodeSettings
import GasSchedule
import Metering
import TestSupport
import Testing
import WasmFormat

@testable import Bombs

/// The part of the bombs (`make bombs`) that every test run repeats: small sizes.
@Suite struct BombTests {
    @Test func theFrontEndAcceptsEveryFamilyAtEverySize() throws {
        for family in BombFamily.all {
            for size in [1, 3_000, 60_000, 1 << 20] {
                let wasm = family.make(size)
                _ = try FrontEnd.analyze(wasm, profile: .fvm, prices: .fvm)
                #expect(wasm.count < size * 13 / 10 + 50_000, "\(family.name) at \(size) has \(wasm.count) bytes")
            }
        }
        #expect(Set(BombFamily.all.map(\.name)).count == BombFamily.all.count)
    }

    /// The quick part: families of all kinds at small sizes. The rule of `make bombs` for doubling is for large modules
    /// on a quiet machine; beside the other tests a time may be half as long again, so that a module four times as large
    /// may take eight times as long here. What grows with the square takes sixteen times as long.
    @Test(arguments: Tier.allCases)
    func timeGrowsWithTheSizeInEveryTier(_ tier: Tier) throws {
        var limits = BombLimits()
        limits.least = 0.15
        limits.ratio = 8.squareRoot()
        for name in ["local-if", "functions", "call-indirect", "ladder", "nested-loops", "br-tables"] {
            let family = try #require(BombFamily.all.first { $0.name == name })
            let results = BombRun(worker: builtPrograms + "/smelt-worker").measure(
                family, sizes: [1 << 12, 1 << 14], tier: tier, limits: limits)
            #expect(results.count == 2 && limits.breaches(results).isEmpty, "\(name): \(results)")
        }
    }

    @Test func rulesAreBrokenByTimeMemoryGrowthAndFailure() {
        func result(_ bytes: Int, _ seconds: Double, _ memory: UInt64 = 1, _ failure: String? = nil) -> BombResult {
            BombResult(
                family: "x", tier: .optimised, bytes: bytes, seconds: seconds, memory: memory, failure: failure)
        }
        let limits = BombLimits()
        #expect(limits.breaches([result(1 << 19, 9), result(1 << 20, 19)]).isEmpty)
        #expect(limits.breaches([result(1 << 20, 21)]).count == 1)
        #expect(limits.breaches([result(1 << 20, 1, 1_600 << 20)]).count == 1)
        #expect(limits.breaches([result(1 << 19, 4), result(1 << 20, 10)]).count == 1)
        #expect(limits.breaches([result(1 << 18, 2), result(1 << 20, 10)]).isEmpty)
        #expect(limits.breaches([result(1 << 20, 1, 1, "no")]).count == 1)
        // A family that has come to its cap adds next to nothing: no ratio is taken, the bounds still hold.
        #expect(limits.breaches([result(600_000, 4), result(602_000, 10)]).isEmpty)
        #expect(limits.breaches([result(600_000, 4), result(602_000, 21)]).count == 1)
    }

    /// A cap is the limit itself, or, where the rest of the module counts too, close below it: twice as many of the
    /// things it counts are refused.
    @Test func capsStandWhereTheFVMRefusesMore() throws {
        let names = ["many-exported-functions", "many-imports", "many-globals", "many-data", "live-locals"]
        for name in names {
            let family = try #require(BombFamily.all.first { $0.name == name })
            let cap = try #require(family.cap)
            let make = try #require(family.makeCounted)
            let atCap = family.make(1 << 24)
            #expect(family.make(1 << 25) == atCap, "\(name)")
            _ = try FrontEnd.analyze(atCap, profile: .fvm, prices: .fvm)
            #expect(throws: (any Error).self, "\(name)") {
                try FrontEnd.analyze(make(cap.most * 11 / 10), profile: .fvm, prices: .fvm)
            }
        }
    }
}
