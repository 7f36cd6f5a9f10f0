import Glibc

/// What the kernel says of other processes.
enum ProcessTable {
    static func firstChild(of process: pid_t) -> pid_t? {
        text("/proc/\(process)/task/\(process)/children").split(separator: " ").first.flatMap { pid_t($0) }
    }

    static func residentPages(of process: pid_t) -> UInt64 {
        let fields = text("/proc/\(process)/statm").split(separator: " ")
        return fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0
    }

    static func isStopped(_ process: pid_t) -> Bool {
        // The number, the name in parentheses (which may contain any), the state.
        let status = text("/proc/\(process)/stat")
        guard let end = status.lastIndex(of: ")") else { return false }
        return status[end...].dropFirst(2).first == "T"
    }

    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }
}

/// Time that passed while this process could run: what it slept through (stopped from a terminal, a suspended
/// machine) is nobody's silence.
struct AwakeTime {
    private(set) var seconds = 0.0
    private var last = WorkerProcess.now

    /// Called several times a second; a longer gap counts as one second.
    mutating func advance() {
        let now = WorkerProcess.now
        seconds += min(now - last, 1)
        last = now
    }

    mutating func restart() { self = AwakeTime() }
}
