import Drafts
import IPLD
import Primitives
import Zstandard

/// Why a file of blocks cannot be read or written; every case names the file.
public enum BlockFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The system's words.
    case system(path: String, doing: String, reason: String)
    /// The file has fewer bytes than when it was opened.
    case shrunk(path: String, offset: Int, size: Int)
    case car(path: String, CarError)
    case zstd(path: String, ZstandardError)
    /// The index at a file's end, or one kept for it, is not what it should be.
    case index(path: String, String)
    /// A block that the index names does not have the hash its CID says.
    case damaged(path: String, Cid)

    public var description: String {
        switch self {
        case .system(let path, let doing, let reason): "cannot \(doing) \(path): \(reason)"
        case .shrunk(let path, let offset, let size):
            "\(path): the file shrank while it was in use: it had \(size) bytes, at \(offset) there are none"
        case .car(let path, let error): "\(path): \(error)"
        case .zstd(let path, let error): "\(path): \(error)"
        case .index(let path, let why): "\(path): index: \(why)"
        case .damaged(let path, let cid): "\(path): block \(cid) is damaged: its bytes have another hash"
        }
    }

    /// Whether the machine failed, and not what the file holds.
    public var isLocal: Bool {
        switch self {
        case .system(_, let doing, _): doing != "open"
        default: false
        }
    }

    /// Does something with a draft.
    static func of<R>(_ body: () throws(DraftError) -> R) throws(BlockFileError) -> R {
        do throws(DraftError) { return try body() } catch {
            throw .system(path: error.path, doing: error.operation, reason: error.reason)
        }
    }
}
