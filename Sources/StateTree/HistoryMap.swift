/// A dictionary whose changes inside a transaction can be taken back.
///
/// Transactions nest: the one begun last ends first. Outside of any transaction changes are final and
/// nothing is recorded. The order of entries is never visible.
///
/// Open to other modules' optimizers: not specialized for its key, each access looks types up at run time.
public struct HistoryMap<Key: Hashable, Value> {
    @usableFromInline var entries: [Key: Value] = [:]
    /// What each change replaced, oldest first; empty outside of transactions.
    @usableFromInline var replaced: [(key: Key, value: Value?)] = []
    /// Length of `replaced` when each open transaction began.
    @usableFromInline var marks: [Int] = []

    @inlinable public init() {}

    /// How many transactions are open.
    @inlinable public var depth: Int { marks.count }

    @inlinable public subscript(key: Key) -> Value? {
        get { entries[key] }
        set {
            let old =
                if let newValue { entries.updateValue(newValue, forKey: key) } else { entries.removeValue(forKey: key) }
            if !marks.isEmpty { replaced.append((key, old)) }
        }
    }

    @inlinable public mutating func begin() { marks.append(replaced.count) }

    /// Ends the innermost transaction, keeping its changes or taking them back; without one nothing happens.
    @inlinable public mutating func end(revert: Bool) {
        guard let mark = marks.popLast() else { return }
        if revert {
            while replaced.count > mark, let change = replaced.popLast() { entries[change.key] = change.value }
        } else if marks.isEmpty {
            replaced.removeAll(keepingCapacity: true)
        }
    }

    /// The keys whose values satisfy `condition`, ascending.
    @inlinable public func sortedKeys(where condition: (Value) -> Bool) -> [Key] where Key: Comparable {
        entries.filter { condition($0.value) }.keys.sorted()
    }
}
