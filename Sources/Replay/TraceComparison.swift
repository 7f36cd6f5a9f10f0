import JSON
import Kernel

/// The first place where a trace departs from a golden one.
public struct TraceDifference: Sendable, Equatable {
    /// Counted from 1 in the golden file.
    public var line: Int
    /// Index of the message.
    public var message: Int
    /// How many charges of that message came before.
    public var charges: Int
    /// The golden line; nil when the golden trace has ended.
    public var expected: String?
    /// The line of this run; nil when it has ended.
    public var got: String?
}

/// Compares a trace line by line with a golden one, as it comes, up to the first difference.
struct TraceComparison {
    private let golden: [UInt8]
    private var offset = 0
    private var line = 0
    private var message = 0
    private var charges = 0
    private(set) var difference: TraceDifference?

    init(golden: [UInt8]) { self.golden = golden }

    /// - Parameter line: the line that starts the message's trace.
    mutating func begin(message index: Int, line: [UInt8]) {
        message = index
        charges = 0
        compare(line)
    }

    /// - Parameter line: the event as a line.
    mutating func compare(_ line: [UInt8], _ event: TraceEvent) {
        guard difference == nil else { return }
        compare(line)
        if case .charge = event { charges += 1 }
    }

    /// To be called after the last line: the golden trace must be at its end, too.
    mutating func finish() {
        guard difference == nil, let expected = nextLine() else { return }
        note(expected: expected, got: nil)
    }

    private mutating func compare(_ got: [UInt8]) {
        guard difference == nil else { return }
        let got = got.last == UInt8(ascii: "\n") ? got[..<(got.count - 1)] : got[...]
        guard let expected = nextLine() else { return note(expected: nil, got: got) }
        if !Self.equal(expected, got) { note(expected: expected, got: got) }
    }

    private mutating func nextLine() -> ArraySlice<UInt8>? {
        guard offset < golden.count else { return nil }
        let end = golden[offset...].firstIndex(of: UInt8(ascii: "\n")) ?? golden.count
        defer {
            offset = end + 1
            line += 1
        }
        return golden[offset..<end]
    }

    private mutating func note(expected: ArraySlice<UInt8>?, got: ArraySlice<UInt8>?) {
        difference = TraceDifference(
            line: expected == nil ? line + 1 : line, message: message, charges: charges,
            expected: expected.map { String(decoding: $0, as: UTF8.self) },
            got: got.map { String(decoding: $0, as: UTF8.self) })
    }

    private static let errorLine = Array(#"["error","#.utf8)

    /// Lines are equal byte for byte, but for the text of an error, which is for people.
    private static func equal(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        if left == right { return true }
        guard left.starts(with: errorLine), right.starts(with: errorLine),
            let left = try? JSON.parse(Array(left)).array, let right = try? JSON.parse(Array(right)).array
        else { return false }
        return left.count == right.count && left.prefix(2) == right.prefix(2)
    }
}
