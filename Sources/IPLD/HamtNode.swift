import Crypto
import Primitives

/// One key and its value, as slices of the block they came from.
struct HamtPair {
    var key: ArraySlice<UInt8>
    /// Canonical CBOR.
    var value: ArraySlice<UInt8>
}

/// Up to 256 slots of a node.
struct HamtBitfield {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static let maxBytes = 32

    init() {}

    /// nil above 32 bytes. Big-endian: slot 0 is the least significant bit of the last byte.
    init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count <= HamtBitfield.maxBytes else { return nil }
        var index = bytes.count
        for byte in bytes {
            index -= 1
            self[word: index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
        }
    }

    /// Without leading zero bytes.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        for index in (0..<HamtBitfield.maxBytes).reversed() {
            let byte = UInt8(truncatingIfNeeded: self[word: index / 8] >> UInt64(index % 8 * 8))
            if byte != 0 || !out.isEmpty { out.append(byte) }
        }
        return out
    }

    private subscript(word index: Int) -> UInt64 {
        get {
            switch index {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        }
        set {
            switch index {
            case 0: words.0 = newValue
            case 1: words.1 = newValue
            case 2: words.2 = newValue
            default: words.3 = newValue
            }
        }
    }

    subscript(slot: Int) -> Bool {
        get { self[word: slot / 64] >> UInt64(slot % 64) & 1 == 1 }
        set {
            let bit = UInt64(1) << UInt64(slot % 64)
            if newValue { self[word: slot / 64] |= bit } else { self[word: slot / 64] &= ~bit }
        }
    }

    var count: Int {
        words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount + words.3.nonzeroBitCount
    }

    /// The number of occupied slots before `slot`: its place among the pointers.
    func rank(_ slot: Int) -> Int {
        var count = 0
        for index in 0..<slot / 64 { count += self[word: index].nonzeroBitCount }
        let below = (UInt64(1) << UInt64(slot % 64)) &- 1
        return count + (self[word: slot / 64] & below).nonzeroBitCount
    }
}

/// The slots a key takes from level to level: bits of its SHA-256, most significant first.
struct HamtPath {
    private let digest: [UInt8]
    private let bitWidth: Int

    init(_ key: ArraySlice<UInt8>, bitWidth: Int) {
        digest = Sha2.hash256(key.span)
        self.bitWidth = bitWidth
    }

    /// The slot at `level`; the last level takes what bits are left.
    func slot(_ level: Int) throws(IPLDError) -> Int {
        let first = level * bitWidth
        guard first < digest.count * 8 else { throw .maxDepth }
        let width = min(bitWidth, digest.count * 8 - first)
        let high = Int(digest[first / 8]) << 8
        let low = first / 8 + 1 < digest.count ? Int(digest[first / 8 + 1]) : 0
        return (high | low) >> (16 - first % 8 - width) & (1 << width - 1)
    }
}

/// A node in memory. A class, so that a child can be changed in place through its parent.
final class HamtNode {
    enum Pointer {
        /// As in the node's block, from one byte to before another: a link of the usual form, or a bucket in canonical
        /// encoding. Most pointers of most nodes are never followed, so they are checked and left alone.
        case stored(from: UInt32, to: UInt32)
        /// Not read yet. Beside the node, as what follows: a node has many pointers, and few are anything but `stored`.
        indirect case link(Cid)
        /// Read and unchanged since.
        indirect case loaded(Cid, HamtNode)
        /// Changed, or new.
        case dirty(HamtNode)
        /// 1 to 3 pairs, ascending by key.
        case bucket([HamtPair])
    }

    static let bucketSize = 3

    var bitfield = HamtBitfield()
    var pointers: [Pointer] = []
    /// What the node was read from.
    private let block: [UInt8]

    init() { block = [] }

