import Primitives

/// A sparse array of CBOR values in blocks (FVM IPLD formats, "AMT", version 3: the root holds its bit width).
///
/// Nodes are read when they are first touched and kept. A change that fails leaves the array as it was: growing in
/// height leads to new nodes only, where nothing can be missing.
public final class Amt {
    /// Bit widths that are read; the actors use 2 to 6, and a wider node's empty slots would only cost memory.
    public static let bitWidths = 1...16
    /// The largest index: the count of a full array has to fit in 64 bits.
    public static let maxIndex = UInt64.max - 1

    private let store: any Blockstore
    private let bitWidth: Int
    private var height: Int
    /// Number of values.
    public private(set) var count: UInt64
    private var root: AmtNode

    /// An empty array.
    ///
    /// - Precondition: `bitWidth` is in `bitWidths`; it is a constant of the schema, never input.
    public init(store: any Blockstore, bitWidth: Int) {
        precondition(Amt.bitWidths.contains(bitWidth), "amt bit width")
        self.store = store
        self.bitWidth = bitWidth
        height = 0
        count = 0
        root = .emptyLeaf(bitWidth: bitWidth)
    }

    /// The array under `root`, whose block is read now.
    public init(root cid: Cid, store: any Blockstore) throws(IPLDError) {
        self.store = store
        let block = try store.cborBlock(cid)
        do {
            var reader = CborReader(block)
            try reader.tuple(4)
            let width: UInt64 = try reader.unsigned()
            guard width <= UInt64(Amt.bitWidths.upperBound), Amt.bitWidths.contains(Int(width)) else {
                throw IPLDError.malformed(cid, "amt bit width \(width)")
            }
            bitWidth = Int(width)
            let height: UInt64 = try reader.unsigned()
            guard height <= 64 / width else { throw IPLDError.malformed(cid, "amt height \(height)") }
            self.height = Int(height)
            count = try reader.unsigned()
            root = try AmtNode(&reader, cid: cid, bitWidth: bitWidth, height: self.height)
            try reader.finish()
        } catch let error as IPLDError {
            throw error
        } catch let error as CborError {
            throw .cbor(cid, error)
        } catch {
            throw .malformed(cid, "unreadable")
        }
    }

    /// Whether `index` is below the capacity width^(height + 1).
    private func covers(_ index: UInt64, height: Int) -> Bool {
        let bits = bitWidth * (height + 1)
        return bits >= 64 || index >> UInt64(bits) == 0
    }

    private func slot(_ index: UInt64, height: Int) -> Int {
        let shift = bitWidth * height
        return shift >= 64 ? 0 : Int(index >> UInt64(shift) & (1 << UInt64(bitWidth) - 1))
    }

    private func load(_ cid: Cid, height: Int) throws(IPLDError) -> AmtNode {
        let block = try store.cborBlock(cid)
        do {
            var reader = CborReader(block)
            let node = try AmtNode(&reader, cid: cid, bitWidth: bitWidth, height: height)
            try reader.finish()
            return node
        } catch let error as IPLDError {
            throw error
        } catch let error as CborError {
            throw .cbor(cid, error)
        } catch {
            throw .malformed(cid, "unreadable")
        }
    }

    /// The child in a slot of an inner node at `height`; read once.
    private func child(_ node: AmtNode, _ slot: Int, height: Int) throws(IPLDError) -> AmtNode? {
        guard case .inner(var links) = node.content else { return nil }
        switch links[slot] {
        case nil: return nil
        case .loaded(_, let child), .dirty(let child): return child
        case .link(let cid):
            let child = try load(cid, height: height - 1)
            links[slot] = .loaded(cid, child)
            node.content = .inner(links)
            return child
        }
    }

    /// The CBOR value at `index`, or nil when there is none.
    public func get(_ index: UInt64) throws(IPLDError) -> ArraySlice<UInt8>? {
        guard covers(index, height: height) else { return nil }
        var node = root
        for level in (0...height).reversed() {
            let slot = slot(index, height: level)
            if case .leaf(let values) = node.content { return values[slot] }
            guard let next = try child(node, slot, height: level) else { return nil }
            node = next
        }
        return nil
    }

    /// Puts `value`, one item of canonical CBOR, at `index`.
    public func set(_ index: UInt64, _ value: [UInt8]) throws(IPLDError) {
        guard index <= Amt.maxIndex else { throw .index(index) }
        while !covers(index, height: height) {
            let top = AmtNode.emptyInner(bitWidth: bitWidth)
            if !root.isEmpty, case .inner(var links) = top.content {
                links[0] = .dirty(root)
                top.content = .inner(links)
            }
            root = top
            height += 1
        }
        if try set(index, value[...], root, height: height) { count += 1 }
    }

