import Crypto
import Foundation
import IPLD
import Primitives

@testable import StateTree

/// A state of a few actors and an init actor, made of nothing but the formats.
struct SmallState {
    let store = MemoryBlockstore()
    let root: Cid

    static let account = Cid.blake2b256(codec: Cid.raw, data: Array("account".utf8))
    static let known = try! Address.secp256k1([UInt8](repeating: 1, count: 20))
    static let knownID: UInt64 = 100

    /// - Parameter raw: further entries of the state tree, as bytes.
    init(version: UInt64 = 5, raw: [UInt64: [UInt8]] = [:]) throws {
        let addresses = Hamt(store: store)
        var id = CborWriter()
        id.unsigned(Self.knownID)
        try addresses.set(Self.known.bytes, id.bytes)
        var initState = CborWriter()
        initState.array(3)
        initState.link(try addresses.flush())
        initState.unsigned(UInt64(1000))
        initState.text("test")

        let actors = Hamt(store: store)
        let initHead = try store.putCbor(initState.bytes)
        for (id, head) in [(Singleton.initActor, initHead), (Self.knownID, EmptyArray.cid), (101, EmptyArray.cid)] {
            var actor = ActorState.empty(code: Self.account, delegatedAddress: nil)
            actor.state = head
            actor.balance = TokenAmount(id)
            try actors.set(Address.id(id).bytes, try actor.encoded())
        }
        for (id, entry) in raw { try actors.set(Address.id(id).bytes, entry) }
        var writer = CborWriter()
        writer.array(3)
        writer.unsigned(version)
        writer.link(try actors.flush())
        writer.link(try store.putCbor(EmptyArray.block))
        root = try store.putCbor(writer.bytes)
    }

    func tree() throws -> StateTree { try StateTree(store: store, root: root) }
}

func readFile(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