    /// Reads a node's block with the checks the reference makes.
    init(_ block: [UInt8], cid: Cid, bitWidth: Int, values: HamtValues, isRoot: Bool) throws(IPLDError) {
        self.block = block
        do {
            try decode(cid: cid, bitWidth: bitWidth, values)
        } catch let error as IPLDError {
            throw error
        } catch let error as CborError {
            throw .cbor(cid, error)
        } catch {
            throw .malformed(cid, "unreadable")
        }
        if pointers.isEmpty && !isRoot { throw .malformed(cid, "hamt node below the root is empty") }
    }

    private func decode(cid: Cid, bitWidth: Int, _ values: HamtValues) throws {
        let block = block
        var reader = CborReader(block)
        try reader.tuple(2)
        guard let bitfield = HamtBitfield(bytes: try reader.byteSlice()) else {
            throw IPLDError.malformed(cid, "hamt bitfield is longer than \(HamtBitfield.maxBytes) bytes")
        }
        let count = try reader.array()
        guard count <= 1 << bitWidth, count == bitfield.count else {
            throw IPLDError.malformed(cid, "hamt node has \(count) pointers, its bitfield \(bitfield.count)")
        }
        self.bitfield = bitfield
        var pointers: [Pointer] = []
        pointers.reserveCapacity(count)
        reader.mode = .dynamic
        let bytes = block.span
        for _ in 0..<count {
            let start = reader.position
            if let end = CanonicalScan.dagCborLink(bytes, start) ?? HamtNode.bucketEnd(bytes, start, values),
                let to = UInt32(exactly: end)
            {
                pointers.append(.stored(from: UInt32(start), to: to))
                reader.passed(to: end)
            } else if reader.nextIsLink {
                let child = try reader.link()
                guard child.codec == Cid.dagCbor else {
                    throw IPLDError.malformed(cid, "hamt link \(child) is not dag-cbor")
                }
                pointers.append(.link(child))
            } else {
                pointers.append(.bucket(try HamtNode.bucket(&reader, cid, values)))
            }
        }
        try reader.finish()
        self.pointers = pointers
    }

    private static func bucket(
        _ reader: inout CborReader, _ cid: Cid, _ values: HamtValues
    ) throws -> [HamtPair] {
        let count = try reader.array()
        guard (1...bucketSize).contains(count) else {
            throw IPLDError.malformed(cid, "hamt bucket has \(count) pairs")
        }
        var pairs: [HamtPair] = []
        pairs.reserveCapacity(count)
        for _ in 0..<count {
            try reader.tuple(2)
            let key = try reader.byteSlice()
            if let previous = pairs.last, !previous.key.lexicographicallyPrecedes(key) {
                throw IPLDError.malformed(cid, "hamt bucket is not sorted")
            }
            let value = try reader.canonicalItem()
            let isPlain = values.plainEnd(value.span, 0) == value.count
            pairs.append(HamtPair(key: key, value: isPlain ? value : try values.rewritten(Array(value))[...]))
        }
        return pairs
    }

    // MARK: Stored pointers

    /// A pair of a bucket in canonical encoding: where its key and its value are; it ends with the value.
    private static func pair(_ bytes: Span<UInt8>, _ start: Int) -> (key: Range<Int>, value: Range<Int>)? {
        guard let key = key(bytes, start), let end = CanonicalScan.item(bytes, key.upperBound) else { return nil }
        return (key, key.upperBound..<end)
    }

    /// Where the key of a pair at `start` is.
    private static func key(_ bytes: Span<UInt8>, _ start: Int) -> Range<Int>? {
        guard start < bytes.count, bytes[start] == 0x82 else { return nil }
        return CanonicalScan.byteString(bytes, start + 1)
    }

    /// The number of pairs of a bucket that begins with `head`; nil when that is no array of 1 to 3 elements.
    private static func pairCount(_ head: UInt8) -> Int? {
        (0x81...0x80 + UInt8(bucketSize)).contains(head) ? Int(head - 0x80) : nil
    }

