import Crypto
import GasSchedule
import IPLD
import Primitives
import StateTree

/// A chain state with what syscalls ask for, and the constants that the bench's actor has in its memory.
struct SyscallState: Sendable {
    /// The actor whose messages are timed; the init actor, which alone makes actors; one with a delegated address; one
    /// that is sent to.
    static let actor: UInt64 = 1_000
    static let initActor: UInt64 = 1
    static let delegated: UInt64 = 1_002
    static let other: UInt64 = 1_001
    static let epoch: Int64 = 3_000_000

    /// A piece of the actor's memory.
    enum Constant: Hashable, Sendable {
        case root
        case block(Int)
        case idAddress, otherAddress, keyAddress, blsAddress, blsKey, builtin
        case signature, digest, text, textLength, blsSignature, noPieces, entries, eventV3
    }

    private let places: [Constant: (at: Int64, size: Int64)]
    /// All constants, as they lie from `SyscallMemory.constants` on.
    let memory: [UInt8]
    /// Blocks that the actor's root links to.
    let blocks: [(cid: Cid, size: Int)]
    private let content: [Cid: [UInt8]]

    /// The address of the root's CID.
    var root: Int64 { place(.root).at }

    func place(_ constant: Constant) -> (at: Int64, size: Int64) { places[constant] ?? (0, 0) }

    private static let builtinNames = ["system", "init", "account", "placeholder", "eam", "ethaccount"]
    /// Nobody runs these; the names are what the machine looks for.
    private static func builtin(_ name: String) -> Cid {
        .blake2b256(codec: Cid.raw, data: Array("bench \(name)".utf8))
    }

    /// The generators of the two groups, compressed: points that every verification has to compute with.
    private static let g1 =
        "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
    private static let g2 =
        "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
        + "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"

    init() throws(BenchError) {
        let blocks = [64, 1_024, 65_536, 1_048_576].map { size -> (cid: Cid, bytes: [UInt8]) in
            let bytes = [UInt8](repeating: 0x61, count: size)
            return (Cid.blake2b256(codec: Cid.raw, data: bytes), bytes)
        }
        var root = CborWriter()
        root.array(blocks.count)
        for block in blocks { root.link(block.cid) }
        let rootCid = Cid.blake2b256(codec: Cid.dagCbor, data: root.bytes)
        let text = Array("data".utf8)
        let digest = Blake2b.hash256(text)
        // The first abscissa on the curve serves as a signature of the text by whatever key it leads to.
        var signature = [UInt8](repeating: 0, count: 65)
        signature[63] = 1
        var publicKey: [UInt8]?
        for abscissa in 1...UInt8.max where publicKey == nil {
            signature[31] = abscissa
            publicKey = Secp256k1.recover(digest: digest, signature: signature)
        }
        let keyAddress: [UInt8]
        let blsAddress: [UInt8]
        do {
            keyAddress = try Address.secp256k1(publicKey: publicKey ?? []).bytes
            blsAddress = try Address(bytes: [3] + (Hex.decode(SyscallState.g1) ?? [])).bytes
        } catch { throw .notCompiled("addresses of the syscall bench: \(error)") }
        var event = CborWriter()
        event.array(1)
        event.array(4)
        event.unsigned(UInt64(3))
        event.text("data")
        event.unsigned(UInt64(Cid.raw))
        event.byteString(text)
        // Flags, codec, lengths of key and value.
        let entry: [UInt8] =
            [3] + Array(repeating: 0, count: 7) + [0x55] + Array(repeating: 0, count: 7)
            + [4, 0, 0, 0, 0, 0x20, 0, 0]
        var memory: [UInt8] = []
        var places: [Constant: (at: Int64, size: Int64)] = [:]
        func keep(_ constant: Constant, _ bytes: [UInt8]) {
            places[constant] = (Int64(SyscallMemory.constants) + Int64(memory.count), Int64(bytes.count))
            memory += bytes + Array(repeating: 0, count: 8 - bytes.count % 8)
        }
        keep(.root, rootCid.bytes)
        for (index, block) in blocks.enumerated() { keep(.block(index), block.cid.bytes) }
        keep(.idAddress, Address.id(SyscallState.delegated).bytes)
        keep(.otherAddress, Address.id(SyscallState.other).bytes)
        keep(.keyAddress, keyAddress)
        keep(.blsAddress, blsAddress)
        keep(.blsKey, Hex.decode(SyscallState.g1) ?? [])
        keep(.builtin, SyscallState.builtin("account").bytes)
        keep(.signature, signature)
        keep(.digest, digest)
        keep(.text, text)
        keep(.textLength, [UInt8(text.count), 0, 0, 0])
        keep(.blsSignature, Hex.decode(SyscallState.g2) ?? [])
        keep(.noPieces, [0x80])
        keep(.entries, entry)
        keep(.eventV3, event.bytes)
        self.memory = memory
        self.places = places
        self.blocks = blocks.map { ($0.cid, $0.bytes.count) }
        var content = Dictionary(blocks.map { ($0.cid, $0.bytes) }, uniquingKeysWith: { first, _ in first })
        content[rootCid] = root.bytes
        self.content = content
    }

    /// A store with the state, and the state's root.
    /// - Parameter wasm: the code of the bench's actor.
    func store(_ wasm: [UInt8]) throws -> (store: MemoryBlockstore, root: Cid) {
        let store = MemoryBlockstore()
        for (cid, bytes) in content { try store.put(cid, bytes) }
        let code = Cid.blake2b256(codec: Cid.raw, data: wasm)
        try store.put(code, wasm)
        let manifest = ActorManifest(
            entries: SyscallState.builtinNames.map { .init(name: $0, code: SyscallState.builtin($0)) })
        var system = CborWriter()
        system.array(1)
        system.link(try store.putState(manifest.encoded))
        let addresses = Hamt(store: store)
        var id = CborWriter()
        id.unsigned(SyscallState.delegated)
        let key = place(.keyAddress)
        let keyStart = Int(key.at) - Int(SyscallMemory.constants)
        _ = try addresses.set(Array(memory[keyStart..<keyStart + Int(key.size)]), id.bytes)
        var initial = CborWriter()
        initial.array(3)
        initial.link(try addresses.flush())
        initial.unsigned(UInt64(2_000))
        initial.text("bench")
        let empty = try store.putState(EmptyArray.block)
        let tree = Hamt(store: store)
        let root = Cid.blake2b256(
            codec: Cid.dagCbor, data: content.first { $0.key.codec == Cid.dagCbor }?.value ?? [])
        func add(_ id: UInt64, _ code: Cid, _ state: Cid, _ balance: String = "0", delegated: Address? = nil) throws {
            let actor = ActorState(
                code: code, state: state, sequence: 0, balance: try TokenAmount(decimal: balance),
                delegatedAddress: delegated)
            _ = try tree.set(Address.id(id).bytes, try actor.encoded())
        }
        try add(0, SyscallState.builtin("system"), try store.putState(system.bytes))
        try add(SyscallState.initActor, code, try store.putState(initial.bytes))
        try add(99, SyscallState.builtin("account"), empty)
        try add(SyscallState.actor, code, root, "1000000000000000000000")
        try add(SyscallState.other, code, root)
        try add(
            SyscallState.delegated, SyscallState.builtin("account"), empty, "5",
            delegated: try Address(bytes: [4, 10] + [UInt8](repeating: 0x5A, count: 20)))
        var state = CborWriter()
        state.array(3)
        state.unsigned(UInt64(5))
        state.link(try tree.flush())
        state.link(empty)
        return (store, try store.putState(state.bytes))
    }
}
