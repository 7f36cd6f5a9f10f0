import GasSchedule
import IPLD
import Primitives

/// Finds the links of a block while paying for each item (FVM syscalls specification, section 6.4; FIP-0071).
///
/// It reads heads only: lengths need not be minimal, and neither text nor order of maps is looked at. But it is strict
/// about what it reads: no bytes may be left after the item, nor after a CID in its string.
struct LinkScanner {
    /// In order; one per occurrence.
    private(set) var links: [Cid] = []
    /// Milligas that may still be used.
    private(set) var remaining: UInt64
    private let perField: UInt64
    private let perCid: UInt64

    init(available: UInt64, prices: PriceList) {
        remaining = available
        perField = prices.ipldScanPerField
        perCid = prices.ipldScanPerCid
    }

    /// Scans a block; only DAG-CBOR has links, and only it costs anything.
    mutating func scan(codec: UInt64, _ bytes: Span<UInt8>) throws(ExecutionError) {
        switch codec {
        case Cid.raw, Cid.cbor: return
        case Cid.dagCbor: break
        default: try BlockRegistry.checkCodec(codec)
        }
        var offset = 0
        var items: UInt64 = 1
        while items > 0 {
            items -= 1
            try pay(perField)
            let start = offset
            let (major, argument) = try Self.head(bytes, &offset)
            switch major {
            case 2, 3: try Self.skip(argument, bytes, &offset, start)
            case 4: items = try Self.sum(items, argument, start)
            case 5: items = try Self.sum(Self.sum(items, argument, start), argument, start)
            case 6 where argument == 42: try link(bytes, &offset)
            case 6: items = try Self.sum(items, 1, start)
            default: break
            }
        }
        guard offset == bytes.count else {
            throw Self.malformed("\(bytes.count - offset) bytes follow the item", at: offset)
        }
    }

    private mutating func pay(_ price: UInt64) throws(ExecutionError) {
        guard price <= remaining else {
            remaining = 0
            throw .outOfGas
        }
        remaining -= price
    }

    /// The link after a tag 42.
    private mutating func link(_ bytes: Span<UInt8>, _ offset: inout Int) throws(ExecutionError) {
        try pay(perCid)
        let start = offset
        let (major, length) = try Self.head(bytes, &offset)
        let content = offset
        guard major == 2 else { throw Self.malformed("tag 42 without a byte string", at: start) }
        try Self.skip(length, bytes, &offset, start)
        guard length > 0, bytes[content] == 0 else {
            throw Self.malformed("a link's string does not start with 0", at: start)
        }
        let cid: Cid
        var position = content + 1
        do throws(CidError) {
            cid = try Cid.read(bytes.extracting(0..<offset), at: &position)
        } catch {
            throw Self.malformed("a link's CID: \(error)", at: start)
        }
        guard position == offset else { throw Self.malformed("bytes follow a link's CID", at: start) }
        try visit(cid)
    }

    private mutating func visit(_ cid: Cid) throws(ExecutionError) {
        switch cid.codec {
        case Cid.unsealedCommitment, Cid.sealedCommitment: return
        case Cid.raw, Cid.cbor, Cid.dagCbor: break
        default: throw .syscall(.notFound, "a link to \(cid.text), whose codec no block has")
        }
        if cid.hashCode == Cid.identity { return try scan(codec: cid.codec, cid.digest.span) }
        guard cid.isBlake2b256 else { throw .syscall(.notFound, "a link to \(cid.text), whose hash no block has") }
        links.append(cid)
    }

    private static func malformed(_ what: String, at offset: Int) -> ExecutionError {
        .syscall(.serialization, "block at byte 0x\(String(offset, radix: 16)): \(what)")
    }

    private static func sum(_ items: UInt64, _ more: UInt64, _ start: Int) throws(ExecutionError) -> UInt64 {
        let (sum, overflow) = items.addingReportingOverflow(more)
        guard !overflow else { throw malformed("more than 2^64 items", at: start) }
        return sum
    }

    private static func skip(
        _ length: UInt64, _ bytes: Span<UInt8>, _ offset: inout Int, _ start: Int
    ) throws(ExecutionError) {
        guard length <= UInt64(bytes.count - offset) else { throw malformed("a string ends outside", at: start) }
        offset += Int(length)
    }

    private static func head(
        _ bytes: Span<UInt8>, _ offset: inout Int
    ) throws(ExecutionError) -> (major: UInt8, argument: UInt64) {
        let start = offset
        guard start < bytes.count else { throw malformed("an item is missing", at: start) }
        let byte = bytes[start]
        let low = byte & 0x1F
        guard low >= 24 else {
            offset = start + 1
            return (byte >> 5, UInt64(low))
        }
        guard low < 28 else { throw malformed("head 0x\(String(byte, radix: 16))", at: start) }
        let width = 1 << Int(low - 24)
        guard bytes.count - start > width else { throw malformed("a head is cut off", at: start) }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(bytes[start + index]) }
        offset = start + 1 + width
        return (byte >> 5, value)
    }
}
