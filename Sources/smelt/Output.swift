import Glibc
import JSON
import Primitives
import Synchronization

/// Standard output is data, standard error is progress and diagnostics; each line is written whole.
enum Output {
    private static let lock = Mutex(())

    /// Occupies what the caller closed of 0, 1 and 2, so that no file opened later gets such a number and then
    /// receives what is printed. Each is opened for the wrong direction: using it stays the error it was.
    static func occupyStandardDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is this one: those below are open by now.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Writes `text` and a newline to standard output. What a terminal would act on is shown as an escape.
    ///
    /// - Throws: `CommandFailure` when the reader has gone or the disk is full: data must not be lost silently.
    static func data(_ text: String, terminator: String = "\n") throws(CommandFailure) {
        try raw(Array((text.printable(keepingLines: true) + terminator).utf8))
    }

    /// Writes a value as JSON, over several lines or as one.
    static func json(_ value: JSONValue, _ layout: JSONValue.Layout = .indented) throws(CommandFailure) {
        try raw(Array((value.text(layout) + "\n").utf8))
    }

    /// Writes a report for programs or for people.
    static func report(_ report: JSONValue, json: Bool) throws(CommandFailure) {
        json ? try Output.json(report) : try data(ReportText.render(report))
    }

    /// Writes bytes to standard output. A reader that has seen enough (`| head`) ends the program as it ends any
    /// other in a pipe, without a word.
    static func raw(_ bytes: [UInt8]) throws(CommandFailure) {
        guard write(bytes, to: STDOUT_FILENO) else {
            if errno == EPIPE { Interruption.end(by: SIGPIPE) }
            throw CommandFailure(.failure, "standard output: \(String(cString: strerror(errno)))")
        }
    }

    /// Writes `text` and a newline to standard error; a failure there has nowhere to be told.
    static func note(_ text: String) {
        _ = write(Array((text.printable(keepingLines: true) + "\n").utf8), to: STDERR_FILENO)
    }

    /// Replaces the progress line of a terminal. It is cut to the terminal's width: a line that wraps could not be
    /// replaced.
    static func status(_ text: String) {
        let text = text.printable()
        let room = max(1, terminalWidth - 1)
        let line = text.count <= room ? text : text.prefix(room - 1) + "…"
        _ = write(Array("\r\u{1B}[K\(line)".utf8), to: STDERR_FILENO)
    }

    /// Removes the progress line; waits for nobody, for a process that is about to end.
    static func clearStatusAtOnce() {
        let bytes = Array("\r\u{1B}[K".utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Columns of the terminal that shows progress; 80 when it does not say.
    private static var terminalWidth: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    static var progressIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var dataIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        lock.withLock { _ in Files.fill(descriptor, bytes) }
    }
}
