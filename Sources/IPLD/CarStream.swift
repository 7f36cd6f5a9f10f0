import Crypto
import Primitives

/// Reads a CAR archive section by section from pieces that come one after another: as much is in memory as the
/// largest section has, whatever the archive's size.
public final class CarStream {
    /// Hands over the next bytes; nil at the end.
    public typealias Source = () throws(CarError) -> ArraySlice<UInt8>?

    /// A section with a block, whose hash nobody has checked yet.
    public struct Section: Sendable {
        /// Where the section's length starts, in bytes from the start of the archive.
        public var offset: Int
        public var cid: Cid
        public var data: [UInt8]

        /// Compares the block with its CID.
        public func verify() throws(CarError) {
            switch cid.verifies(data) {
            case true: return
            case false: throw CarError(.wrongHash(cid, size: data.count), at: offset)
            case nil: throw CarError(.unknownHash(cid), at: offset)
            }
        }
    }

    /// 1, or 2 where the archive is one of version 1 with an index around it.
    public let version: UInt64
    public private(set) var roots: [Cid] = []
    /// Bytes a section may have.
    private let limit: Int
    private let source: Source
    private var buffer: ArraySlice<UInt8> = []
    /// Where `buffer` begins in the archive.
    private var position = 0
    /// Where the next section begins, in bytes from the start of the archive.
    public var offset: Int { position }
    /// Where the blocks end; what follows in an archive of version 2 is its index.
    private var end = Int.max

    /// Reads the header.
    ///
    /// - Parameters:
    ///   - limit: the most bytes of a section that are read; a longer one is an error before anything is kept of it.
    ///   - versions: those to be read; version 2 only wraps version 1.
    public init(limit: Int, versions: ClosedRange<UInt64> = 1...1, source: @escaping Source) throws(CarError) {
        self.limit = limit
        self.source = source
        guard let first = try CarStream.section(&buffer, &position, end, limit, source) else {
            throw CarError(.noHeader, at: 0)
        }
        let header = try CarHeader(first.bytes, versions: versions, at: first.offset)
        version = header.version
        guard version == 2 else {
            roots = header.roots
            return
        }
        let start = position
        guard try CarStream.fill(&buffer, position, 40, end, source) else {
            throw CarError(.truncated(needed: 40, left: buffer.count), at: start)
        }
        let fixed = Array(buffer.prefix(40))
        let offset = fixed.span.littleEndianWord(at: 16)
        let size = fixed.span.littleEndianWord(at: 24)
        guard offset >= UInt64(start + 40), offset <= UInt64(Int.max), size <= UInt64(Int.max) - offset else {
            throw CarError(.header("says that its data is at \(offset), \(size) bytes long"), at: start)
        }
        end = Int(offset + size)
        while position < Int(offset) {
            guard try CarStream.fill(&buffer, position, 1, end, source) else {
                throw CarError(.truncated(needed: offset, left: position), at: start)
            }
            let count = min(buffer.count, Int(offset) - position)
            buffer = buffer.dropFirst(count)
            position += count
        }
        guard let inner = try CarStream.section(&buffer, &position, end, limit, source) else {
            throw CarError(.noHeader, at: Int(offset))
        }
        roots = try CarHeader(inner.bytes, versions: 1...1, at: inner.offset).roots
    }

    /// The next section with a block; nil at the end.
    public func next() throws(CarError) -> Section? {
        guard let section = try CarStream.section(&buffer, &position, end, limit, source) else { return nil }
        var count = 0
        let cid: Cid
        do { cid = try Cid.read(section.bytes.span, at: &count) } catch {
            throw CarError(.cid(error), at: section.offset)
        }
        return Section(offset: section.offset, cid: cid, data: Array(section.bytes.dropFirst(count)))
    }

    /// Makes `count` bytes be in `buffer`, so far as there are that many.
    private static func fill(
        _ buffer: inout ArraySlice<UInt8>, _ position: Int, _ count: Int, _ end: Int, _ source: Source
    ) throws(CarError) -> Bool {
        // Room at once instead of by doubling; not more than most blocks need, as a length may lie.
        if count > buffer.count { buffer.reserveCapacity(min(count, 1 << 22)) }
        while buffer.count < count {
            guard let more = try source() else { return false }
            if buffer.isEmpty { buffer = more } else { buffer.append(contentsOf: more) }
        }
        return count <= end - position
    }

