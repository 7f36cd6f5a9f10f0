/// Values that stay as long as they are asked for again and again.
public struct RecentlyAsked<Key: Hashable, Value> {
    private struct Entry {
        var value: Value
        var asked: ContinuousClock.Instant
    }

    private var entries: [Key: Entry] = [:]
    /// When it was last looked for what nobody asks for.
    private var looked: ContinuousClock.Instant
    private let patience: Duration?

    /// - Parameter patience: how long a value stays without being asked for, at least; nil is for ever.
    public init(patience: Duration?, now: ContinuousClock.Instant) {
        self.patience = patience
        looked = now
    }

    /// The value of a key, if there is one, and those that nobody asked for in a long time, which are here no more.
    public mutating func ask(_ key: Key, _ now: ContinuousClock.Instant) -> (value: Value?, gone: [Value]) {
        entries[key]?.asked = now
        let value = entries[key]?.value
        // Going through all of them costs more than asking for one.
        guard let patience, now - looked > patience / 4 else { return (value, []) }
        looked = now
        let gone = entries.filter { now - $0.value.asked > patience }
        for key in gone.keys { entries[key] = nil }
        return (value, gone.values.map(\.value))
    }

    /// Sets the value of a key, in the place of an earlier one.
    public mutating func set(_ key: Key, _ value: Value, _ now: ContinuousClock.Instant) {
        entries[key] = Entry(value: value, asked: now)
    }

    /// Replaces the value of a key that has one, which is no asking.
    ///
    /// - Returns: whether it had one.
    @discardableResult
    public mutating func replace(_ key: Key, _ value: Value) -> Bool {
        guard entries[key] != nil else { return false }
        entries[key]?.value = value
        return true
    }
}

/// How long code stays that nobody asks for: twenty epochs.
public let codePatience: Duration = .seconds(600)
