import Crypto
import IPLD
import Primitives
import StateTree

/// A small chain state for samples: the singletons, one funded account, and the sample actors.
struct SampleState {
    static let senderID: UInt64 = 100
    /// The sender's secp256k1 address; nobody holds its key, vectors carry no signatures.
    static func sender() throws(AddressError) -> Address { try .secp256k1([UInt8](repeating: 0x5A, count: 20)) }
    private static let builtinNames = ["system", "init", "account", "placeholder", "eam", "ethaccount"]

    let root: Cid
    let blocks: [Cid: [UInt8]]

    /// - Parameter code: the WASM of each sample actor by name.
    init(_ actors: [Scenario.Actor], code: [String: [UInt8]]) throws {
        let store = MemoryBlockstore()
        func put(_ block: [UInt8], codec: UInt64 = Cid.dagCbor) throws -> Cid {
            let cid = Cid.blake2b256(codec: codec, data: block)
            try store.put(cid, block)
            return cid
        }
        // Messages never run these; the names are what the machine looks for.
        func builtin(_ name: String) -> Cid { .blake2b256(codec: Cid.raw, data: Array("sample \(name)".utf8)) }

        let manifest = ActorManifest(entries: SampleState.builtinNames.map { .init(name: $0, code: builtin($0)) })
        var system = CborWriter()
        system.array(1)
        system.link(try put(manifest.encoded))

        let addresses = Hamt(store: store)
        var id = CborWriter()
        id.unsigned(SampleState.senderID)
        _ = try addresses.set(SampleState.sender().bytes, id.bytes)
        var initial = CborWriter()
        initial.array(3)
        initial.link(try addresses.flush())
        initial.unsigned(UInt64(2_000))
        initial.text("samples")

        var account = CborWriter()
        account.array(1)
        account.byteString(try SampleState.sender().bytes)

        let empty = try put(EmptyArray.block)
        let tree = Hamt(store: store)
        func add(_ id: UInt64, _ code: Cid, _ state: Cid, _ balance: String = "0") throws {
            let actor = ActorState(
                code: code, state: state, sequence: 0, balance: try TokenAmount(decimal: balance),
                delegatedAddress: nil)
            _ = try tree.set(Address.id(id).bytes, try actor.encoded())
        }
        try add(0, builtin("system"), try put(system.bytes))
        try add(1, builtin("init"), try put(initial.bytes))
        try add(2, builtin("reward"), empty)
        try add(99, builtin("account"), empty)
        try add(SampleState.senderID, builtin("account"), try put(account.bytes), "1000000000000000000000")
        for actor in actors {
            guard let wasm = code[actor.code] else { throw SampleError("no sample actor named \(actor.code)") }
            let cid = Cid.blake2b256(codec: Cid.raw, data: wasm)
            try store.put(cid, wasm)
            try add(actor.id, cid, try actor.state.map { try put($0.block, codec: $0.codec) } ?? empty)
        }
        var stateRoot = CborWriter()
        stateRoot.array(3)
        stateRoot.unsigned(UInt64(5))
        stateRoot.link(try tree.flush())
        stateRoot.link(empty)
        root = try put(stateRoot.bytes)
        blocks = store.blocks
    }
}
