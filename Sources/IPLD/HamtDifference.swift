import Primitives

/// A key that two maps do not have with the same value.
public struct HamtDifference: Sendable, Equatable {
    public var key: [UInt8]
    /// nil where the first map does not have the key.
    public var first: [UInt8]?
    /// nil where the second map does not have the key.
    public var second: [UInt8]?
}

extension Hamt {
    /// Where two maps of one bit width differ, in the order of the tree. Reads only nodes that differ, so partial trees
    /// will do. Both maps are as they were flushed last.
    public static func differences(_ first: Hamt, _ second: Hamt) throws(IPLDError) -> [HamtDifference] {
        var found: [HamtDifference] = []
        try first.compare(first.root, second, second.root, &found)
        return found
    }

    private func compare(
        _ mine: HamtNode, _ other: Hamt, _ theirs: HamtNode, _ found: inout [HamtDifference]
    ) throws(IPLDError) {
        for slot in 0..<(1 << bitWidth) {
            switch (Self.side(mine, slot), Self.side(theirs, slot)) {
            case (.child(let left), .child(let right)):
                if left == right { continue }
                try compare(node(left), other, other.node(right), &found)
            case (let left, let right):
                try compare(pairs(left), other.pairs(right), &found)
            }
        }
    }

    /// What a slot holds.
    private enum Side {
        case child(Cid)
        case pairs([HamtPair])
    }

    private static func side(_ node: HamtNode, _ slot: Int) -> Side {
        guard node.bitfield[slot] else { return .pairs([]) }
        switch node.opened(node.pointers[node.bitfield.rank(slot)]) {
        case .link(let cid), .loaded(let cid, _): return .child(cid)
        case .bucket(let pairs): return .pairs(pairs)
        // Flushed maps have no changed nodes, and `opened` leaves nothing stored.
        case .dirty, .stored: return .pairs([])
        }
    }

    private func pairs(_ side: Side) throws(IPLDError) -> [HamtPair] {
        switch side {
        case .pairs(let pairs): return pairs
        case .child(let cid):
            var all: [HamtPair] = []
            let child = try node(cid)
            for slot in 0..<(1 << bitWidth) { all += try pairs(Self.side(child, slot)) }
            return all
        }
    }

    private func compare(
        _ left: [HamtPair], _ right: [HamtPair], _ found: inout [HamtDifference]
    ) throws(IPLDError) {
        var rest = Dictionary(right.map { (Array($0.key), Array($0.value)) }) { $1 }
        for pair in left {
            let key = Array(pair.key)
            let other = rest.removeValue(forKey: key)
            if other != Array(pair.value) {
                found.append(HamtDifference(key: key, first: Array(pair.value), second: other))
            }
        }
        for pair in right {
            let key = Array(pair.key)
            if let value = rest[key] { found.append(HamtDifference(key: key, first: nil, second: value)) }
        }
    }
}
