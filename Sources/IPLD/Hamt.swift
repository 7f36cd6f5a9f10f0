import Primitives

/// A map from byte-string keys to CBOR values in blocks: the HAMT of Filecoin's state (FVM IPLD formats, "HAMT",
/// version 3 nodes, SHA-256, buckets of 3). What it flushes to is a function of its content alone.
///
/// Nodes are read when they are first touched and kept; so a tree with missing nodes works as long as they are not
/// needed. A change that fails leaves the map as it was.
public final class Hamt {
    /// Bit widths that nodes can have.
    public static let bitWidths = 1...8

    private let store: any Blockstore
    let bitWidth: Int
    private let values: HamtValues
    private(set) var root: HamtNode
    /// The root's CID while nothing differs from it.
    private var rootCid: Cid?

    /// An empty map.
    ///
    /// - Precondition: `bitWidth` is in `bitWidths`; it is a constant of the schema, never input.
    public init(store: any Blockstore, bitWidth: Int = 5, values: HamtValues = .any) {
        precondition(Hamt.bitWidths.contains(bitWidth), "hamt bit width")
        self.store = store
        self.bitWidth = bitWidth
        self.values = values
        root = HamtNode()
    }

    /// The map under `root`, whose block is read now.
    public init(
        root cid: Cid, store: any Blockstore, bitWidth: Int = 5, values: HamtValues = .any
    ) throws(IPLDError) {
        precondition(Hamt.bitWidths.contains(bitWidth), "hamt bit width")
        self.store = store
        self.bitWidth = bitWidth
        self.values = values
        root = try HamtNode(try store.cborBlock(cid), cid: cid, bitWidth: bitWidth, values: values, isRoot: true)
        rootCid = cid
    }

    /// A node below the root, read anew.
    func node(_ cid: Cid) throws(IPLDError) -> HamtNode {
        try HamtNode(try store.cborBlock(cid), cid: cid, bitWidth: bitWidth, values: values, isRoot: false)
    }

    /// The child behind a pointer; read once.
    private func child(_ node: HamtNode, _ place: Int) throws(IPLDError) -> HamtNode? {
        switch node.pointers[place] {
        case .loaded(_, let child), .dirty(let child): return child
        case .bucket: return nil
        case .stored, .link:
            guard let cid = node.link(place) else { return nil }
            let child = try self.node(cid)
            node.pointers[place] = .loaded(cid, child)
            return child
        }
    }

    /// The CBOR value of `key`, or nil when there is none.
    public func get(_ key: [UInt8]) throws(IPLDError) -> ArraySlice<UInt8>? {
        let path = HamtPath(key[...], bitWidth: bitWidth)
        var node = root
        var level = 0
        while true {
            let slot = try path.slot(level)
            guard node.bitfield[slot] else { return nil }
            let place = node.bitfield.rank(slot)
            if case .value(let value) = node.search(place, key) { return value }
            guard let next = try child(node, place) else { return nil }
            node = next
            level += 1
        }
    }

    /// Gives `key` the value `value`, one item of canonical CBOR. An equal value changes nothing.
    ///
    /// - Returns: whether the map changed.
    @discardableResult
    public func set(_ key: [UInt8], _ value: [UInt8]) throws(IPLDError) -> Bool {
        let pair = HamtPair(key: key[...], value: value[...])
        let changed = try insert(pair, HamtPath(pair.key, bitWidth: bitWidth), root, level: 0)
        if changed { rootCid = nil }
        return changed
    }

    private func insert(_ pair: HamtPair, _ path: HamtPath, _ node: HamtNode, level: Int) throws(IPLDError) -> Bool {
        let slot = try path.slot(level)
        let place = node.bitfield.rank(slot)
        guard node.bitfield[slot] else {
            node.bitfield[slot] = true
            node.pointers.insert(.bucket([pair]), at: place)
            return true
        }
        guard case .bucket(var pairs) = node.opened(node.pointers[place]) else {
            guard let child = try child(node, place) else { return false }
            let changed = try insert(pair, path, child, level: level + 1)
            if changed { node.pointers[place] = .dirty(child) }
            return changed
        }
        if let same = pairs.firstIndex(where: { $0.key == pair.key }) {
            guard pairs[same].value != pair.value else { return false }
            pairs[same].value = pair.value
            node.pointers[place] = .bucket(pairs)
            return true
        }
        if pairs.count < HamtNode.bucketSize {
            let index = pairs.firstIndex { pair.key.lexicographicallyPrecedes($0.key) } ?? pairs.count
            pairs.insert(pair, at: index)
            node.pointers[place] = .bucket(pairs)
            return true
        }
        let child = HamtNode()
        for moved in [pair] + pairs {
            _ = try insert(moved, HamtPath(moved.key, bitWidth: bitWidth), child, level: level + 1)
        }
        node.pointers[place] = .dirty(child)
        return true
    }

    /// Removes `key`; one that is not there changes nothing.
    ///
    /// - Returns: whether the map changed.
    @discardableResult
    public func delete(_ key: [UInt8]) throws(IPLDError) -> Bool {
        let changed = try remove(key, HamtPath(key[...], bitWidth: bitWidth), root, level: 0)
        if changed { rootCid = nil }
        return changed
    }

    private func remove(_ key: [UInt8], _ path: HamtPath, _ node: HamtNode, level: Int) throws(IPLDError) -> Bool {
        let slot = try path.slot(level)
        guard node.bitfield[slot] else { return false }
        let place = node.bitfield.rank(slot)
        if case .bucket(var pairs) = node.opened(node.pointers[place]) {
            guard let index = pairs.firstIndex(where: { $0.key.elementsEqual(key) }) else { return false }
            pairs.remove(at: index)
            if pairs.isEmpty {
                node.bitfield[slot] = false
                node.pointers.remove(at: place)
            } else {
                node.pointers[place] = .bucket(pairs)
            }
            return true
        }
        guard let child = try child(node, place), try remove(key, path, child, level: level + 1) else { return false }
        if let bucket = child.collapsed, !bucket.isEmpty {
            node.pointers[place] = .bucket(bucket)
        } else {
            node.pointers[place] = .dirty(child)
        }
        return true
    }

    /// Calls `body` with each key and CBOR value in the order of the tree; reads every node, keeps none it did not
    /// keep before.
    public func visit(
        _ body: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(IPLDError) -> Void
    ) throws(IPLDError) {
        try visit(root, level: 0, body)
    }

    private func visit(
        _ node: HamtNode, level: Int, _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) throws(IPLDError) -> Void
    ) throws(IPLDError) {
        guard level * bitWidth < 256 else { throw .maxDepth }
        for pointer in node.pointers {
            switch node.opened(pointer) {
            case .stored: break
            case .bucket(let pairs): for pair in pairs { try body(pair.key, pair.value) }
            case .loaded(_, let child), .dirty(let child): try visit(child, level: level + 1, body)
            case .link(let cid):
                let block = try store.cborBlock(cid)
                let child = try HamtNode(block, cid: cid, bitWidth: bitWidth, values: values, isRoot: false)
                try visit(child, level: level + 1, body)
            }
        }
    }

    /// Writes every changed node, children first, and returns the root's CID.
    public func flush() throws(IPLDError) -> Cid {
        if let rootCid { return rootCid }
        let cid = try flush(root)
        rootCid = cid
        return cid
    }

    private func flush(_ node: HamtNode) throws(IPLDError) -> Cid {
        for (place, pointer) in node.pointers.enumerated() {
            guard case .dirty(let child) = pointer else { continue }
            node.pointers[place] = .loaded(try flush(child), child)
        }
        return try store.putCbor(node.encoded())
    }
}
