import Primitives

/// Any DAG-CBOR item, for walks that know no schema.
public enum CborValue: Hashable, Sendable {
    /// One entry of a map; DAG-CBOR has text keys only.
    public struct Entry: Hashable, Sendable {
        /// Text, the only kind of key.
        public var key: String
        /// Any item.
        public var value: CborValue

        public init(key: String, value: CborValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case bool(Bool)
    case unsigned(UInt64)
    /// −1 − n.
    case negative(UInt64)
    case float(Double)
    case bytes([UInt8])
    case text(String)
    case array([CborValue])
    case map([Entry])
    case link(Cid)

    /// The single item that `bytes` holds.
    public init(_ bytes: [UInt8], mode: CborReader.Mode = .reference) throws(CborError) {
        var reader = CborReader(bytes, mode: mode)
        self = try reader.value()
        try reader.finish()
    }

    /// The item in canonical encoding.
    public var encoded: [UInt8] {
        var writer = CborWriter()
        writer.write(self)
        return writer.bytes
    }

    /// Calls `body` for each link in the item, in the order of its encoding.
    public func forEachLink(_ body: (Cid) -> Void) {
        switch self {
        case .link(let cid): body(cid)
        case .array(let elements): for element in elements { element.forEachLink(body) }
        case .map(let entries): for entry in entries { entry.value.forEachLink(body) }
        default: break
        }
    }
}
