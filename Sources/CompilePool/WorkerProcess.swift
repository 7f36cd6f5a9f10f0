import ArtifactFormat
import ArtifactStore
import CLinux
import Glibc
import WorkerProtocol

/// A worker and the pipes to it. All system calls of this module are here.
/// Sendable although it has state: the pool hands it to one thread at a time.
final class WorkerProcess: @unchecked Sendable {
    /// Which compiler it is; known once it has introduced itself.
    let identity: CompilerIdentity
    /// Digests of its files that it took for its introduction and that may be remembered.
    let takenDigests: [FileStamp: Digest]
    /// What makes it this compiler; nil where a file of it is so new that a change of it might not show.
    let known: KnownCompiler?
    private let process: pid_t
    private let requests: Int32
    private let replies: Int32
    private let messages: Int32
    private var reader = FrameReader()
    /// What the worker has not taken yet.
    private var outgoing: ArraySlice<UInt8> = []
    /// What it wrote on standard error, the last part of it.
    private var messageTail: [UInt8] = []
    private(set) var hasEnded = false

    private static let messageLimit = 2_000
    /// Seconds a worker has for its introduction. Reading LLVM from a cold disk takes one or two.
    private static let introductionLimit = 60

    /// Starts the program at `path` and waits for its introduction.
    ///
    /// - Parameter digests: of files that are known, for a worker that asks.
    init(path: String, digests: [FileStamp: Digest] = [:]) throws(LocalFailure) {
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<3 {
            guard let pipe = WorkerProcess.pipe() else {
                let code = errno
                for pipe in pipes { WorkerProcess.close([pipe.read, pipe.write]) }
                throw .noCompiler("pipe: \(String(cString: strerror(code)))")
            }
            pipes.append(pipe)
        }
        // Before it starts, so that what is replaced meanwhile is seen to have changed.
        let now = FileStamp.now
        let before = Self.placedFiles(path)
        let started = WorkerProcess.spawn(path, input: pipes[0].read, output: pipes[1].write, messages: pipes[2].write)
        WorkerProcess.close([pipes[0].read, pipes[1].write, pipes[2].write])
        requests = pipes[0].write
        replies = pipes[1].read
        messages = pipes[2].read
        process = started.process
        for descriptor in [requests, replies, messages] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        guard started.code == 0 else {
            WorkerProcess.close([requests, replies, messages])
            throw .noCompiler("\(path): \(String(cString: strerror(started.code)))")
        }
        do {
            let hello: Frame
            (identity, hello) = try WorkerProcess.introduction(replies, requests, &reader, digests)
            takenDigests = hello.text.digests ?? [:]
            let files = before + (hello.text.files ?? [])
            known =
                files.allSatisfy { $0.stamp.isSettled(now: now) }
                ? KnownCompiler(files: files, environment: Self.environment, identity: identity) : nil
        } catch {
            WorkerProcess.end(process)
            let said = WorkerProcess.drain(messages)
            WorkerProcess.close([requests, replies, messages])
            let text = String(decoding: said.suffix(WorkerProcess.messageLimit), as: UTF8.self)
            throw .noCompiler("\(path): \(error)" + (text.isEmpty ? "" : ": \(text)"))
        }
    }

    deinit {
        WorkerProcess.end(process)
        WorkerProcess.close([requests, replies, messages])
    }

    /// Kills a worker, which leads a group of its own, with what it is compiling. One that the kernel does not let
    /// go (a disk that does not answer) is not waited for longer than five seconds.
    private static func end(_ process: pid_t) {
        kill(-process, SIGKILL)
        for _ in 0..<5_000 {
            let ended = waitpid(process, nil, WNOHANG)
            if ended == process || (ended < 0 && errno != EINTR) { return }
            usleep(1_000)
        }
    }

