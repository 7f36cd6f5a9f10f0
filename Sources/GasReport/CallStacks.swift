import JSON
import Kernel
import Measuring

/// A message's spans by call stack, for flame graphs: by gas, by time, and both in one file.
public struct CallStacks: Sendable {
    /// A stack, outermost first, with all that was spent with it on top.
    struct Entry {
        var stack: [String]
        /// Milligas for computing and everything else.
        var compute: UInt64
        var other: UInt64
        var nanoseconds: Double
    }

    let entries: [Entry]
    private let title: String

    /// - Parameter functions: what guest code's boxes are divided into.
    public init(_ message: MeasuredMessage, functions: [FunctionProfile.Row] = []) {
        let timeline = message.timeline
        title = "\(message.vector), message \(message.index)"
        var paths: [[String]] = []
        for frame in timeline.frames { paths.append((frame.parent.map { paths[$0] } ?? []) + [frame.title]) }
        var places: [[String]: Int] = [:]
        var entries: [Entry] = []
        let divided = Dictionary(grouping: functions, by: \.frame)
        for (frame, rows) in divided.sorted(by: { $0.key < $1.key }) {
            for row in rows where row.milligas > 0 || row.nanoseconds > 0 {
                entries.append(
                    Entry(
                        stack: paths[frame] + ["wasm_exec", row.function], compute: row.milligas, other: 0,
                        nanoseconds: row.nanoseconds))
            }
        }
        for (span, time) in zip(timeline.spans, message.times) where span.source != .stage(.codeLoading) {
            let isGuest = span.source.name == "wasm_exec" || span.source.name == "wasm_memory_grow"
            if isGuest, let frame = span.frame, divided[frame] != nil { continue }
            var stack = span.frame.map { paths[$0] } ?? []
            if let syscall = span.syscall { stack.append(timeline.syscalls[syscall]) }
            stack.append(span.source.name)
            let place = places[stack] ?? entries.count
            if place == entries.count {
                places[stack] = place
                entries.append(Entry(stack: stack, compute: 0, other: 0, nanoseconds: 0))
            }
            entries[place].compute = entries[place].compute.addingSaturating(span.compute)
            entries[place].other = entries[place].other.addingSaturating(span.other)
            entries[place].nanoseconds += time
        }
        self.entries = entries
    }

    /// What a flame graph's widths are.
    public enum Weight: String, Sendable, CaseIterable {
        /// Milligas, computing and other together.
        case gas
        /// Nanoseconds.
        case time
    }

    /// Folded stacks, as flame graph programs read them: `outer;inner WEIGHT`, a line a stack, none without weight.
    public func folded(by weight: Weight) -> String {
        entries.compactMap { entry in
            let value = self.value(entry, weight)
            guard value > 0 else { return nil }
            return entry.stack.map(Self.word).joined(separator: ";") + " \(value)"
        }.joined(separator: "\n")
    }

    /// Two profiles, by gas and by time, in the file format of speedscope.
    public var speedscope: JSONValue {
        var frames: [String: Int] = [:]
        var names: [JSONValue] = []
        let stacks = entries.map { entry in
            JSONValue.array(
                entry.stack.map { name in
                    let index = frames[name] ?? names.count
                    if index == names.count {
                        frames[name] = index
                        names.append(.object(["name": .string(name)]))
                    }
                    return .integer(index)
                })
        }
        func profile(_ weight: Weight) -> JSONValue {
            let values = entries.map { value($0, weight) }
            return .object([
                "type": .string("sampled"), "name": .string(weight == .gas ? "gas (milligas)" : "time"),
                "unit": .string(weight == .gas ? "none" : "nanoseconds"), "startValue": .integer(0),
                "endValue": .integer(values.reduce(0, +)), "samples": .array(stacks),
                "weights": .array(values.map { .integer($0) }),
            ])
        }
        return .object([
            "$schema": .string("https://www.speedscope.app/file-format-schema.json"),
            "name": .string(title), "exporter": .string("smelt gas trace"), "activeProfileIndex": .integer(0),
            "shared": .object(["frames": .array(names)]),
            "profiles": .array(Weight.allCases.map(profile)),
        ])
    }

    private func value(_ entry: Entry, _ weight: Weight) -> UInt64 {
        switch weight {
        case .gas: entry.compute.addingSaturating(entry.other)
        case .time: UInt64(max(0, entry.nanoseconds).rounded())
        }
    }

    /// Semicolons separate frames and a space the weight.
    private static func word(_ name: String) -> String {
        String(name.map { $0 == ";" || $0 == " " || $0 == "\n" ? "_" : $0 })
    }
}
