/// A dictionary whose changes inside a transaction can be taken back.
///
/// Transactions nest: the one begun last ends first. Outside of any transaction changes are final and
/// nothing is recorded. The order of entries is never visible.
public struct HistoryMap<Key: Hashable, Value> {
    private var entries: [Key: Value] = [:]
    /// What each change replaced, oldest first; empty outside of transactions.
    private var replaced: [(key: Key, value: Value?)] = []
    /// Length of `replaced` when each open transaction began.
    private var marks: [Int] = []

    public init() {}

    /// How many transactions are open.
    public var depth: Int { marks.count }

    public subscript(key: Key) -> Value? {
        get { entries[key] }
        set {
            let old = entries[key]
            entries[key] = newValue
            if !marks.isEmpty { replaced.append((key, old)) }
        }
    }

    public mutating func begin() { marks.append(replaced.count) }

    /// Ends the innermost transaction, keeping its changes or taking them back; without one nothing happens.
    public mutating func end(revert: Bool) {
        guard let mark = marks.popLast() else { return }
        if revert {
            while replaced.count > mark, let change = replaced.popLast() { entries[change.key] = change.value }
        } else if marks.isEmpty {
            replaced.removeAll(keepingCapacity: true)
        }
    }

    /// The keys whose values satisfy `condition`, ascending.
    public func sortedKeys(where condition: (Value) -> Bool) -> [Key] where Key: Comparable {
        entries.filter { condition($0.value) }.keys.sorted()
    }
}
