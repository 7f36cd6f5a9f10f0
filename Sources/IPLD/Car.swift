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
        var rest: ArraySlice<UInt8>? = bytes[...]
        return try read(
            CarStream(limit: bytes.count) { () throws(CarError) in
                defer { rest = nil }
                return rest
            })
    }

    /// The same of an archive that comes in pieces.
    public static func read(_ stream: CarStream) throws(CarError) -> Car {
        var blocks: [Block] = []
        while let section = try stream.next() {
            try section.verify()
            blocks.append(Block(cid: section.cid, data: section.data))
        }
        return Car(roots: stream.roots, blocks: blocks)
    }

    /// The archive as bytes: header, then the blocks in their order.
    public func write() -> [UInt8] {
        var out = Car.header(roots: roots)
        for block in blocks {
            Varint.append(UInt64(block.cid.byteCount + block.data.count), to: &out)
            block.cid.append(to: &out)
            out += block.data
        }
        return out
    }

    /// The section an archive of version 1 begins with.
    public static func header(roots: [Cid]) -> [UInt8] { CarHeader.encode(roots: roots) }

    /// The section of a block.
    public static func section(_ cid: Cid, _ data: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        Varint.append(UInt64(cid.byteCount + data.count), to: &out)
        cid.append(to: &out)
        out += data
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
        case tooLarge(size: UInt64, limit: Int)
        /// What the archive comes from failed.
        case source(String)
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
            case .tooLarge(let size, let limit): "section has \(size) bytes, at most \(limit) are read here"
            case .source(let why): why
            case .cid(let error): "section: \(error)"
            case .wrongHash(let cid, let size): "block \(cid): its \(size) bytes have another hash"
            case .unknownHash(let cid): "block \(cid): hash function 0x\(String(cid.hashCode, radix: 16)) is unknown"
            }
        return "car at 0x\(String(offset, radix: 16)): \(what)"
    }
}
