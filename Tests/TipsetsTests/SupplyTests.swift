import Chain
import Crypto
import IPLD
import Machine
import Primitives
import StateTree
import Testing

@testable import Tipsets

@Suite struct SupplyTests {
    private static let mainnet = ChainNetwork.table[0]
    private static let calibnet = ChainNetwork.table[1]

    private func fil(_ whole: UInt64) -> TokenAmount { TokenAmount(whole) * TokenAmount.attoPerFil }

    /// A state with nothing but what the supply is made of.
    private func state(reserve: UInt64?) throws -> (Cid, MemoryBlockstore) {
        let store = MemoryBlockstore()
        let tree = try StateTree(store: store, root: try StateTree.makeEmpty(in: store))
        func place(_ id: UInt64, _ balance: TokenAmount, _ amounts: [Int: UInt64], _ count: Int) throws {
            let fields = try (0..<count).map { CborValue.bytes(try fil(amounts[$0] ?? 0).cborBytes) }
            let state = try store.putState(CborValue.array(fields).encoded)
            tree.setActor(
                id,
                ActorState(
                    code: EmptyArray.cid, state: state, sequence: 0, balance: balance, delegatedAddress: nil))
        }
        try place(2, .zero, [8: 50_000_000], 11)
        try place(4, .zero, [4: 7_000_000], 15)
        try place(5, .zero, [8: 100_000, 9: 20_000, 10: 3_000], 13)
        if let reserve { try place(90, fil(reserve), [:], 1) }
        try place(99, fil(30_000_000), [:], 1)
        return (try tree.flush(), store)
    }

    private func supply(_ network: ChainNetwork, _ version: UInt32, _ height: Int64, reserve: UInt64?) throws
        -> TokenAmount
    {
        let (root, store) = try state(reserve: reserve)
        return try CirculatingSupply.at(
            height, root: root, store: store, network: network, version: NetworkVersion(rawValue: version))
    }

    /// Everything has vested after six years: 10,632,000 + 51,803,587 + 31,821,712 + 7,223,364 + 88,536,841 + 409,805,053.
    @Test func theSumOfItsParts() throws {
        let late = Self.mainnet.liftoff + 2190 * 2880
        let all: UInt64 = 599_822_557
        let parts = all + 50_000_000 + 300_000_000 - 282_000_000 - 30_000_000 - 7_000_000
        #expect(try supply(Self.mainnet, 23, late, reserve: 282_000_000) == fil(parts))
        // The market's share counted up to network version 22.
        #expect(try supply(Self.mainnet, 22, late, reserve: 282_000_000) == fil(parts - 123_000))
        #expect(try supply(Self.mainnet, 18, late, reserve: 282_000_000) == fil(parts - 123_000))
        // FIP-0100 gave the calibration network's reserve more.
        #expect(try supply(Self.calibnet, 24, late, reserve: 282_000_000) == fil(parts))
        #expect(try supply(Self.calibnet, 25, late, reserve: 282_000_000) == fil(parts + 900_000_000))
        #expect(try supply(Self.mainnet, 25, late, reserve: 282_000_000) == fil(parts))
        // Without a reserve none of it was spent.
        #expect(try supply(Self.mainnet, 23, late, reserve: nil) == fil(parts - 18_000_000))
    }

    @Test func itIsNeverNegative() throws {
        #expect(try supply(Self.mainnet, 23, 0, reserve: 500_000_000) == .zero)
    }

    /// The rate of an epoch is rounded down first: floor(V / D) · (D − e) is still locked.
    @Test func vestingIsByEpochsAtARoundedRate() {
        let day = Self.mainnet.liftoff + 2880
        var expected = fil(10_632_000)
        for (days, whole) in CirculatingSupply.vesting.dropFirst() {
            let all = UInt128(whole) * UInt128(TokenAmount.attoPerFil)
            let duration = UInt128(days * 2880)
            let locked = all / duration * (duration - 2880)
            #expect(locked != all * (duration - 2880) / duration || all % duration == 0)
            let vested = all - locked
            expected += TokenAmount(hi: UInt64(vested >> 64), lo: UInt64(truncatingIfNeeded: vested))
        }
        #expect(CirculatingSupply.vested(at: day, Self.mainnet) == expected)
        // Before liftoff nothing has, but for what never was locked.
        #expect(CirculatingSupply.vested(at: Self.mainnet.liftoff - 1, Self.mainnet) == .zero)
        // And at liftoff what the rounded rates leave over.
        let rest = CirculatingSupply.vested(at: Self.mainnet.liftoff, Self.mainnet) - fil(10_632_000)
        #expect(!rest.isZero && !rest.isNegative && rest < TokenAmount(5 * 2190 * 2880))
    }
}

@Suite struct BeaconScheduleTests {
    /// Mainnet's rounds: height 28 and 39 of its first beacon (recorded in its blocks), and around Phoenix.
    @Test func roundsFollowTheClock() throws {
        let mainnet = ChainNetwork.table[0]
        let before = mainnet.beaconRound(at: 3_855_479)
        let after = mainnet.beaconRound(at: 3_855_480)
        #expect(mainnet.beaconRound(at: 3_855_478) == before - 1)
        #expect(mainnet.beaconRound(at: 3_855_481) == after + 10)
        let time: UInt64 = 1_598_306_400 + 30 * 3_855_479
        #expect(after == (time - 1_692_803_367) / 3 + 1)
        #expect(before == (time - 30 - 1_595_431_050) / 30 + 1)
    }

    /// The beacon's rounds in real headers.
    @Test func realHeadersHaveTheRoundsOfTheirEpochs() throws {
        guard let archive = try Archives.export40() else { return }
        let mainnet = ChainNetwork.table[0]
        var next: TipSet? = archive.head
        var entries = 0
        while let tipset = next, !tipset.isGenesis {
            let parent = try #require(try archive.parent(of: tipset))
            let rounds = tipset.blocks[0].beaconEntries.map(\.round)
            #expect(rounds == ((parent.height + 1)...tipset.height).map { mainnet.beaconRound(at: $0) })
            entries += rounds.count
            next = parent
        }
        #expect(entries == 39)
    }
}
