import SeededRandom

/// Choices of which equal seeds give equal ones on every machine.
public struct FuzzRandom: RandomNumberGenerator, Sendable {
    private var generator: SplitMix64

    public init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    public mutating func next() -> UInt64 { generator.next() }

    /// A number from 0 to `count` - 1; 0 when `count` is not positive.
    mutating func below(_ count: Int) -> Int { count <= 1 ? 0 : Int(next() % UInt64(count)) }

    /// Whether something with this chance in a hundred happens.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// One of the items, or nil when there are none.
    mutating func pick<Items: RandomAccessCollection>(_ items: Items) -> Items.Element? {
        items.isEmpty ? nil : items[items.index(items.startIndex, offsetBy: below(items.count))]
    }
}