    /// The end of a bucket in canonical encoding at `start`, with its keys in order and plain values.
    private static func bucketEnd(_ bytes: Span<UInt8>, _ start: Int, _ values: HamtValues) -> Int? {
        guard start < bytes.count, let count = pairCount(bytes[start]) else { return nil }
        var position = start + 1
        var previous: Range<Int>?
        for _ in 0..<count {
            guard let key = key(bytes, position) else { return nil }
            if let previous, !precedes(bytes, previous, key) { return nil }
            guard let end = values.plainEnd(bytes, key.upperBound) else { return nil }
            previous = key
            position = end
        }
        return position
    }

    private static func precedes(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        for index in 0..<min(left.count, right.count) {
            let (a, b) = (bytes[left.lowerBound + index], bytes[right.lowerBound + index])
            if a != b { return a < b }
        }
        return left.count < right.count
    }

    private func isLink(storedAt start: UInt32) -> Bool { HamtNode.pairCount(block[Int(start)]) == nil }

    /// The CID behind a pointer to a child that has not been read.
    func link(_ place: Int) -> Cid? {
        switch pointers[place] {
        case .link(let cid): return cid
        case .stored(let start, _):
            let block = block
            return isLink(storedAt: start) ? CanonicalScan.cid(block.span, Int(start)) : nil
        case .loaded, .dirty, .bucket: return nil
        }
    }

    /// The pointer in a form that can be changed; never `stored`.
    func opened(_ pointer: Pointer) -> Pointer {
        guard case .stored(let from, let to) = pointer else { return pointer }
        let block = block
        if isLink(storedAt: from) { return .link(CanonicalScan.cid(block.span, Int(from))) }
        var pairs: [HamtPair] = []
        var position = Int(from) + 1
        while position < Int(to), let pair = HamtNode.pair(block.span, position) {
            pairs.append(HamtPair(key: block[pair.key], value: block[pair.value]))
            position = pair.value.upperBound
        }
        return .bucket(pairs)
    }

    /// What a bucket has.
    enum Search {
        case value(ArraySlice<UInt8>?)
        case noBucket
    }

    /// The value of `key` in the bucket behind a pointer.
    func search(_ place: Int, _ key: [UInt8]) -> Search {
        switch pointers[place] {
        case .link, .loaded, .dirty: return .noBucket
        case .bucket(let pairs): return .value(pairs.first { $0.key.elementsEqual(key) }?.value)
        case .stored(let from, let to):
            if isLink(storedAt: from) { return .noBucket }
            let block = block
            var position = Int(from) + 1
            while position < Int(to), let pair = HamtNode.pair(block.span, position) {
                if block[pair.key].elementsEqual(key) { return .value(block[pair.value]) }
                position = pair.value.upperBound
            }
            return .value(nil)
        }
    }

    // MARK: Writing

    /// The node's block; links to children that changed name what they would be flushed to.
    func encoded() -> [UInt8] {
        var writer = CborWriter(capacity: 1024)
        writer.array(2)
        writer.byteString(bitfield.bytes)
        writer.array(pointers.count)
        for pointer in pointers {
            switch pointer {
            case .stored(let from, let to): writer.encoded(block[Int(from)..<Int(to)])
            case .link(let cid), .loaded(let cid, _): writer.link(cid)
            case .dirty(let child): writer.link(Cid.blake2b256(codec: Cid.dagCbor, data: child.encoded()))
            case .bucket(let pairs):
                writer.array(pairs.count)
                for pair in pairs {
                    writer.array(2)
                    writer.byteString(pair.key)
                    writer.encoded(pair.value)
                }
            }
        }
        return writer.bytes
    }

    /// The bucket that has to stand in the parent's slot instead of this node: a node below the root never holds
    /// three pairs or fewer without links.
    var collapsed: [HamtPair]? {
        guard pointers.count <= HamtNode.bucketSize else { return nil }
        var pairs: [HamtPair] = []
        for pointer in pointers {
            guard case .bucket(let bucket) = opened(pointer) else { return nil }
            pairs += bucket
        }
        guard pairs.count <= HamtNode.bucketSize else { return nil }
        return pairs.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}
