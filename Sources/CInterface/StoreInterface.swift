import CSmelt
import Engine
import IPLD
import Primitives
import Synchronization

/// A block store that sessions share.
final class StoreHandle: Handle {
    let blocks: any Blockstore
    /// The first root of the first archive; nil for callbacks.
    let root: Cid?

    init(_ blocks: any Blockstore, root: Cid? = nil) {
        self.blocks = blocks
        self.root = root
    }
}

/// Blocks of the embedder.
final class CallbackBlockstore: Blockstore {
    private let callbacks: smelt_store_callbacks

    init(_ callbacks: smelt_store_callbacks) { self.callbacks = callbacks }

    deinit { callbacks.finalize?(callbacks.context) }

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        guard let get = callbacks.get else { throw .storage("block \(cid): there is no callback get") }
        let (status, bytes) = GuestStack.onOwnStack {
            withBorrowed(cid.bytes) { cid in Buffer.filled { get(callbacks.context, cid, $0) } }
        }
        switch status {
        case SMELT_OK.rawValue: return bytes
        case SMELT_NOT_FOUND.rawValue: return nil
        default: throw .storage("block \(cid): callback get failed with \(status)")
        }
    }

    func has(_ cid: Cid) throws(BlockstoreError) -> Bool {
        guard let has = callbacks.has else { return try get(cid) != nil }
        let status = GuestStack.onOwnStack { withBorrowed(cid.bytes) { has(callbacks.context, $0) } }
        switch status {
        case SMELT_OK.rawValue: return true
        case SMELT_NOT_FOUND.rawValue: return false
        default: throw .storage("block \(cid): callback has failed with \(status)")
        }
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { try put([(cid, data)]) }

    /// So many blocks or bytes go in one call at most.
    private static let batch = (blocks: 4_096, bytes: 16 << 20)

    func put(_ blocks: [(cid: Cid, data: [UInt8])]) throws(BlockstoreError) {
        guard let put = callbacks.put else { throw .storage("\(blocks.count) blocks: there is no callback put") }
        var rest = blocks[...]
        while !rest.isEmpty {
            var bytes = 0
            let part = rest.prefix(Self.batch.blocks).prefix { block in
                defer { bytes += block.data.count }
                return bytes < Self.batch.bytes
            }
            rest = rest.dropFirst(part.count)
            let status = GuestStack.onOwnStack { Self.hand(part, to: put, callbacks.context) }
            guard status == SMELT_OK.rawValue else {
                throw .storage(
                    "\(part.count) blocks from \(part.first?.cid.text ?? ""): callback put failed with \(status)")
            }
        }
    }

    private static func hand(
        _ blocks: ArraySlice<(cid: Cid, data: [UInt8])>,
        to put: (UnsafeMutableRawPointer?, UnsafePointer<smelt_block>?, Int) -> Int32,
        _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        let pinned = blocks.map { (PinnedBytes($0.cid.bytes), PinnedBytes($0.data)) }
        let rows = pinned.map { smelt_block(cid: $0.0.borrowed, data: $0.1.borrowed) }
        // Sound: the bytes live until the call is over.
        return withExtendedLifetime(pinned) {
            rows.withUnsafeBufferPointer { put(context, $0.baseAddress, $0.count) }
        }
    }
}

/// Lets one thread at a time into a store that knows nothing of threads.
///
/// Sound to share: `base` is touched inside of the lock alone.
final class SerialBlockstore: Blockstore, @unchecked Sendable {
    private let base: any Blockstore
    private let lock = Mutex(())

    init(_ base: any Blockstore) { self.base = base }

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        try lock.withLock { _ throws(BlockstoreError) in try base.get(cid) }
    }

    func has(_ cid: Cid) throws(BlockstoreError) -> Bool {
        try lock.withLock { _ throws(BlockstoreError) in try base.has(cid) }
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) {
        try lock.withLock { _ throws(BlockstoreError) in try base.put(cid, data) }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_store_new(
    _ callbacks: UnsafePointer<smelt_store_callbacks>!, _ store: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let place = try required(store, "store")
        place.pointee = nil
        let given = try options(callbacks, smelt_store_callbacks(), "callbacks")
        guard given.get != nil else { throw .misuse("callbacks.get is NULL") }
        place.pointee = StoreHandle(CallbackBlockstore(given)).handedOut()
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_store_get(
    _ store: OpaquePointer!, _ cid: smelt_bytes, _ block: OpaquePointer!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let store = StoreHandle.behind(try required(store, "store"))
        let buffer = Buffer.behind(try required(block, "block"))
        let cid = try Cid(cid, "cid")
        let found: [UInt8]?
        do throws(BlockstoreError) { found = try store.blocks.get(cid) } catch let bad {
            throw Failure(SMELT_HOST_FAULT, bad.description)
        }
        guard let found else { throw Failure(SMELT_NOT_FOUND, "block \(cid) is not in the store") }
        buffer.set(found)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_store_root(
    _ store: OpaquePointer!, _ cid: OpaquePointer!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let store = StoreHandle.behind(try required(store, "store"))
        let buffer = Buffer.behind(try required(cid, "cid"))
        guard let root = store.root else { throw Failure(SMELT_NOT_FOUND, "the store has no root") }
        buffer.set(root.bytes)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_store_free(_ store: OpaquePointer!) { StoreHandle.giveBack(store) }

extension Cid {
    init(_ bytes: smelt_bytes, _ name: String) throws(Failure) {
        do { self = try Cid(bytes: bytes.array) } catch { throw .misuse("\(name) is no CID: \(error)") }
    }
}
