import ArtifactFormat
import CLinux
import Glibc
import LLVMKit
import WorkerProtocol

/// A worker: reads requests, compiles each in a child process of its own, and writes what comes of it.
///
/// Forking after LLVM is loaded and started saves that work for every module. The child has the limits of its
/// request; whatever happens to it, the worker lives and says how the child ended.
public struct WorkerLoop {
    private let input: Int32
    private let output: Int32

    public init(input: Int32, output: Int32) {
        self.input = input
        self.output = output
    }

    /// Smelt's version.
    public static let version = "0.1.0"

    /// Runs until the input ends; the exit status of the program.
    public func run() -> Int32 {
        // A host that is gone shows as the end of the input and as writes that fail.
        signal(SIGPIPE, SIG_IGN)
        let linker: Linker
        let source: IdentitySource
        do {
            linker = try Linker.find()
            source = try IdentitySource(linker)
        } catch {
            _ = send(Frame(.hello, FieldText(["trouble": error.description])))
            return 1
        }
        guard send(FilesQuestion(files: source.files.map(\.stamp)).frame) else { return 1 }
        var identity: CompilerIdentity?
        var reader = FrameReader()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            do {
                while let frame = try reader.next() {
                    // A host that does not answer knows nothing; its first message is a request already.
                    if identity == nil {
                        let known = frame.kind == .files ? try FilesAnswer(frame).digests : [:]
                        identity = introduce(source, known)
                    }
                    guard let identity else { return 1 }
                    if frame.kind == .files { continue }
                    guard serve(try CompileRequest(frame), identity, linker) else { return 1 }
                }
            } catch {
                _ = send(CompileReply.failed(error.description).frame)
                return 1
            }
            let count = read(input, &chunk, chunk.count)
            if count == 0 { return reader.isInsideFrame ? 1 : 0 }
            if count > 0 { reader.append(chunk[..<count]) } else if errno != EINTR { return 1 }
        }
    }

    /// Says which compiler this is; nil when it is not known, which is said, or the host is gone.
    private func introduce(_ source: IdentitySource, _ known: [FileStamp: Digest]) -> CompilerIdentity? {
        do {
            let (identity, taken) = try source.identity(known: known)
            return send(identity.hello(taken: taken, files: source.files)) ? identity : nil
        } catch {
            _ = send(Frame(.hello, FieldText(["trouble": error.description])))
            return nil
        }
    }

    /// Compiles one module; false when the host is gone.
    private func serve(_ request: CompileRequest, _ identity: CompilerIdentity, _ linker: Linker) -> Bool {
        // The child alone holds the writing end: when the child ends, the reading end says so.
        var lifeline: [Int32] = [-1, -1]
        _ = pipe2(&lifeline, O_CLOEXEC)
        defer { close(lifeline[0]) }
        let child = fork()
        if child == 0 {
            // Only one thread exists, so nothing can be locked by a thread that is not here.
            _ = smelt_die_with_parent()
            setLimits(request.limits)
            let result = BigStack.run {
                var pipeline = Pipeline(request, identity: identity, linker: linker) { progress in
                    // Nobody waits for the result any more.
                    if !send(progress.frame) { _exit(1) }
                }
                return send(pipeline.run().frame)
            }
            _exit(result ? 0 : 1)
        }
        close(lifeline[1])
        guard child > 0 else {
            let reason = "no process for the compilation: \(String(cString: strerror(errno)))"
            return send(CompileReply.failed(reason).frame)
                && send(CompileEnd(signal: 0, status: 1, cpuMicroseconds: 0, peakMemory: 0).frame)
        }
        if lifeline[0] >= 0 { wait(forEndOf: child, lifeline[0]) }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(child, &status, 0, &usage) < 0 {
            guard errno == EINTR else { return false }
        }
        let signal = status & 0x7f
        let times = [usage.ru_utime, usage.ru_stime]
        return send(
            CompileEnd(
                signal: signal, status: signal == 0 ? (status >> 8) & 0xff : 0,
                cpuMicroseconds: times.reduce(0) { $0 + UInt64($1.tv_sec) * 1_000_000 + UInt64($1.tv_usec) },
                peakMemory: UInt64(usage.ru_maxrss) * 1_024
            ).frame)
    }

    /// Returns when the child has ended. When the host has ended there is nobody to work for: the child, its linker
    /// and this process end at once.
    private func wait(forEndOf child: pid_t, _ lifeline: Int32) {
        while true {
            var polls = [pollfd(fd: lifeline, events: 0, revents: 0), pollfd(fd: input, events: 0, revents: 0)]
            guard poll(&polls, 2, -1) >= 0 else { continue }
            if polls[0].revents != 0 { return }
            guard polls[1].revents != 0 else { continue }
            // The group is the worker's own when the host made it, and somebody else's when a person started it.
            kill(getpgrp() == getpid() ? 0 : child, SIGKILL)
            return
        }
    }

    private func setLimits(_ limits: CompileLimits) {
        func set(_ resource: __rlimit_resource, _ soft: UInt64, _ hard: UInt64) {
            var limit = rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard))
            setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
        // At the soft limit comes SIGXCPU, which tells what happened; at the hard one SIGKILL.
        set(RLIMIT_CPU, limits.seconds, limits.seconds + 2)
        // More threads raise the soft limit by what each takes, when they begin.
        let addresses = limits.memory + BigStack.size
        set(RLIMIT_AS, addresses, addresses + UInt64(limits.threads - 1) * BigStack.addresses)
        set(RLIMIT_CORE, 0, 0)
    }

    private func send(_ frame: Frame) -> Bool {
        let bytes = frame.encoded
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                // Sound: the range from `done` to the count lies inside the array, which is not empty.
                write(output, buffer.baseAddress! + done, buffer.count - done)
            }
            if count > 0 { done += count } else if errno != EINTR { return false }
        }
        return true
    }
}
