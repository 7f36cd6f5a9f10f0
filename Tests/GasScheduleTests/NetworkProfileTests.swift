import GasSchedule
import Primitives
import Testing

struct NetworkProfileTests {
    private func profile(_ version: UInt32) throws -> NetworkProfile {
        try NetworkProfile.forVersion(NetworkVersion(rawValue: version))
    }

    @Test func priceListsFollowTheNetworkUpgrades() throws {
        for version in UInt32(18)...20 { #expect(try profile(version).priceList == .hygge) }
        for version in UInt32(21)...24 { #expect(try profile(version).priceList == .watermelon) }
        for version in UInt32(25)...29 { #expect(try profile(version).priceList == .teep) }
    }

    @Test func theTableHasEachVersionOnce() {
        #expect(NetworkProfile.table.map(\.version.rawValue) == Array(18...29))
    }

    @Test func versionsOutsideTheTableAreRefusedByName() {
        for version in [UInt32(0), 17, 30, .max] {
            let version = NetworkVersion(rawValue: version)
            #expect(throws: NetworkProfileError(unknown: version)) { try NetworkProfile.forVersion(version) }
        }
        #expect(
            NetworkProfileError(unknown: NetworkVersion(rawValue: 30)).description
                == "network version 30 is not known; known are 18 to 29")
    }

    /// Versions without recorded vectors differ from a recorded one in nothing but their number.
    @Test(arguments: [(19, 18), (22, 21), (24, 23), (26, 25), (27, 25), (29, 28)] as [(UInt32, UInt32)])
    func versionsWithoutVectorsAreRowsOfData(_ version: UInt32, _ recorded: UInt32) throws {
        var row = try profile(version)
        row.version = NetworkVersion(rawValue: recorded)
        #expect(try row == profile(recorded))
    }

    @Test func syscallsAreThoseThePriceListHasPricesFor() throws {
        for row in NetworkProfile.table {
            #expect(row.syscalls == (row.version.rawValue <= 20 ? .v3 : .v4))
            #expect(row.behaviour.tracksReachability == (row.syscalls == .v4))
        }
    }

    @Test func allVersionsShareInstructionPrices() throws {
        let prices = Set(NetworkProfile.table.map { PriceList.named($0.priceList).wasm })
        #expect(prices == [.fvm])
    }

    @Test func generationsDifferWhereTheReferenceDoes() throws {
        let v3 = try profile(20).behaviour
        let v4 = try profile(21).behaviour
        #expect(!v3.popsGasLimitOnDepthFailure && v4.popsGasLimitOnDepthFailure)
        #expect(v3.entryPoint == .typed && v4.entryPoint == .calledAnyway)
        #expect(!v3.tracksReachability && v4.tracksReachability)
        #expect(v3.tipsetLookbackLimit == 900 && v4.tipsetLookbackLimit == nil)
    }

    @Test func gasConvertsToMilligasWithSaturationAndRounding() {
        #expect(Milligas.fromGas(.max) == .max)
        #expect(Milligas.fromGas(18_446_744_073_709_551) == 18_446_744_073_709_551_000)
        #expect(Milligas.roundedUp(.max) == 18_446_744_073_709_552)
        #expect(Milligas.roundedUp(1_000) == 1 && Milligas.roundedUp(1_001) == 2 && Milligas.roundedUp(0) == 0)
        #expect(Milligas.roundedDown(1_999) == 1)
        #expect(UInt64(3).subtractingSaturating(4) == 0)
    }
}
