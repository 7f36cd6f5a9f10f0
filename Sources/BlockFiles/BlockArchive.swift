import IPLD
import Primitives

/// Blocks in a file or a directory, with roots: an archive or a database. Safe to use from several threads.
public protocol BlockArchive: Sendable {
    var path: String { get }
    /// Bytes on disk.
    var size: Int { get }
    /// How it is made, for people.
    var formName: String { get }
    var roots: [Cid] { get }
    /// The block; nil when the archive does not have it.
    ///
    /// - Throws: `.damaged` where its bytes are not what the CID says.
    func block(_ cid: Cid) throws(BlockFileError) -> [UInt8]?
    func has(_ cid: Cid) throws(BlockFileError) -> Bool
}

/// Archives as one store that cannot be written to.
public final class ArchiveBlockstore: Blockstore {
    private let archives: [any BlockArchive]
    /// What was found wrong with a file while blocks were read, where anything was; the failure is the file's then,
    /// and not this machine's.
    public private(set) var damage: String?

    /// - Parameter archives: looked into one after another.
    public init(_ archives: [any BlockArchive]) { self.archives = archives }

    public func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        do throws(BlockFileError) {
            for archive in archives {
                if let data = try archive.block(cid) { return data }
            }
            return nil
        } catch {
            if !error.isLocal { damage = error.description }
            throw .storage(error.description)
        }
    }

    public func has(_ cid: Cid) throws(BlockstoreError) -> Bool {
        do throws(BlockFileError) {
            for archive in archives where try archive.has(cid) { return true }
            return false
        } catch { throw .storage(error.description) }
    }

    public func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) {
        throw .storage("\(archives.first?.path ?? "no file"): is read only; a layer for writing goes in front of it")
    }
}
