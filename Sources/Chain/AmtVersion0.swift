import Crypto
import IPLD
import Primitives

/// The arrays that headers name, of an older version than those of actors' states (FVM chain layer 1.3;
/// go-amt-ipld v2.1.0): a root of `[height, count, node]` without a width, which is 8, and bitmaps of one byte.
public enum AmtVersion0 {
    private static let width = 8
    /// Heights beyond hold more than any block does; the limit keeps a hostile root from a deep walk.
    private static let maxHeight: UInt64 = 20
    /// Values that are read; a block has ten thousand messages at most (Lotus, build.BlockMessageLimit).
    private static let maxCount: UInt64 = 1 << 20

    /// Calls `body` with the values in order.
    public static func forEach(
        _ root: Cid, in store: any Blockstore, what: String,
        _ body: (_ index: UInt64, _ value: [UInt8]) throws(ChainError) -> Void
    ) throws(ChainError) {
        let block = try store.chainBlock(root, what)
        var found: UInt64 = 0
        let count: UInt64
        do {
            var reader = CborReader(block)
            let height: UInt64
            do {
                try reader.tuple(3)
                height = try reader.unsigned()
                count = try reader.unsigned()
                guard height <= maxHeight else { throw CborError(.value("height \(height)"), at: 1) }
                guard count <= maxCount else { throw CborError(.value("\(count) values"), at: 2) }
            }
            try walk(&reader, height, 0, mayBeEmpty: count == 0, store, what) { (index, value) throws(ChainError) in
                found += 1
                guard found <= count else { throw .malformed("\(what) \(root): has more than its \(count) values") }
                try body(index, value)
            }
            try reader.finish()
        } catch let error as CborError {
            throw .malformed("\(what) \(root): \(error)")
        } catch let error as ChainError {
            throw error
        } catch {
            throw .malformed("\(what) \(root): \(error)")
        }
        guard found == count else { throw .malformed("\(what) \(root): claims \(count) values, has \(found)") }
    }

    private static func walk(
        _ reader: inout CborReader, _ height: UInt64, _ first: UInt64, mayBeEmpty: Bool, _ store: any Blockstore,
        _ what: String,
        _ body: (_ index: UInt64, _ value: [UInt8]) throws(ChainError) -> Void
    ) throws {
        try reader.tuple(3)
        let bitmap = try reader.byteString()
        guard bitmap.count == 1 else {
            throw CborError(.value("a bitmap of \(bitmap.count) bytes"), at: reader.position)
        }
        // So that each node leads to a value: nodes that lead nowhere could be named over and over.
        guard mayBeEmpty || bitmap[0] != 0 else { throw CborError(.value("an empty node"), at: reader.position) }
        let slots = (0..<width).filter { bitmap[0] >> UInt8($0) & 1 == 1 }
        var links: [Cid] = []
        for _ in 0..<(try reader.array()) { links.append(try reader.link()) }
        let values = try reader.array()
        guard links.count == (height == 0 ? 0 : slots.count), values == (height == 0 ? slots.count : 0) else {
            throw CborError(.value("\(slots.count) slots, \(links.count) links and \(values) values"), at: 0)
        }
        for slot in slots.prefix(values) {
            let start = reader.position
            try reader.skip()
            try body(first + UInt64(slot), Array(reader.bytes[start..<reader.position]))
        }
        for (slot, link) in zip(slots, links) {
            let block = try store.chainBlock(link, "node of \(what)")
            var child = CborReader(block)
            let span = (0..<height).reduce(UInt64(1)) { span, _ in span * UInt64(width) }
            try walk(&child, height - 1, first + UInt64(slot) * span, mayBeEmpty: false, store, what, body)
            try child.finish()
        }
    }

    /// The array of `values`, without gaps: its root, and its blocks with the root last.
    public static func encode(_ values: [[UInt8]]) -> (root: Cid, blocks: [Car.Block]) {
        var blocks: [Car.Block] = []
        var nodes = stride(from: 0, to: values.count, by: width).map { start in
            node(count: min(width, values.count - start), links: [], values: Array(values[start...].prefix(width)))
        }
        var height: UInt64 = 0
        while nodes.count > 1 {
            let children = nodes.map { Car.Block(cid: .blake2b256(codec: Cid.dagCbor, data: $0), data: $0) }
            blocks += children
            nodes = stride(from: 0, to: children.count, by: width).map { start in
                let part = children[start...].prefix(width)
                return node(count: part.count, links: part.map(\.cid), values: [])
            }
            height += 1
        }
        var writer = CborWriter()
        writer.array(3)
        writer.unsigned(height)
        writer.unsigned(UInt64(values.count))
        writer.encoded(nodes.first ?? node(count: 0, links: [], values: []))
        let root = Car.Block(cid: .blake2b256(codec: Cid.dagCbor, data: writer.bytes), data: writer.bytes)
        return (root.cid, blocks + [root])
    }

    private static func node(count: Int, links: [Cid], values: [[UInt8]]) -> [UInt8] {
        var writer = CborWriter()
        writer.array(3)
        writer.byteString([UInt8(truncatingIfNeeded: (1 << count) - 1)])
        writer.array(links.count)
        for link in links { writer.link(link) }
        writer.array(values.count)
        for value in values { writer.encoded(value) }
        return writer.bytes
    }
}
