import Glibc
import Synchronization

/// Progress on standard error: a line rewritten in place on a terminal, a line every few seconds elsewhere.
final class Progress: Sendable {
    private struct State {
        var lastShown: UInt64 = 0
        var shown = false
    }
    private let state = Mutex(State())
    private let enabled: Bool

    init(enabled: Bool) { self.enabled = enabled }

    /// Shows `text` when it is time to: ten times a second on a terminal, every five seconds elsewhere.
    func update(_ text: @autoclosure () -> String) {
        guard enabled else { return }
        let terminal = Output.progressIsTerminal
        let now = Progress.now
        let due = state.withLock { state in
            guard now >= state.lastShown + (terminal ? 100_000_000 : 5_000_000_000) else { return false }
            state.lastShown = now
            state.shown = true
            return true
        }
        guard due else { return }
        terminal ? Output.status(text()) : Output.note(text())
    }

    /// Clears the progress line before other output.
    func finish() {
        let wasShown = state.withLock { state in
            defer { state.shown = false }
            return state.shown
        }
        if enabled && wasShown && Output.progressIsTerminal { Output.status("") }
    }

    /// Nanoseconds of the monotonic clock.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
