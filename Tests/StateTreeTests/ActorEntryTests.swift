import Primitives
import Testing

@testable import IPLD
@testable import StateTree

/// The quick look at the entries of a node agrees with decoding them.
@Suite struct ActorEntryTests {
    private static func entries() throws -> [[UInt8]] {
        let code = Cid.blake2b256(codec: Cid.raw, data: [1])
        let state = Cid.blake2b256(codec: Cid.dagCbor, data: [2])
        let balances = ["0", "1", "255", "256", "1000000000000000000000000000", "-5"]
        let addresses = [nil, try Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 7, count: 20))]
        return try balances.flatMap { balance in
            try addresses.map { address in
                try ActorState(
                    code: code, state: state, sequence: UInt64(balance.utf8.count * 40),
                    balance: try TokenAmount(decimal: balance), delegatedAddress: address
                ).encoded()
            }
        }
    }

    @Test func whatTheTreeWritesIsPlain() throws {
        for entry in try Self.entries() {
            #expect(HamtValues.actors.plainEnd(entry.span, 0) == entry.count)
            // In a node other bytes stand around it.
            let around = [0x82, 0x41] + entry + [0x82, 0xF6]
            #expect(HamtValues.actors.plainEnd(around.span, 2) == 2 + entry.count)
        }
    }

    /// Whatever a byte becomes: where the quick look sees an entry, decoding and writing it gives the same bytes.
    @Test func whatIsPlainIsWrittenAsItIs() throws {
        var plain = 0
        for entry in try Self.entries() {
            for index in entry.indices {
                for change in [1, 2, 4, 0x20, 0x40, 0x80, 0xFF] as [UInt8] {
                    var bytes = entry
                    bytes[index] ^= change
                    guard let end = HamtValues.actors.plainEnd(bytes.span, 0) else { continue }
                    let item = Array(bytes[..<end])
                    #expect(try HamtValues.actors.rewritten(item) == item, "byte \(index) of \(entry.count)")
                    plain += 1
                }
            }
        }
        #expect(plain > 1_000)
    }

    @Test func whatIsCutOffIsNone() throws {
        for entry in try Self.entries() {
            for count in 0..<entry.count {
                #expect(HamtValues.actors.plainEnd(Array(entry[..<count]).span, 0) == nil)
            }
        }
    }
}
