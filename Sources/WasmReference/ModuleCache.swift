import Engine
import Synchronization

/// Loaded code by key, shared between threads.
final class ModuleCache: Sendable {
    private let entries = Mutex<[[UInt8]: LoadedCode]>([:])

    subscript(key: [UInt8]) -> LoadedCode? {
        get { entries.withLock { $0[key] } }
        set { entries.withLock { $0[key] = newValue } }
    }
}
