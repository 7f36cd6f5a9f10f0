import IPLD
import JSON
import Machine
import Primitives
import StateTree

/// Messages in files: Lotus's JSON, or CBOR as bytes or in hexadecimal, each with or without a signature.
///
/// A signature is not checked, but it counts: a message stands on chain with it, and inclusion costs gas by the byte.
public enum LotusMessage {
    /// Lotus's `Message`.
    public static func value(_ message: Message, cid: Cid) -> JSONValue {
        .object([
            "Version": .integer(message.version), "To": .string(message.to.text()),
            "From": .string(message.from.text()), "Nonce": .integer(message.nonce),
            "Value": .string(message.value.decimal), "GasLimit": .integer(message.gasLimit),
            "GasFeeCap": .string(message.feeCap.decimal), "GasPremium": .string(message.premium.decimal),
            "Method": .integer(message.method),
            "Params": message.params.isEmpty ? .null : .string(Base64.encode(message.params)),
            "CID": .object(["/": .string(cid.text)]),
        ])
    }

    /// The message in a file's content.
    /// - Parameter file: for complaints.
    public static func read(_ bytes: [UInt8], file: String, kind: ApplyKind) throws(VectorError) -> VectorMessage {
        let text = bytes.drop { isSpace($0) }
        if text.first == UInt8(ascii: "{") {
            let json: JSONValue
            do throws(JSONError) { json = try JSON.parse(bytes) } catch {
                throw VectorError(file: file, field: "", reason: "not JSON: \(error)")
            }
            return try read(VectorField(json, file: file), kind)
        }
        return try read(cbor: hex(text) ?? bytes, file, kind)
    }

    /// The message in a file's content with its signature, type and data, where it has one.
    /// - Parameter file: for complaints.
    public static func readSigned(
        _ bytes: [UInt8], file: String
    ) throws(VectorError) -> (message: Message, signature: [UInt8]?) {
        let text = bytes.drop { isSpace($0) }
        guard text.first == UInt8(ascii: "{") else {
            let cbor = hex(text) ?? bytes
            do throws(MessageError) {
                guard cbor.first == 0x82 else { return (try Message(cbor: cbor), nil) }
                let signed = try SignedMessage(cbor: cbor)
                return (signed.message, signed.signature)
            } catch { throw VectorError(file: file, field: "", reason: error.description) }
        }
        let json: JSONValue
        do throws(JSONError) { json = try JSON.parse(bytes) } catch {
            throw VectorError(file: file, field: "", reason: "not JSON: \(error)")
        }
        let field = VectorField(json, file: file)
        guard let inner = try field.optional("Message") else { return (try message(field), nil) }
        let signature = try field.member("Signature")
        let type: UInt8 = try signature.member("Type").integer()
        return (try message(inner), [type] + (try signature.member("Data").base64()))
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    /// The bytes that a text of hexadecimal digits says; nil for anything else, as CBOR of a message always is.
    private static func hex(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var digits = text
        while let last = digits.last, isSpace(last) { digits.removeLast() }
        if digits.starts(with: [UInt8(ascii: "0"), UInt8(ascii: "x")]) { digits = digits.dropFirst(2) }
        return digits.isEmpty ? nil : Hex.decode(String(decoding: digits, as: UTF8.self).lowercased())
    }

    // MARK: JSON

    private static func read(_ field: VectorField, _ kind: ApplyKind) throws(VectorError) -> VectorMessage {
        guard let inner = try field.optional("Message") else { return try made(try message(field), field, kind, nil) }
        let signature = try field.member("Signature")
        let data = try signature.member("Data").base64()
        return try made(
            try message(inner), inner, kind, Signature(type: try signature.member("Type").integer(), size: data.count))
    }

    private static func message(_ field: VectorField) throws(VectorError) -> Message {
        let params = try field.optional("Params")
        return Message(
            version: try field.optional("Version")?.integer() ?? 0, to: try address(try field.member("To")),
            from: try address(try field.member("From")), nonce: try field.member("Nonce").integer(),
            value: try field.optional("Value")?.amountText() ?? .zero,
            gasLimit: try field.member("GasLimit").integer(),
            feeCap: try field.optional("GasFeeCap")?.amountText() ?? .zero,
            premium: try field.optional("GasPremium")?.amountText() ?? .zero,
            method: try field.member("Method").integer(), params: try params?.base64() ?? [])
    }

    /// Of either network: the letter says nothing of the actor.
    private static func address(_ field: VectorField) throws(VectorError) -> Address {
        let text = try field.string()
        do throws(AddressError) {
            return try Address(text: text, network: text.hasPrefix("t") ? .testnet : .mainnet)
        } catch { throw field.error("\"\(text.prefix(90))\" is no address: \(error)") }
    }

    private static func made(
        _ message: Message, _ field: VectorField, _ kind: ApplyKind, _ signature: Signature?
    ) throws(VectorError) -> VectorMessage {
        do throws(MessageError) { return try made(message, kind, signature) } catch { throw field.error("\(error)") }
    }

    // MARK: CBOR

    private static func read(
        cbor bytes: [UInt8], _ file: String, _ kind: ApplyKind
    ) throws(VectorError) -> VectorMessage {
        do throws(MessageError) {
            // A pair is a signed message; a message alone is a tuple of ten.
            guard bytes.first == 0x82 else { return try made(try Message(cbor: bytes), kind, nil) }
            let signed = try SignedMessage(cbor: bytes)
            guard let type = signed.signature.first else { throw MessageError(reason: "its signature is empty") }
            return try made(signed.message, kind, Signature(type: type, size: signed.signature.count - 1))
        } catch { throw VectorError(file: file, field: "", reason: error.description) }
    }

    // MARK: Size on chain

    private struct Signature {
        var type: UInt8
        /// Bytes without the type.
        var size: Int
        /// BLS signatures are aggregated: the message stands on chain without one.
        static let bls: UInt8 = 2
    }

    private static func made(
        _ message: Message, _ kind: ApplyKind, _ signature: Signature?
    ) throws(MessageError) -> VectorMessage {
        guard let signature else { return try VectorMessage(message, kind: kind) }
        let encoding = try message.encoded()
        guard signature.type != Signature.bls else {
            return try VectorMessage(message, kind: kind, chainLength: UInt64(encoding.count))
        }
        let wrapped = CborWriter.byteString([UInt8](repeating: 0, count: signature.size + 1))
        return try VectorMessage(message, kind: kind, chainLength: UInt64(1 + encoding.count + wrapped.count))
    }
}
