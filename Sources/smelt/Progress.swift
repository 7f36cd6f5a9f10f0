import Glibc
import Synchronization

/// Progress on standard error: a line rewritten in place on a terminal, a line every few seconds elsewhere.
final class Progress: Sendable {
    private struct State {
        var lastShown: UInt64
        var shown = false
    }
    private let state: Mutex<State>
    private let enabled: Bool
    /// Whether a line stands on the terminal that must go before the program does.
    private static let isOnTerminal = Atomic<Bool>(false)

    init(enabled: Bool) {
        self.enabled = enabled
        // Where lines stay, short work gets none.
        state = Mutex(State(lastShown: Output.progressIsTerminal ? 0 : Progress.now))
    }

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
        guard terminal else { return Output.note(text()) }
        Progress.isOnTerminal.store(true, ordering: .relaxed)
        Output.status(text())
    }

    /// Clears the progress line before other output.
    func finish() {
        let wasShown = state.withLock { state in
            defer { state.shown = false }
            return state.shown
        }
        guard enabled && wasShown && Output.progressIsTerminal else { return }
        Output.status("")
        Progress.isOnTerminal.store(false, ordering: .relaxed)
    }

    /// Clears the progress line of a process that is about to end.
    static func clearAtOnce() {
        if isOnTerminal.load(ordering: .relaxed) { Output.clearStatusAtOnce() }
    }

    /// Nanoseconds of the monotonic clock.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
