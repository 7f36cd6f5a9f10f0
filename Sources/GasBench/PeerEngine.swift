import CLinux
import Glibc
import Primitives

/// Another engine beside Smelt: PyPI's wasmtime in a Python process of its own, which runs instrumented modules and
/// tells the time of each call.
public final class PeerEngine {
    /// `wasmtime 36.0.0`.
    public let name: String
    /// `36.0.0`.
    public let version: String

    private let process: pid_t
    private let requests: Int32
    private let replies: UnsafeMutablePointer<FILE>
    private var modules = 0

    /// Why there is none, for people.
    public struct Missing: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// A module the engine has taken.
    struct Module: Sendable, Hashable { fileprivate let number: Int }

    /// Seconds a call may take; the longest is a compilation, or a walk through 256 MiB without caches.
    private static let patience: Int32 = 120

    /// Starts Python.
    /// - Parameter directory: where `pip install --target` put the package; nil takes what Python finds.
    public init(directory: String?) throws(Missing) {
        // Sound: pipe2 fills two descriptors; each is closed or kept below.
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        guard pipe2(&input, O_CLOEXEC) == 0 else { throw Missing(description: "no pipe") }
        guard pipe2(&output, O_CLOEXEC) == 0 else {
            for end in input { close(end) }
            throw Missing(description: "no pipe")
        }
        let started = PeerEngine.spawn(input: input[0], output: output[1], directory)
        close(input[0])
        close(output[1])
        guard started.code == 0, let stream = fdopen(output[0], "r") else {
            close(input[1])
            if started.code != 0 { close(output[0]) }
            throw Missing(description: "python3: \(String(cString: strerror(started.code)))")
        }
        process = started.process
        requests = input[1]
        replies = stream
        let words = PeerEngine.line(stream, descriptor: output[0])?.split(separator: " ", maxSplits: 1) ?? []
        guard words.count == 2, words[0] == "engine" else {
            PeerEngine.end(process, requests, replies)
            throw Missing(description: words.count == 2 ? String(words[1]) : "python3 ended at once")
        }
        version = String(words[1])
        name = "wasmtime \(version)"
    }

    deinit { PeerEngine.end(process, requests, replies) }

    /// The engines there are: one for each directory, and what Python finds; with it what is not there, since a price
    /// has to hold in the engine that nodes run and in the newest.
    public static func all(directories: [String]) -> (engines: [PeerEngine], missing: [String]) {
        var engines: [PeerEngine] = []
        var missing: [String] = []
        var installed = "python3 -m pip install wasmtime"
        for directory in directories.map(Optional.some) + [nil] {
            do {
                let engine = try PeerEngine(directory: directory)
                if !engines.contains(where: { $0.name == engine.name }) { engines.append(engine) }
            } catch {
                if let directory {
                    missing.append("\(directory): \(error)")
                } else {
                    installed = "\(error): \(installed)"
                }
            }
        }
        engines.sort { ($0.major, $0.version) < ($1.major, $1.version) }
        if !engines.contains(where: { $0.major == nodesMajor }) {
            missing.append(
                "wasmtime \(nodesMajor), which nodes run: pip install --target DIR 'wasmtime==\(nodesMajor).*', "
                    + "then --wasmtime DIR")
        }
        if !engines.contains(where: { $0.major > nodesMajor }) { missing.append("the newest wasmtime: \(installed)") }
        return (engines, missing)
    }

    /// What nodes run today.
    public static let nodesMajor = 36
    private var major: Int { version.split(separator: ".").first.flatMap { Int($0) } ?? 0 }

    // MARK: Calls

    /// Compiles an instrumented module.
    func load(_ wasm: [UInt8]) throws(BenchError) -> Module {
        modules += 1
        guard try ask("load \(modules) \(Hex.encode(wasm))") == "ok" else {
            throw .peer(name, "it does not take a module")
        }
        return Module(number: modules)
    }

    /// Calls an export with all the gas there is; arguments are slots, of which the first is an i32.
    func timed(
        _ module: Module, _ export: String, _ arguments: [UInt64], fresh: Bool
    ) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64) {
        let slots = arguments.enumerated().map { index, slot in
            index == 0 ? Int64(Int32(truncatingIfNeeded: slot)) : Int64(bitPattern: slot)
        }
        let words = ["run", "\(module.number)", export, fresh ? "1" : "0"] + slots.map { "\($0)" }
        let answer = try ask(words.joined(separator: " ")).split(separator: " ")
        guard answer.count == 3, let time = UInt64(answer[0]), let gas = Int64(answer[1]), let result = Int64(answer[2])
        else { throw .peer(name, "an answer that is none: \(answer.joined(separator: " "))") }
        return (time, gas, UInt64(bitPattern: result))
    }

    private func ask(_ line: String) throws(BenchError) -> String {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(requests, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .peer(name, "it is gone") }
            rest = rest.dropFirst(written)
        }
        guard let answer = PeerEngine.line(replies, descriptor: fileno(replies)) else {
            throw .peer(name, "it ended, or took longer than \(PeerEngine.patience) s")
        }
        if answer.hasPrefix("error ") { throw .peer(name, String(answer.dropFirst(6))) }
        return answer
    }

    // MARK: Process

    /// The next line; nil at the end, and when none comes. Answers are single lines, so nothing is left in the stream
    /// when the descriptor is looked at.
    private static func line(_ stream: UnsafeMutablePointer<FILE>, descriptor: Int32) -> String? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var ready = Glibc.poll(&poll, 1, patience * 1_000)
        while ready < 0, errno == EINTR { ready = Glibc.poll(&poll, 1, patience * 1_000) }
        guard ready > 0 else { return nil }
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        defer { free(text) }
        guard getline(&text, &size, stream) > 0, let text else { return nil }
        return String(String(cString: text).drop { $0 == " " }.prefix { $0 != "\n" })
    }

    private static func end(_ process: pid_t, _ requests: Int32, _ replies: UnsafeMutablePointer<FILE>) {
        close(requests)
        fclose(replies)
        kill(process, SIGKILL)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
    }

    private static func spawn(input: Int32, output: Int32, _ directory: String?) -> (process: pid_t, code: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        let script = String(decoding: PackageResources.wasmtime_peer_py, as: UTF8.self)
        let arguments: [String] = ["python3", "-c", script]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let kept = ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"].compactMap { (name: String) -> String? in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
        let path = directory ?? getenv("PYTHONPATH").map { String(cString: $0) }
        let settings: [String] = kept + (path.map { ["PYTHONPATH=\($0)"] } ?? [])
        var environment: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
        defer { for word in environment { free(word) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, "python3", &actions, nil, &words, &environment)
        return (process, code)
    }
}
