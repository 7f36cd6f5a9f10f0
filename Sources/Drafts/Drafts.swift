import Glibc
import Synchronization

/// Counts the files that are being written through a temporary name, so that a program told to end can let them
/// become whole or go away first.
public enum Drafts {
    private struct State {
        var open = 0
        var isClosed = false
    }
    private static let state = Mutex(State())

    /// Runs `body`, which makes, fills and renames (or removes) one temporary file.
    ///
    /// After `close` it never returns: the process is about to end.
    public static func write<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        while true {
            let isClosed = state.withLock { state in
                if !state.isClosed { state.open += 1 }
                return state.isClosed
            }
            if !isClosed { break }
            usleep(100_000)
        }
        defer { state.withLock { $0.open -= 1 } }
        return try body()
    }

    /// Lets no new draft begin and waits for the open ones; false when one is still open after the time given.
    public static func close(milliseconds: Int) -> Bool {
        for _ in 0...max(0, milliseconds) {
            let open = state.withLock { state in
                state.isClosed = true
                return state.open
            }
            if open == 0 { return true }
            usleep(1_000)
        }
        return false
    }
}