    /// Returns whether the slot was empty.
    private func set(
        _ index: UInt64, _ value: ArraySlice<UInt8>, _ node: AmtNode, height: Int
    ) throws(IPLDError) -> Bool {
        let slot = slot(index, height: height)
        if case .leaf(var values) = node.content {
            let added = values[slot] == nil
            values[slot] = value
            node.content = .leaf(values)
            return added
        }
        let next =
            try child(node, slot, height: height)
            ?? (height == 1 ? AmtNode.emptyLeaf(bitWidth: bitWidth) : AmtNode.emptyInner(bitWidth: bitWidth))
        let added = try set(index, value, next, height: height - 1)
        if case .inner(var links) = node.content {
            links[slot] = .dirty(next)
            node.content = .inner(links)
        }
        return added
    }

    /// Removes the value at `index`; one that is not there changes nothing.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func delete(_ index: UInt64) throws(IPLDError) -> Bool {
        guard covers(index, height: height), try remove(index, root, height: height) else { return false }
        count = count == 0 ? 0 : count - 1
        if root.isEmpty {
            height = 0
            root = .emptyLeaf(bitWidth: bitWidth)
            return true
        }
        while height > 0, let only = root.onlyFirst {
            switch only {
            case .loaded(_, let child), .dirty(let child): root = child
            case .link(let cid): root = try load(cid, height: height - 1)
            }
            height -= 1
        }
        return true
    }

    private func remove(_ index: UInt64, _ node: AmtNode, height: Int) throws(IPLDError) -> Bool {
        let slot = slot(index, height: height)
        if case .leaf(var values) = node.content {
            guard values[slot] != nil else { return false }
            values[slot] = nil
            node.content = .leaf(values)
            return true
        }
        guard let next = try child(node, slot, height: height), try remove(index, next, height: height - 1) else {
            return false
        }
        if case .inner(var links) = node.content {
            links[slot] = next.isEmpty ? nil : .dirty(next)
            node.content = .inner(links)
        }
        return true
    }

    /// Calls `body` with each index and CBOR value in ascending order; reads every node.
    public func visit(
        _ body: (_ index: UInt64, _ value: ArraySlice<UInt8>) throws(IPLDError) -> Void
    ) throws(IPLDError) {
        try visit(root, height: height, first: 0, body)
    }

    private func visit(
        _ node: AmtNode, height: Int, first: UInt64,
        _ body: (UInt64, ArraySlice<UInt8>) throws(IPLDError) -> Void
    ) throws(IPLDError) {
        switch node.content {
        case .leaf(let values):
            for (slot, value) in values.enumerated() {
                if let value { try body(first &+ UInt64(slot), value) }
            }
        case .inner(let links):
            let shift = UInt64(bitWidth * height)
            for (slot, link) in links.enumerated() {
                guard let link else { continue }
                // Bits beyond 64 belong to slots that no index has.
                guard shift < 64, UInt64(slot) <= UInt64.max >> shift else { throw .index(.max) }
                let start = first &+ UInt64(slot) << shift
                switch link {
                case .loaded(_, let child), .dirty(let child):
                    try visit(child, height: height - 1, first: start, body)
                case .link(let cid):
                    try visit(try load(cid, height: height - 1), height: height - 1, first: start, body)
                }
            }
        }
    }

    /// Writes every changed node, children first, and returns the root's CID.
    public func flush() throws(IPLDError) -> Cid {
        try flushChildren(root)
        var writer = CborWriter(capacity: 1024)
        writer.array(4)
        writer.unsigned(UInt64(bitWidth))
        writer.unsigned(UInt64(height))
        writer.unsigned(count)
        root.write(to: &writer, bitWidth: bitWidth)
        return try store.putCbor(writer.bytes)
    }

    private func flushChildren(_ node: AmtNode) throws(IPLDError) {
        guard case .inner(var links) = node.content else { return }
        for (slot, link) in links.enumerated() {
            guard case .dirty(let child)? = link else { continue }
            try flushChildren(child)
            var writer = CborWriter(capacity: 1024)
            child.write(to: &writer, bitWidth: bitWidth)
            links[slot] = .loaded(try store.putCbor(writer.bytes), child)
        }
        node.content = .inner(links)
    }
}
