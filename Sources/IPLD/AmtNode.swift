import Crypto
import Primitives

/// A node of an array in memory. A class, so that a child can be changed in place through its parent.
final class AmtNode {
    enum Link {
        /// Not read yet.
        case link(Cid)
        /// Read and unchanged since.
        case loaded(Cid, AmtNode)
        /// Changed, or new.
        case dirty(AmtNode)
    }

    enum Content {
        /// CBOR values by slot.
        case leaf([ArraySlice<UInt8>?])
        /// Children by slot.
        case inner([Link?])
    }

    var content: Content

    init(_ content: Content) {
        self.content = content
    }

    static func emptyLeaf(bitWidth: Int) -> AmtNode { AmtNode(.leaf(Array(repeating: nil, count: 1 << bitWidth))) }

    static func emptyInner(bitWidth: Int) -> AmtNode { AmtNode(.inner(Array(repeating: nil, count: 1 << bitWidth))) }

    /// Reads a node; `cid` names the block in errors.
    init(_ reader: inout CborReader, cid: Cid, bitWidth: Int, height: Int) throws {
        try reader.tuple(3)
        let bitmap = Array(try reader.byteSlice())
        guard bitmap.count == AmtNode.bitmapLength(bitWidth) else {
            throw IPLDError.malformed(cid, "amt bitmap has \(bitmap.count) bytes")
        }
        let width = 1 << bitWidth
        let slots = (0..<width).filter { bitmap[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        guard bitmap.reduce(0, { $0 + $1.nonzeroBitCount }) == slots.count else {
            throw IPLDError.malformed(cid, "amt bitmap has bits beyond its width")
        }
        let linkCount = try reader.array()
        var links: [Link?] = Array(repeating: nil, count: linkCount == 0 ? 0 : width)
        if linkCount > 0 {
            guard linkCount == slots.count else {
                throw IPLDError.malformed(cid, "amt node has \(linkCount) links, its bitmap \(slots.count)")
            }
            for slot in slots {
                let child = try reader.link()
                guard child.codec == Cid.dagCbor || child.codec == Cid.cbor else {
                    throw IPLDError.malformed(cid, "amt link \(child) is not cbor")
                }
                links[slot] = .link(child)
            }
        }
        let valueCount = try reader.array()
        guard linkCount == 0 || valueCount == 0 else {
            throw IPLDError.malformed(cid, "amt node has links and values")
        }
        guard linkCount > 0 || valueCount == slots.count else {
            throw IPLDError.malformed(cid, "amt node has \(valueCount) values, its bitmap \(slots.count)")
        }
        if linkCount > 0 {
            guard height > 0 else { throw IPLDError.malformed(cid, "amt leaf has links") }
            content = .inner(links)
            return
        }
        guard height == 0 || valueCount == 0 else { throw IPLDError.malformed(cid, "amt inner node has values") }
        guard height == 0 else {
            content = .inner(Array(repeating: nil, count: width))
            return
        }
        var values: [ArraySlice<UInt8>?] = Array(repeating: nil, count: width)
        for slot in slots { values[slot] = try reader.canonicalItem() }
        content = .leaf(values)
    }

    static func bitmapLength(_ bitWidth: Int) -> Int { bitWidth <= 3 ? 1 : 1 << (bitWidth - 3) }

    var isEmpty: Bool {
        switch content {
        case .leaf(let values): values.allSatisfy { $0 == nil }
        case .inner(let links): links.allSatisfy { $0 == nil }
        }
    }

    /// The child when slot 0 is the only occupied one of an inner node.
    var onlyFirst: Link? {
        guard case .inner(let links) = content, links.dropFirst().allSatisfy({ $0 == nil }) else { return nil }
        return links[0]
    }

    /// Writes the node; links to children that changed name what they would be flushed to.
    func write(to writer: inout CborWriter, bitWidth: Int) {
        var bitmap = [UInt8](repeating: 0, count: AmtNode.bitmapLength(bitWidth))
        func mark(_ slot: Int) { bitmap[slot / 8] |= 1 << UInt8(slot % 8) }
        var links: [Cid] = []
        var values: [ArraySlice<UInt8>] = []
        switch content {
        case .leaf(let slots):
            for (slot, value) in slots.enumerated() {
                guard let value else { continue }
                mark(slot)
                values.append(value)
            }
        case .inner(let slots):
            for (slot, link) in slots.enumerated() {
                switch link {
                case nil: continue
                case .link(let cid), .loaded(let cid, _): links.append(cid)
                case .dirty(let child):
                    var block = CborWriter()
                    child.write(to: &block, bitWidth: bitWidth)
                    links.append(Cid.blake2b256(codec: Cid.dagCbor, data: block.bytes))
                }
                mark(slot)
            }
        }
        writer.array(3)
        writer.byteString(bitmap)
        writer.array(links.count)
        for link in links { writer.link(link) }
        writer.array(values.count)
        for value in values { writer.encoded(value) }
    }
}
