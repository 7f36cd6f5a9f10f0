/// What guests read, write and compare, for code that was translated to be watched. Used on one thread.
public final class GuestWatch {
    /// Bytes of a page that is marked when it is written.
    public static let pageSize = 4_096
    private static let shift: UInt64 = 12
    private static let mostReads = 2_048
    private static let places = 1 << 16
    /// Words of a range that are noted one by one.
    private static let mostWords: UInt64 = 4_096
    private static let mostComparisons = 2_048

    /// Two numbers that were compared and were not equal.
    public struct Comparison: Sendable, Hashable {
        public var first: UInt64
        public var second: UInt64
    }

    private let pageCount: Int
    /// Sound, all: indices are compared with what is allocated, and `deinit` frees it.
    private let marks: UnsafeMutablePointer<UInt8>
    private let addresses: UnsafeMutablePointer<UInt32>
    /// By word of memory, as far as words do not share a place: in which turn it was last written, and read.
    private let written: UnsafeMutablePointer<UInt32>
    private let read: UnsafeMutablePointer<UInt32>
    private var turn: UInt32 = 1
    private let compared: UnsafeMutablePointer<Comparison>
    private var readCount = 0
    private var comparisonCount = 0

    /// - Parameter bytes: the most a memory may have.
    public init(bytes: UInt64) {
        pageCount = Int(bytes >> Self.shift) + 1
        marks = .allocate(capacity: pageCount)
        marks.initialize(repeating: 0, count: pageCount)
        addresses = .allocate(capacity: Self.mostReads)
        addresses.initialize(repeating: 0, count: Self.mostReads)
        written = .allocate(capacity: Self.places)
        written.initialize(repeating: 0, count: Self.places)
        read = .allocate(capacity: Self.places)
        read.initialize(repeating: 0, count: Self.places)
        compared = .allocate(capacity: Self.mostComparisons)
        compared.initialize(repeating: Comparison(first: 0, second: 0), count: Self.mostComparisons)
    }

    deinit {
        marks.deallocate()
        addresses.deallocate()
        written.deallocate()
        read.deallocate()
        compared.deallocate()
    }

    // MARK: What happens

    /// A load is about to take its address from below `top`.
    func load(_ top: UnsafeMutablePointer<UInt64>, offset: UInt64) {
        guard readCount < Self.mostReads else { return }
        let address = UInt32(slot: top[-1]) &+ UInt32(truncatingIfNeeded: offset)
        let place = Self.place(UInt64(address))
        guard written[place] != turn, read[place] != turn else { return }
        read[place] = turn
        addresses[readCount] = address
        readCount += 1
    }

    /// A store of at most eight bytes is about to take value and address from below `top`. Whether it will trap does not
    /// matter: a page too many may be marked, not one too few.
    func store(_ top: UnsafeMutablePointer<UInt64>, offset: UInt64) {
        let address = UInt64(UInt32(slot: top[-2])) &+ offset
        mark(page: address >> Self.shift)
        mark(page: (address &+ 7) >> Self.shift)
        written[Self.place(address)] = turn
        written[Self.place(address &+ 7)] = turn
    }

    /// Two numbers are about to be compared.
    func compare(_ top: UnsafeMutablePointer<UInt64>, isNarrow: Bool) {
        let mask: UInt64 = isNarrow ? 0xFFFF_FFFF : .max
        let (first, second) = (top[-2] & mask, top[-1] & mask)
        guard first != second, comparisonCount < Self.mostComparisons else { return }
        compared[comparisonCount] = Comparison(first: first, second: second)
        comparisonCount += 1
    }

    /// A range is written.
    public func write(_ range: Range<UInt64>) {
        guard !range.isEmpty else { return }
        for page in range.lowerBound >> Self.shift...(range.upperBound - 1) >> Self.shift { mark(page: page) }
        for word in range.lowerBound >> 2...min((range.upperBound - 1) >> 2, (range.lowerBound >> 2) + Self.mostWords) {
            written[Self.place(word << 2)] = turn
        }
    }

    private static func place(_ address: UInt64) -> Int { Int((address >> 2) & UInt64(places - 1)) }

    private func mark(page: UInt64) {
        if page < UInt64(pageCount) { marks[Int(page)] = 1 }
    }

    // MARK: What happened

    /// Forgets reads and comparisons.
    public func reset() {
        readCount = 0
        comparisonCount = 0
        turn &+= 1
    }

    /// The different addresses that were read since then and not written before, as far as there was room, in their
    /// order; nearly all of them.
    public var reads: [UInt32] { (0..<readCount).map { addresses[$0] } }

    /// The different comparisons, likewise.
    public var comparisons: [Comparison] {
        var seen: Set<Comparison> = []
        return (0..<comparisonCount).map { compared[$0] }.filter { seen.insert($0).inserted }
    }

    /// The pages written since the last time this was asked, ascending, of a memory with `bytes`.
    public func takeWrites(within bytes: UInt64) -> [Int] {
        var pages: [Int] = []
        for page in 0..<min(pageCount, Int((bytes + 4_095) >> Self.shift)) where marks[page] != 0 {
            pages.append(page)
            marks[page] = 0
        }
        return pages
    }
}

/// What an operation in watched code announces of the next one.
enum Watched {
    static let comparison: UInt32 = 0
    static let narrowComparison: UInt32 = 1
    static let load: UInt32 = 2
    static let store: UInt32 = 3

    /// nil for an operation that nobody looks at.
    static func kind(of operation: Operation) -> UInt32? {
        switch operation.rawValue {
        case Operation.i32Load.rawValue...Operation.i64Load32U.rawValue: load
        case Operation.i32Store.rawValue...Operation.i64Store32.rawValue: store
        case Operation.i32Eq.rawValue...Operation.i32GeU.rawValue: narrowComparison
        case Operation.i64Eq.rawValue...Operation.i64GeU.rawValue: comparison
        default: nil
        }
    }
}

extension GuestWatch {
    /// Sees an operation that was announced.
    func note(_ announcement: UnsafePointer<Op>, _ top: UnsafeMutablePointer<UInt64>) {
        let offset = announcement.pointee.bits
        switch announcement.pointee.a {
        case Watched.load: load(top, offset: offset)
        case Watched.store: store(top, offset: offset)
        case let kind: compare(top, isNarrow: kind == Watched.narrowComparison)
        }
    }
}
