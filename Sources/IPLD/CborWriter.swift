import Primitives

/// Writes canonical DAG-CBOR (FVM IPLD formats, "DAG-CBOR writing rules"): shortest heads, definite lengths, map
/// entries sorted by their encoded keys, 64-bit floats.
public struct CborWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// With room for `capacity` bytes.
    public init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    @usableFromInline mutating func head(_ major: UInt8, _ argument: UInt64) {
        let first = major << 5
        let width: Int
        switch argument {
        case 0..<24:
            bytes.append(first | UInt8(truncatingIfNeeded: argument))
            return
        case 24...0xff:
            bytes.append(first | 24)
            width = 1
        case 0x100...0xffff:
            bytes.append(first | 25)
            width = 2
        case 0x1_0000...0xffff_ffff:
            bytes.append(first | 26)
            width = 4
        default:
            bytes.append(first | 27)
            width = 8
        }
        for index in (0..<width).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: argument >> UInt64(index * 8)))
        }
    }

    /// An unsigned number of at most 64 bits.
    @inlinable public mutating func unsigned(_ value: some FixedWidthInteger & UnsignedInteger) {
        head(0, UInt64(value))
    }

    /// A number with sign.
    public mutating func int64(_ value: Int64) {
        if value >= 0 { head(0, UInt64(value)) } else { head(1, UInt64(bitPattern: ~value)) }
    }

    /// A byte string.
    public mutating func byteString(_ content: [UInt8]) {
        head(2, UInt64(content.count))
        bytes += content
    }

    /// A byte string.
    public mutating func byteString(_ content: ArraySlice<UInt8>) {
        head(2, UInt64(content.count))
        bytes += content
    }

    /// Text.
    public mutating func text(_ text: String) {
        head(3, UInt64(text.utf8.count))
        bytes += text.utf8
    }

    /// The head of an array; its elements are to be written next.
    public mutating func array(_ count: Int) { head(4, UInt64(count)) }

    /// Null.
    public mutating func null() { bytes.append(0xf6) }

    /// A boolean.
    public mutating func bool(_ value: Bool) { bytes.append(value ? 0xf5 : 0xf4) }

    /// Tag 42 around a byte string of 0 and the binary CID.
    public mutating func link(_ cid: Cid) {
        bytes.append(0xd8)
        bytes.append(42)
        head(2, UInt64(cid.byteCount + 1))
        bytes.append(0)
        cid.append(to: &bytes)
    }

    /// An item that is encoded already.
    public mutating func encoded(_ item: some Collection<UInt8>) { bytes += item }

    /// A map; its entries are put in order here.
    public mutating func map(_ entries: [CborValue.Entry]) {
        head(5, UInt64(entries.count))
        let sorted = entries.map { (Array($0.key.utf8), $0) }.sorted { CborWriter.precedes($0.0[...], $1.0[...]) }
        for (_, entry) in sorted {
            text(entry.key)
            write(entry.value)
        }
    }

    /// Any item.
    public mutating func write(_ value: CborValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .unsigned(let value): head(0, value)
        case .negative(let value): head(1, value)
        case .float(let value):
            bytes.append(0xfb)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
            }
        case .bytes(let content): byteString(content)
        case .text(let content): text(content)
        case .array(let elements):
            array(elements.count)
            for element in elements { write(element) }
        case .map(let entries): map(entries)
        case .link(let cid): link(cid)
        }
    }

    /// The order of map keys: shorter first, equal lengths by bytes, which is the order of their encodings. Works
    /// for keys with and without their heads.
    static func precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }
}
