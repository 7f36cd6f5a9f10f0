import Crypto
import IPLD
import Primitives
import Testing

@testable import Chain

private func entry(_ id: UInt64, nonce: UInt64 = 0, limit: UInt64, feeCap: UInt64, premium: UInt64) -> BaseFee.Entry {
    BaseFee.Entry(
        cid: Cid.blake2b256(codec: Cid.dagCbor, data: [UInt8(id), UInt8(nonce), UInt8(premium & 0xFF)]),
        sender: .id(id), nonce: nonce, gasLimit: limit, feeCap: TokenAmount(feeCap), premium: TokenAmount(premium))
}

@Suite struct BaseFeeTests {
    @Test func aFullTipsetRaisesTheFeeByAnEighthAndAnEmptyOneLowersIt() {
        let fee = TokenAmount(1_000_000)
        let full = [entry(1, limit: 10_000_000_000, feeCap: 0, premium: 0)]
        #expect(BaseFee.next(fee, .gasLimits(packed: false), entries: full, blocks: 1) == TokenAmount(1_125_000))
        #expect(BaseFee.next(fee, .gasLimits(packed: false), entries: [], blocks: 3) == TokenAmount(875_000))
        let half = [entry(1, limit: 5_000_000_000, feeCap: 0, premium: 0)]
        #expect(BaseFee.next(fee, .gasLimits(packed: false), entries: half, blocks: 1) == fee)
        #expect(BaseFee.next(fee, .gasLimits(packed: true), entries: half, blocks: 1) == TokenAmount(1_031_250))
    }

    @Test func theFeeNeverGoesBelowOneHundred() {
        #expect(BaseFee.next(TokenAmount(100), .gasLimits(packed: false), entries: [], blocks: 1) == TokenAmount(100))
        #expect(BaseFee.next(TokenAmount(100), .premium, entries: [], blocks: 1) == TokenAmount(100))
    }

    @Test func aMessageInTwoBlocksCountsOnce() {
        let one = entry(1, limit: 5_000_000_000, feeCap: 0, premium: 0)
        let fee = TokenAmount(8_000)
        #expect(
            BaseFee.next(fee, .gasLimits(packed: false), entries: [one, one], blocks: 2)
                == BaseFee.next(fee, .gasLimits(packed: false), entries: [one], blocks: 2))
    }

    /// FIP-0115: what the market pays beyond the fee raises it, nothing lowers it by an eighth.
    @Test func thePremiumAtTheQuantileMovesTheFee() {
        let fee = TokenAmount(800)
        let paying = [
            entry(1, limit: 5_000_000_000, feeCap: 10_000, premium: 300),
            entry(2, limit: 3_000_000_000, feeCap: 10_000, premium: 150),
            entry(3, limit: 3_000_000_000, feeCap: 10_000, premium: 10),
        ]
        // The sum passes 7,999,999,999 at the second: min(100, 150 − 100).
        #expect(BaseFee.next(fee, .premium, entries: paying, blocks: 1) == TokenAmount(850))
        #expect(BaseFee.next(fee, .premium, entries: Array(paying.prefix(1)), blocks: 1) == TokenAmount(700))
        // A sender's second message of a nonce does not count.
        let twice = [
            entry(1, limit: 5_000_000_000, feeCap: 10_000, premium: 300),
            entry(1, limit: 5_000_000_000, feeCap: 10_000, premium: 250),
        ]
        #expect(BaseFee.next(fee, .premium, entries: twice, blocks: 1) == TokenAmount(700))
    }
}

@Suite struct AmtVersion0Tests {
    @Test func theEmptyArrayIsTheKnownOne() {
        let empty = AmtVersion0.encode([])
        #expect(Hex.encode(empty.blocks[0].data) == "8300008341008080")
        #expect(Hex.encode(empty.root.digest).hasPrefix("e5658b3d"))
    }

    @Test(arguments: [0, 1, 7, 8, 9, 64, 65, 600]) func whatIsEncodedReadsBack(count: Int) throws {
        let values = (0..<count).map { CborValue.unsigned(UInt64($0)).encoded }
        let (root, blocks) = AmtVersion0.encode(values)
        let store = MemoryBlockstore(Dictionary(blocks.map { ($0.cid, $0.data) }) { first, _ in first })
        var found: [[UInt8]] = []
        try AmtVersion0.forEach(root, in: store, what: "list") { index, value in
            #expect(index == UInt64(found.count))
            found.append(value)
        }
        #expect(found == values)
    }

    @Test func aCountThatLiesAndADeepRootAreRefused() throws {
        for hex in [
            "8300018341008080", "8318ff008341008080", "83000083420000808080", "830000834101808100",
            "83001a7fffffff83410081",
        ] {
            let data = try #require(Hex.decode(hex))
            let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
            #expect(throws: ChainError.self) {
                try AmtVersion0.forEach(cid, in: MemoryBlockstore([cid: data]), what: "list") { _, _ in }
            }
        }
    }
}

@Suite struct NetworkTests {
    /// A version holds above its height, not at it.
    @Test func versionsBeginBehindTheirHeight() throws {
        let mainnet = try #require(ChainNetwork.table.first { $0.name == "mainnet" })
        #expect(mainnet.version(at: 2_683_348)?.rawValue == 17 && mainnet.version(at: 2_683_349)?.rawValue == 18)
        #expect(mainnet.version(at: 0) == nil)
        for network in ChainNetwork.table {
            #expect(zip(network.upgrades, network.upgrades.dropFirst()).allSatisfy { $0.height < $1.height })
        }
    }
}