    /// A pipe whose ends lie above the standard descriptors, even in a process that was started without those: so
    /// any end can become any of the three in a child without overwriting another end. Nil with `errno` set.
    private static func pipe() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
        for index in ends.indices where ends[index] <= STDERR_FILENO {
            let low = ends[index]
            ends[index] = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
            let code = errno
            Glibc.close(low)
            guard ends[index] >= 0 else {
                close([ends[1 - index]])
                errno = code
                return nil
            }
        }
        return (ends[0], ends[1])
    }

    private static func close(_ descriptors: [Int32]) {
        for descriptor in descriptors { Glibc.close(descriptor) }
    }

    private static func spawn(
        _ path: String, input: Int32, output: Int32, messages: Int32
    ) -> (process: pid_t, code: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (from, to) in [(input, 0), (output, 1), (messages, 2)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, from, to)
        }
        // Nothing else that this process has open: a pipe of another thread would never see its end.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The host may block or ignore signals; a worker does not.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        defer { free(words[0]) }
        var environment: [UnsafeMutablePointer<CChar>?] = Self.environment.map { strdup($0) } + [nil]
        defer { for word in environment { free(word) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, path, &actions, &attributes, &words, &environment)
        return (process, code)
    }

    /// What a worker is given of the environment: where to find programs and libraries; nothing else may play a part.
    static var environment: [String] {
        ["PATH", "LD_LIBRARY_PATH"].compactMap { (name: String) -> String? in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
    }

    /// What decides which compiler is started at a path, beside what it says itself.
    private static func placedFiles(_ path: String) -> [PlacedFile] {
        [path, "/etc/ld.so.cache"].compactMap { PlacedFile(path: $0) }
    }

    private static func introduction(
        _ replies: Int32, _ requests: Int32, _ reader: inout FrameReader, _ digests: [FileStamp: Digest]
    ) throws(ProtocolError) -> (CompilerIdentity, hello: Frame) {
        var awake = AwakeTime()
        var asked = false
        while awake.seconds < Double(introductionLimit) {
            if let frame = try reader.next() {
                guard frame.kind == .files, !asked else {
                    return (try CompilerIdentity(hello: frame), frame)
                }
                asked = true
                let known = Set(try FilesQuestion(frame).files)
                // A short message into an empty pipe: it is taken whole, or the worker is none.
                let answer = FilesAnswer(digests: digests.filter { known.contains($0.key) }).frame.encoded
                guard write(requests, answer[...]) == answer.count else { throw ProtocolError("the worker is gone") }
                continue
            }
            var poll = pollfd(fd: replies, events: Int16(POLLIN), revents: 0)
            _ = Glibc.poll(&poll, 1, 500)
            awake.advance()
            guard let bytes = read(replies) else { throw ProtocolError("the worker ended at once") }
            reader.append(bytes[...])
        }
        throw ProtocolError("the worker does not introduce itself within \(introductionLimit) s")
    }

    /// What can be read now, possibly nothing; nil at the end.
    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count > 0 {
                bytes += chunk[..<count]
            } else if count < 0 && errno == EINTR {
                continue
            } else {
                return count == 0 && bytes.isEmpty ? nil : bytes
            }
        }
    }

    private static func drain(_ descriptor: Int32) -> [UInt8] { read(descriptor) ?? [] }

    // MARK: Talking

    /// Puts a request on its way; `pump` sends what the worker does not take at once.
    func send(_ request: CompileRequest) {
        messageTail = []
        outgoing = request.frame.encoded[...]
    }

    /// Whether the worker still has to take something.
    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// Sends what the worker takes now, without waiting.
    ///
    /// - Returns: whether it took something; nil when it is gone.
    func pump() -> Bool? {
        guard !outgoing.isEmpty else { return false }
        guard let count = WorkerProcess.write(requests, outgoing) else { return nil }
        outgoing.removeFirst(count)
        if outgoing.isEmpty { outgoing = [] }
        return count > 0
    }

    /// Writes as much as the pipe takes now; nil when nobody reads it any more.
    private static func write(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Int? {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                // Sound: the range from `done` to the count lies inside the slice, which is not empty.
                writeQuietly(descriptor, buffer.baseAddress! + done, buffer.count - done)
            }
            if count > 0 { done += count } else if errno == EAGAIN { break } else if errno != EINTR { return nil }
        }
        return done
    }

    /// A write to a pipe whose reader is gone gives an error here, and no signal to the host's process.
    private static func writeQuietly(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int {
        var pipeSignal = sigset_t()
        var before = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
        let result = Glibc.write(descriptor, start, count)
        let code = errno
        if result < 0 && code == EPIPE {
            var none = timespec()
            sigtimedwait(&pipeSignal, nil, &none)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        errno = code
        return result
    }

    /// Takes in what the worker has sent and gives the messages that are complete.
    func receive() throws(ProtocolError) -> [Frame] {
        if let bytes = WorkerProcess.read(replies) { reader.append(bytes[...]) } else { hasEnded = true }
        // After the replies: what was said before an answer, or before the end, is then known with it.
        if let said = WorkerProcess.read(messages) {
            messageTail = Array((messageTail + said).suffix(WorkerProcess.messageLimit))
        }
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames
    }

    /// Whether an idle worker still waits for requests: one that ended has closed its side.
    var isThere: Bool {
        var poll = pollfd(fd: replies, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 0
    }

    /// What the worker wrote on standard error since the last request.
    var said: String {
        String(decoding: messageTail, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
    }

    /// Bytes of memory of the process that compiles.
    var memory: UInt64 {
        guard let child = ProcessTable.firstChild(of: process) else { return 0 }
        return ProcessTable.residentPages(of: child) * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Whether the worker or the process that compiles was stopped (by SIGSTOP, or from a terminal).
    var isStopped: Bool {
        if ProcessTable.isStopped(process) { return true }
        return ProcessTable.firstChild(of: process).map(ProcessTable.isStopped) ?? false
    }

    /// Waits until one of the workers has something to say, or for the time given.
    static func wait(for workers: [WorkerProcess], milliseconds: Int32) {
        var polls = workers.flatMap { worker in
            [worker.replies, worker.messages].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                + (worker.hasOutgoing ? [pollfd(fd: worker.requests, events: Int16(POLLOUT), revents: 0)] : [])
        }
        _ = Glibc.poll(&polls, nfds_t(polls.count), milliseconds)
    }

    /// Seconds of the monotonic clock.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The worker beside the program that runs, or the one `SMELT_WORKER` names.
    static func locate() throws(LocalFailure) -> String {
        guard let path = expectedPath else { throw .noCompiler("the program's own place is not known") }
        guard access(path, X_OK) == 0 else {
            throw .noCompiler("\(path): \(String(cString: strerror(errno)))")
        }
        return path
    }

    /// Whether a program is there, working or not.
    static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Where the worker is or would be; nil when the program's own place is not known.
    static var expectedPath: String? {
        if let named = getenv("SMELT_WORKER") { return String(cString: named) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        }
        guard count > 0, count < buffer.count else { return nil }
        let program = String(decoding: buffer[..<count], as: UTF8.self)
        let folder = program.lastIndex(of: "/").map { program[..<$0] } ?? ""
        return "\(folder)/smelt-worker"
    }
}
