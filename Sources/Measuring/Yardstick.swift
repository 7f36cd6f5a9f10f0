/// Fixed work that no compiler of Smelt made: what it takes now says how fast the machine is now.
///
/// Neighbours slow work down that misses branches and caches, and hardly any that computes in one chain: a yardstick
/// levels what is like itself, and makes everything else worse.
public struct Yardstick: Sendable {
    /// What the work is like.
    public enum Work: Sendable {
        /// One chain of operations on a number, which follows the processor's clock and nothing else.
        case arithmetic
        /// Sorts random numbers, and walks through half a megabyte at a tenth of the weight: of several kinds of work
        /// tried beside the messages of a report this followed them best (on a busy virtual machine it took two thirds
        /// of the differences between rounds away).
        case host
    }

    private static let numbers = 512
    private static let lines: UInt32 = 1 << 17
    private static let steps = 4_000
    private static let operations = 20_000

    private let work: Work
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var place: UInt32 = 0
    /// By place, the next one: a cycle through all of them whose order no prefetcher guesses.
    private let cycle: [UInt32]
    /// What came of the work, so that none of it can be left out.
    public private(set) var checksum: UInt64 = 0

    public init(_ work: Work) {
        self.work = work
        cycle =
            work == .arithmetic
            ? [] : (0..<Yardstick.lines).map { ($0 &* 1_664_525 &+ 1_013_904_223) & (Yardstick.lines - 1) }
    }

    /// What it takes now, in nanoseconds of processor time: of each part the least of three runs, as one may be
    /// disturbed. Some 200 µs.
    public mutating func measure() -> Double {
        switch work {
        case .arithmetic: max(1, least { $0.compute() })
        case .host: max(1, least { $0.sort() } + least { $0.walk() } / 10)
        }
    }

    private mutating func least(_ part: (inout Yardstick) -> Void) -> Double {
        var least = UInt64.max
        for _ in 0..<3 {
            let start = ThreadClock.now
            part(&self)
            least = min(least, ThreadClock.now &- start)
        }
        return Double(least)
    }

    private mutating func compute() {
        for _ in 0..<Yardstick.operations { step() }
        checksum &+= state
    }

    private mutating func step() {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
    }

    private mutating func sort() {
        var values = [UInt32](repeating: 0, count: Yardstick.numbers)
        for index in values.indices {
            step()
            values[index] = UInt32(truncatingIfNeeded: state)
        }
        values.sort()
        checksum &+= UInt64(values[Yardstick.numbers / 2])
    }

    private mutating func walk() {
        for _ in 0..<Yardstick.steps { place = cycle[Int(place)] }
        checksum &+= UInt64(place)
    }
}
