import ArtifactFormat
import Glibc
import Lowering

/// The compiler could not do its work: always a failure of the compiler or of this machine, never of the module.
public enum CompilerError: Error, Sendable, CustomStringConvertible {
    /// lld 19 is not installed.
    case noLinker
    case wrongLinker(path: String, version: String)
    /// The linker ended with this wait status.
    case linkFailed(status: Int32, messages: String)
    case lowering(LoweringError)
    /// What the linker made breaks the rules of the object format.
    case badObject(ArtifactError)
    /// A system call failed.
    case system(String, Int32)
    /// A program or library of the compiler cannot be read, so its build cannot be named.
    case noIdentity(String)
    /// A program or library of the compiler is another than when this process started.
    case replaced(String)
    /// Objects for this target cannot be made.
    case target(String)

    public var description: String {
        switch self {
        case .noLinker:
            "no linker: \(Linker.name) is neither in PATH nor in /usr/bin (Debian package lld-\(Linker.major))"
        case .wrongLinker(let path, let version): "\(path) is '\(version)', expected LLD \(Linker.major)"
        case .linkFailed(let status, let messages): "the linker ended with status \(status): \(messages)"
        case .lowering(let error): error.description
        case .badObject(let error): "the linked object breaks a rule: \(error)"
        case .system(let operation, let code): "\(operation): \(String(cString: strerror(code)))"
        case .noIdentity(let reason): reason
        case .replaced(let path): "\(path) was replaced while the compiler ran; start it again"
        case .target(let target): "objects are made for \(ArtifactFormat.target) only, not for \(target)"
        }
    }
}
