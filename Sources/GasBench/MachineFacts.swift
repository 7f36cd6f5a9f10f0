import CompilePool
import Glibc
import JSON
import Measuring
import Statistics

/// What a measurement was made on. Facts the system does not tell are nil.
public struct MachineFacts: Sendable {
    /// As `/proc/cpuinfo` names it.
    public var processor: String?
    /// The microcode's revision.
    public var microcode: String?
    /// Whether the processor says that it is a virtual machine's.
    public var isVirtual: Bool
    /// Processors that are on line.
    public var processors: Int
    /// The kernel's release.
    public var kernel: String?
    /// How the processor's clock is governed.
    public var governor: String?
    /// The thread clock's smallest step, in nanoseconds.
    public var clockResolution: UInt64
    /// What reading the thread clock takes, in nanoseconds.
    public var clockOverhead: Estimate
    /// The interquartile range of equal runs divided by their median.
    public var noise: Double
    /// The day and time of the measurement, UTC.
    public var date: String

    /// Looks, and measures clock and noise (some tens of milliseconds).
    public init() {
        let cpu = MachineFacts.text("/proc/cpuinfo")
        func field(_ name: String) -> String? {
            cpu.split(separator: "\n").first { $0.hasPrefix(name) }?.split(separator: ":", maxSplits: 1).last
                .map { String($0.drop { $0 == " " }) }
        }
        func line(_ path: String) -> String? {
            MachineFacts.text(path).split(separator: "\n").first.map(String.init)
        }
        processor = field("model name")
        microcode = field("microcode")
        isVirtual = field("flags")?.split(separator: " ").contains("hypervisor") ?? false
        processors = CompilePool.processors
        kernel = line("/proc/sys/kernel/osrelease")
        governor = line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        clockResolution = ThreadClock.resolution
        clockOverhead = ThreadClock.overhead()
        noise = ThreadClock.noise()
        date = MachineFacts.now()
    }

    /// A small file's text; empty when it cannot be read.
    private static func text(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        // Sound: at most as many bytes are written as the array has.
        let count = bytes.withUnsafeMutableBytes { fread($0.baseAddress, 1, $0.count, file) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// `2026-01-31T12:00:00Z`
    private static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }

    /// The facts as members of a report's `machine`.
    public var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        return .object([
            "processor": text(processor), "microcode": text(microcode), "virtual": .bool(isVirtual),
            "processors": .integer(processors), "kernel": text(kernel), "governor": text(governor),
            "clock": .string("CLOCK_THREAD_CPUTIME_ID"), "clock_resolution_ns": .integer(clockResolution),
            "clock_overhead_ns": clockOverhead.json, "noise": .decimal(noise), "date": .string(date),
        ])
    }
}
