import CActorRuntime
import Engine
import Glibc

/// The file in which Linux's `perf` finds the names of functions that no object file on disk has
/// (perf's `jit-interface.txt`): a line "start size name" for each piece of compiled code, addresses in hexadecimal.
///
/// Written while modules are mapped, read by `perf report`; running code knows nothing of it.
public final class PerfMap: Sendable {
    /// `/tmp/perf-PID.map` for this process, the only place where perf looks.
    public let path: String
    private let descriptor: Int32
    private let names: [[UInt8]: String]

    /// Makes the file, for its owner only; one left over from an earlier process with this number is replaced.
    ///
    /// - Parameters:
    ///   - names: what modules are called, by key; others are called by the end of their key.
    ///   - directory: another directory, for tests.
    /// - Throws: `EngineError.artifact` when the file cannot be made.
    public init(names: [[UInt8]: String] = [:], directory: String = "/tmp") throws(EngineError) {
        self.names = names
        path = "\(directory)/perf-\(getpid()).map"
        // The directory is everybody's: nothing that lies there is followed or written to.
        unlink(path)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .artifact("\(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// Appends the functions of a module. A line that cannot be written is missing from the profile, no more.
    func add(_ module: NativeModule, key: [UInt8]) {
        let name = names[key] ?? key.suffix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let text = Array(PerfMap.text(module, name: name).utf8)
        // One write, so that modules mapped by several threads do not mix; of a part that is written the rest follows.
        var written = 0
        while written < text.count {
            let count = text[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            written += count
        }
    }

    /// `NAME.f7` for function 7, with its name where it is exported; `NAME.thunk` for code between functions.
    static func text(_ module: NativeModule, name: String) -> String {
        var exported: [UInt32: String] = [:]
        for row in module.functionExports { exported[row.index] = row.name }
        var text = ""
        for piece in module.codePieces {
            let suffix = piece.function.map { index in
                "f\(index)" + (exported[UInt32(index)].map { ":" + $0 } ?? "")
            }
            text += "\(String(piece.start, radix: 16)) \(String(piece.end - piece.start, radix: 16)) "
            text += "\(name).\(suffix ?? "thunk")\n"
        }
        return text
    }
}
