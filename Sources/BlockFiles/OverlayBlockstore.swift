import Crypto
import IPLD
import Primitives

/// What is written, in front of a store that is not: in memory up to a limit, beyond it in a file without a name.
public final class OverlayBlockstore: Blockstore {
    private let base: any Blockstore
    private let limit: Int
    private let directory: String
    private var blocks: [Cid: [UInt8]] = [:]
    /// Bytes of `blocks`.
    private var size = 0
    /// Bytes written so far, in memory and in the file.
    public private(set) var bytes = 0
    private var spill: Spill?
    private var places: [Cid: Range<Int>] = [:]

    /// - Parameters:
    ///   - limit: bytes of blocks in memory at most.
    ///   - directory: where the file lies.
    public init(base: any Blockstore, limit: Int = 256 << 20, directory: String = "/tmp") {
        self.base = base
        self.limit = limit
        self.directory = directory
    }

    /// Blocks written so far.
    public var count: Int { blocks.count + places.count }

    /// CIDs of what was written, ascending.
    public var written: [Cid] { (Array(blocks.keys) + places.keys).sorted() }

    public func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        if let data = blocks[cid] { return data }
        if let place = places[cid], let spill {
            do throws(BlockFileError) { return try spill.read(at: place.lowerBound, count: place.count) } catch {
                throw .storage(error.description)
            }
        }
        return try base.get(cid)
    }

    public func has(_ cid: Cid) throws(BlockstoreError) -> Bool {
        if blocks[cid] != nil || places[cid] != nil { return true }
        return try base.has(cid)
    }

    public func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) {
        guard blocks[cid] == nil, places[cid] == nil else { return }
        blocks[cid] = data
        size += data.count
        bytes += data.count
        guard size > limit else { return }
        do throws(BlockFileError) {
            if spill == nil { spill = try Spill(directory: directory, keepsRanges: false) }
            guard let spill else { return }
            // Each leaves memory only when the file has it, so that a full disk loses nothing.
            for (cid, data) in blocks {
                places[cid] = try spill.append(data)
                blocks[cid] = nil
                size -= data.count
            }
        } catch { throw .storage(error.description) }
    }
}
