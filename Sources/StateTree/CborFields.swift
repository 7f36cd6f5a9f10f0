import IPLD
import Primitives

// Addresses and amounts inside CBOR objects: byte strings of their binary forms.

extension CborReader {
    /// A byte string that holds an address.
    public mutating func address() throws(CborError) -> Address {
        let start = position
        let content = try byteString()
        do throws(AddressError) {
            return try Address(bytes: content)
        } catch {
            throw CborError(.value(error.description), at: start)
        }
    }

    /// A byte string that holds an amount: nothing for 0, else a sign byte and a big-endian magnitude.
    public mutating func tokenAmount() throws(CborError) -> TokenAmount {
        let start = position
        let content = try byteString()
        do throws(TokenAmountError) {
            return try TokenAmount(cborBytes: content)
        } catch {
            throw CborError(.value(error.description), at: start)
        }
    }
}

extension CborWriter {
    /// The encoding of one byte string.
    public static func byteString(_ content: [UInt8]) -> [UInt8] {
        var writer = CborWriter(capacity: content.count + 9)
        writer.byteString(content)
        return writer.bytes
    }
}
