import IPLD
import JSON
import Kernel
import Primitives

/// IPLD data as DAG-JSON: links are `{"/": CID}`, bytes `{"/": {"bytes": BASE64}}` without padding, whole numbers exact
/// however large, names of maps in the order of their bytes.
public enum DagJSON {
    /// A block by its codec; nil for one that cannot be shown, or that is not what its codec says.
    public static func value(_ data: [UInt8], codec: UInt64) -> JSONValue? {
        switch codec {
        case Cid.raw: bytes(data)
        case Cid.cbor, Cid.dagCbor: value(cbor: data)
        default: nil
        }
    }

    /// What one CBOR item holds; nil where `data` is no such item, and for the few items that DAG-JSON cannot express.
    public static func value(cbor data: [UInt8]) -> JSONValue? {
        guard !data.isEmpty, let item = try? CborValue(data) else { return nil }
        return value(item)
    }

    /// nil where DAG-JSON has no form: floats that are no numbers, maps that look like a link or bytes.
    public static func value(_ item: CborValue) -> JSONValue? {
        switch item {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .unsigned(let value): return .integer(value)
        case .negative(let value): return .integer(-1 - Int128(value))
        case .float(let value): return value.isFinite ? .number("\(value)") : nil
        case .bytes(let content): return bytes(content)
        case .text(let text): return .string(text)
        case .link(let cid): return .object(["/": .string(cid.text)])
        case .array(let elements):
            let shown = elements.compactMap(value)
            return shown.count == elements.count ? .array(shown) : nil
        case .map(let entries):
            let names = Set(entries.map(\.key))
            guard names.count == entries.count, !(names.count == 1 && names.contains("/")) else { return nil }
            var members: [JSONValue.Member] = []
            for entry in entries {
                guard let value = value(entry.value) else { return nil }
                members.append(.init(entry.key, value))
            }
            return .object(members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
        }
    }

    private static func bytes(_ content: [UInt8]) -> JSONValue {
        let text = String(Base64.encode(content).prefix { $0 != "=" })
        return .object(["/": .object(["bytes": .string(text)])])
    }
}