    private static func section(
        _ buffer: inout ArraySlice<UInt8>, _ position: inout Int, _ end: Int, _ limit: Int, _ source: Source
    ) throws(CarError) -> (offset: Int, bytes: ArraySlice<UInt8>)? {
        let start = position
        guard position < end, try fill(&buffer, position, 1, end, source) else { return nil }
        // A length has at most ten bytes; fewer are left where the archive ends.
        _ = try fill(&buffer, position, min(10, end - position), end, source)
        var at = 0
        let length: UInt64
        let head = Array(buffer.prefix(min(10, end - position)))
        do { length = try Varint.read(head.span, at: &at) } catch { throw CarError(.length(error), at: start) }
        guard length > 0 else { throw CarError(.emptySection, at: start) }
        buffer = buffer.dropFirst(at)
        position += at
        guard length <= UInt64(limit) else { throw try tooLong(length, limit, &buffer, position, end, source, start) }
        guard try fill(&buffer, position, Int(length), end, source) else {
            throw CarError(.truncated(needed: length, left: min(buffer.count, end - position)), at: start)
        }
        let bytes = buffer.prefix(Int(length))
        buffer = buffer.dropFirst(Int(length))
        position += Int(length)
        return (start, bytes)
    }

    /// A section that is too long to be read: of what is in memory one can tell that there is less than it says.
    private static func tooLong(
        _ length: UInt64, _ limit: Int, _ buffer: inout ArraySlice<UInt8>, _ position: Int, _ end: Int,
        _ source: Source, _ start: Int
    ) throws(CarError) -> CarError {
        let isWhole = try fill(&buffer, position, min(limit, 1 << 16), end, source)
        if !isWhole || length > UInt64(end - position) {
            return CarError(.truncated(needed: length, left: min(buffer.count, end - position)), at: start)
        }
        return CarError(.tooLarge(size: length, limit: limit), at: start)
    }
}

/// What the first section of an archive says.
struct CarHeader {
    let version: UInt64
    /// Empty in a header of version 2, whose data has a header of its own.
    let roots: [Cid]

    init(_ bytes: ArraySlice<UInt8>, versions: ClosedRange<UInt64>, at offset: Int) throws(CarError) {
        let value: CborValue
        do { value = try CborValue(Array(bytes)) } catch { throw CarError(.headerCbor(error), at: offset) }
        guard case .map(let entries) = value else { throw CarError(.header("is not a map"), at: offset) }
        var fields: [String: CborValue] = [:]
        for entry in entries where fields.updateValue(entry.value, forKey: entry.key) != nil {
            throw CarError(.header("has '\(entry.key.printable())' twice"), at: offset)
        }
        guard case .unsigned(let version)? = fields["version"] else {
            throw CarError(.header("has no version"), at: offset)
        }
        guard versions.contains(version) else {
            let known = versions.count == 1 ? "only \(versions.lowerBound) is" : "1 and 2 are"
            throw CarError(.header("has version \(version), \(known) known"), at: offset)
        }
        self.version = version
        guard version == 1 else {
            roots = []
            return
        }
        guard case .array(let elements)? = fields["roots"], !elements.isEmpty else {
            throw CarError(.header("has no roots"), at: offset)
        }
        var roots: [Cid] = []
        for element in elements {
            guard case .link(let cid) = element else {
                throw CarError(.header("has a root that is no link"), at: offset)
            }
            roots.append(cid)
        }
        self.roots = roots
    }

    /// The section's content for an archive of version 1.
    static func encode(roots: [Cid]) -> [UInt8] {
        var header = CborWriter()
        header.map([
            CborValue.Entry(key: "roots", value: .array(roots.map { .link($0) })),
            CborValue.Entry(key: "version", value: .unsigned(1)),
        ])
        return Varint.encode(UInt64(header.bytes.count)) + header.bytes
    }
}
