import Crypto
import Primitives

/// A CAR version 1 archive: roots and blocks (FVM machine layer, "CAR v1").
public struct Car: Sendable {
    /// A CID and the block it names.
    public struct Block: Sendable, Equatable {
        /// Checked against `data` when read.
        public var cid: Cid
        /// The block's bytes.
        public var data: [UInt8]

        public init(cid: Cid, data: [UInt8]) {
            self.cid = cid
            self.data = data
        }
    }

    /// Never empty.
    public var roots: [Cid]
    /// In the order of the file; of duplicates the last one counts.
    public var blocks: [Block]

    public init(roots: [Cid], blocks: [Block]) {
        self.roots = roots
        self.blocks = blocks
    }

    /// Reads a whole archive and checks every block against its CID.
    ///
    /// Stricter than the reference's loader in one way: input that ends inside a section's length is an error, as
    /// it can only be a truncated file.
    ///
    /// - Throws: a `CarError` for the first fault, with the offset of its section.
    public static func read(_ bytes: [UInt8]) throws(CarError) -> Car {
        var offset = 0
        guard let header = try section(bytes, &offset) else { throw CarError(.noHeader, at: 0) }
        let roots = try self.roots(bytes, header)
        var blocks: [Block] = []
        while true {
            let start = offset
            guard let section = try section(bytes, &offset) else { break }
            blocks.append(try block(bytes, section, start))
        }
        return Car(roots: roots, blocks: blocks)
    }

    /// The range of the section at `offset`, which moves behind it; nil at the end of the input.
    private static func section(_ bytes: [UInt8], _ offset: inout Int) throws(CarError) -> Range<Int>? {
        let start = offset
        guard start < bytes.count else { return nil }
        let length: UInt64
        do { length = try Varint.read(bytes.span, at: &offset) } catch { throw CarError(.length(error), at: start) }
        let left = bytes.count - offset
        guard length <= UInt64(left) else { throw CarError(.truncated(needed: length, left: left), at: start) }
        guard length > 0 else { throw CarError(.emptySection, at: start) }
        let range = offset..<offset + Int(length)
        offset = range.upperBound
        return range
    }

    private static func roots(_ bytes: [UInt8], _ header: Range<Int>) throws(CarError) -> [Cid] {
        let value: CborValue
        do { value = try CborValue(Array(bytes[header])) } catch { throw CarError(.headerCbor(error), at: 0) }
        guard case .map(let entries) = value else { throw CarError(.header("is not a map"), at: 0) }
        func entry(_ key: String) -> CborValue? { entries.first { $0.key == key }?.value }
        guard case .unsigned(let version)? = entry("version") else {
            throw CarError(.header("has no version"), at: 0)
        }
        guard version == 1 else { throw CarError(.header("has version \(version), only 1 is known"), at: 0) }
        guard case .array(let elements)? = entry("roots"), !elements.isEmpty else {
            throw CarError(.header("has no roots"), at: 0)
        }
        var roots: [Cid] = []
        for element in elements {
            guard case .link(let cid) = element else { throw CarError(.header("has a root that is no link"), at: 0) }
            roots.append(cid)
        }
        return roots
    }

    private static func block(_ bytes: [UInt8], _ section: Range<Int>, _ start: Int) throws(CarError) -> Block {
        let content = bytes[section]
        var position = 0
        let cid: Cid
        do { cid = try Cid.read(content.span, at: &position) } catch { throw CarError(.cid(error), at: start) }
        let data = Array(content[(section.lowerBound + position)...])
        switch cid.verifies(data) {
        case true: return Block(cid: cid, data: data)
        case false: throw CarError(.wrongHash(cid, size: data.count), at: start)
        case nil: throw CarError(.unknownHash(cid), at: start)
        }
    }

    /// The archive as bytes: header, then the blocks in their order.
    public func write() -> [UInt8] {
        var header = CborWriter()
        header.map([
            CborValue.Entry(key: "roots", value: .array(roots.map { .link($0) })),
            CborValue.Entry(key: "version", value: .unsigned(1)),
        ])
        var out: [UInt8] = []
        Varint.append(UInt64(header.bytes.count), to: &out)
        out += header.bytes
        for block in blocks {
            Varint.append(UInt64(block.cid.byteCount + block.data.count), to: &out)
            block.cid.append(to: &out)
            out += block.data
        }
        return out
    }
}

/// What is wrong with an archive, and where.
public struct CarError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        case noHeader
        case headerCbor(CborError)
        case header(String)
        case length(VarintError)
        case emptySection
        case truncated(needed: UInt64, left: Int)
        case cid(CidError)
        case wrongHash(Cid, size: Int)
        case unknownHash(Cid)
    }

    /// What is wrong.
    public var reason: Reason
    /// Where the section's length starts, in bytes from the start of the archive.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        let what =
            switch reason {
            case .noHeader: "archive is empty"
            case .headerCbor(let error): "header: \(error)"
            case .header(let why): "header \(why)"
            case .length(let error): "section length: \(error)"
            case .emptySection: "section is empty"
            case .truncated(let needed, let left): "section has \(needed) bytes, only \(left) are left"
            case .cid(let error): "section: \(error)"
            case .wrongHash(let cid, let size): "block \(cid): its \(size) bytes have another hash"
            case .unknownHash(let cid): "block \(cid): hash function 0x\(String(cid.hashCode, radix: 16)) is unknown"
            }
        return "car at 0x\(String(offset, radix: 16)): \(what)"
    }
}
