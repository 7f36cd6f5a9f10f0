import ArtifactFormat

/// Why the store could not do what was asked: always a failure of this machine, never a fact about a module.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed: disk full, read-only, no permission.
    case file(FileError)
    /// A file or directory that someone else could have written, or that is no regular file.
    case unsafe(path: String, reason: String)
    /// The bytes are not what was put there.
    case damaged(path: String, reason: String)
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where the store is.
    case noDirectory

    public var description: String {
        switch self {
        case .file(let error): error.description
        case .unsafe(let path, let reason): "\(path): not trusted: \(reason)"
        case .damaged(let path, let reason): "\(path): damaged: \(reason)"
        case .noDirectory: "no place for the store: neither XDG_CACHE_HOME nor HOME is set; name one with --store"
        }
    }
}
