import JSON
import Primitives
import TestSupport
import Testing

@testable import Machine

@Suite struct GasOutputsTests {
    /// used, limit, refund, burned.
    static let splits: [(UInt64, UInt64, UInt64, UInt64)] = [
        (100, 200, 10, 90), (100, 150, 30, 20), (1000, 1300, 240, 60), (500, 700, 140, 60), (200, 200, 0, 0),
        (20_000, 21_000, 1000, 0), (0, 2000, 0, 2000), (500, 651, 121, 30), (500, 5000, 0, 4500),
        (7_499_000_000, 7_500_000_000, 1_000_000, 0), (3_750_000_000, 7_500_000_000, 375_000_000, 3_375_000_000),
        (1, 7_500_000_000, 0, 7_499_999_999),
    ]

    @Test(arguments: splits)
    func overEstimationIsSplitAsTheReferenceDoes(_ used: UInt64, _ limit: UInt64, _ refund: UInt64, _ burned: UInt64) {
        let (gotRefund, gotBurned) = GasOutputs.overEstimation(used: used, limit: limit)
        #expect(gotRefund == refund)
        #expect(gotBurned == burned)
    }

    @Test func overEstimationOfTheLargestLimitsDoesNotOverflow() {
        let limit = UInt64(Int64.max)
        for used in [1, limit / 2, limit - 1, limit] {
            let (refund, burned) = GasOutputs.overEstimation(used: used, limit: limit)
            #expect(refund + burned == limit - used)
        }
    }

    @Test func feesOfTheFixturesAreExact() throws {
        guard let path = sharedData("fvm/selfcheck/gas_outputs.json") else { return }
        let cases = try #require(try JSON.parse(try readFile(path)).array)
        #expect(cases.count >= 10)
        for entry in cases {
            func amount(_ name: String) throws -> TokenAmount {
                try TokenAmount(decimal: try #require(entry[name]?.numberText ?? entry[name]?.string))
            }
            let outputs = GasOutputs(
                gasUsed: try #require(entry["gas_used"]?.integer()),
                gasLimit: try #require(entry["gas_limit"]?.integer()), baseFee: try amount("base_fee"),
                feeCap: try amount("fee_cap"), premium: try amount("premium"))
            #expect(try outputs.baseFeeBurn == amount("base_fee_burn"))
            #expect(try outputs.overEstimationBurn == amount("over_estimation_burn"))
            #expect(try outputs.minerTip == amount("miner_tip"))
            #expect(try outputs.minerPenalty == amount("miner_penalty"))
            #expect(try outputs.refund == amount("refund"))
            #expect(outputs.gasRefund == entry["gas_refund"]?.integer())
            #expect(outputs.gasBurned == entry["gas_burned"]?.integer())
        }
    }
}
