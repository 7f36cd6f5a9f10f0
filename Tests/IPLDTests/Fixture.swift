import JSON
import Primitives
import Testing

extension JSONValue {
    /// A member that has to be text.
    func text(_ name: String) throws -> String { try #require(self[name]?.string) }

    /// A member that has to be hexadecimal text.
    func hex(_ name: String) throws -> [UInt8] {
        let text = try text(name)
        return try #require(Hex.decode(text))
    }

    /// A member that has to be an array.
    func list(_ name: String) throws -> [JSONValue] { try #require(self[name]?.array) }
}
