import Drafts
import Glibc

/// SIGINT, SIGTERM and SIGHUP end the program by themselves, as shells expect (130 for SIGINT), but only when files
/// being written are whole or gone and the progress line is cleared. Workers see that their host is gone and end.
enum Interruption {
    /// To be called before any other thread exists: they all inherit that these signals wait for the one that
    /// handles them. Signals that are ignored already (`nohup`, `&`) stay so.
    static func prepare() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let earlier = signal(number, SIG_DFL)
            // SIG_IGN is the number 1 in the place of a function's address.
            if unsafeBitCast(earlier, to: Int.self) == 1 {
                signal(number, SIG_IGN)
            } else {
                sigaddset(&signals, number)
            }
        }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waiting = signals
        let argument = UnsafeMutablePointer<sigset_t>.allocate(capacity: 1)
        argument.initialize(to: waiting)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                // The thread takes over the set allocated for it.
                argument.map { Interruption.wait($0.assumingMemoryBound(to: sigset_t.self)) }
                return nil
            }, argument)
        if status == 0 {
            pthread_detach(thread)
        } else {
            argument.deallocate()
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        }
    }

    /// How long files being written are waited for; a file system that hangs longer must not keep the process.
    private static let patience = 2_000

    private static func wait(_ signals: UnsafeMutablePointer<sigset_t>) {
        var number: Int32 = 0
        while sigwait(signals, &number) != 0 {}
        end(by: number)
    }

    /// Ends the program by a signal.
    static func end(by number: Int32) {
        _ = Drafts.close(milliseconds: patience)
        Progress.clearAtOnce()
        signal(number, SIG_DFL)
        var only = sigset_t()
        sigemptyset(&only)
        sigaddset(&only, number)
        pthread_sigmask(SIG_UNBLOCK, &only, nil)
        raise(number)
    }
}
