import IPLD
import Primitives
import StateTree

/// A chain message without its signature.
public struct Message: Sendable, Equatable {
    /// Ignored, whatever it is.
    public var version: UInt64
    public var to: Address
    public var from: Address
    public var nonce: UInt64
    /// attoFIL moved to the receiver.
    public var value: TokenAmount
    /// Whole gas.
    public var gasLimit: UInt64
    /// attoFIL per gas, base fee and tip together at most.
    public var feeCap: TokenAmount
    /// attoFIL per gas for the miner.
    public var premium: TokenAmount
    public var method: UInt64
    public var params: [UInt8]

    public init(
        version: UInt64 = 0, to: Address, from: Address, nonce: UInt64, value: TokenAmount, gasLimit: UInt64,
        feeCap: TokenAmount, premium: TokenAmount, method: UInt64, params: [UInt8]
    ) {
        self.version = version
        self.to = to
        self.from = from
        self.nonce = nonce
        self.value = value
        self.gasLimit = gasLimit
        self.feeCap = feeCap
        self.premium = premium
        self.method = method
        self.params = params
    }

    /// Decodes the CBOR 10-tuple of the chain; note its order, receiver before sender.
    public init(cbor: [UInt8]) throws(MessageError) {
        do throws(CborError) {
            var reader = CborReader(cbor)
            try reader.tuple(10)
            version = try reader.unsigned()
            to = try reader.address()
            from = try reader.address()
            nonce = try reader.unsigned()
            value = try reader.tokenAmount()
            gasLimit = try reader.unsigned()
            feeCap = try reader.tokenAmount()
            premium = try reader.tokenAmount()
            method = try reader.unsigned()
            params = try reader.byteString()
            try reader.finish()
        } catch {
            throw MessageError(reason: "\(error)")
        }
    }

    /// The CBOR 10-tuple of the chain.
    ///
    /// - Throws: for an amount of more bytes than the chain has amounts of.
    public func encoded() throws(MessageError) -> [UInt8] {
        let amounts: [[UInt8]]
        do throws(TokenAmountError) {
            amounts = [try value.cborBytes, try feeCap.cborBytes, try premium.cborBytes]
        } catch {
            throw MessageError(reason: error.description)
        }
        var writer = CborWriter()
        writer.array(10)
        writer.unsigned(version)
        writer.byteString(to.bytes)
        writer.byteString(from.bytes)
        writer.unsigned(nonce)
        writer.byteString(amounts[0])
        writer.unsigned(gasLimit)
        writer.byteString(amounts[1])
        writer.byteString(amounts[2])
        writer.unsigned(method)
        writer.byteString(params)
        return writer.bytes
    }

    /// Who pays the bytes of a signature: 1 array head, 2 byte-string head, 1 type and 65 of signature.
    public static let signatureOverhead: UInt64 = 69
}

/// A message with its signature, as blocks have those that are not signed by BLS keys: a CBOR pair.
public struct SignedMessage: Sendable, Equatable {
    public var message: Message
    /// Type and signature.
    public var signature: [UInt8]

    public init(message: Message, signature: [UInt8]) {
        self.message = message
        self.signature = signature
    }

    /// Decodes the pair; of the signature nothing is checked.
    public init(cbor: [UInt8]) throws(MessageError) {
        let item: Range<Int>
        do throws(CborError) {
            var reader = CborReader(cbor)
            try reader.tuple(2)
            let start = reader.position
            try reader.skip()
            item = start..<reader.position
            signature = try reader.byteString()
            try reader.finish()
        } catch { throw MessageError(reason: "\(error)") }
        message = try Message(cbor: Array(cbor[item]))
    }
}

/// Why bytes are no message.
public struct MessageError: Error, Sendable, Equatable, CustomStringConvertible {
    public var reason: String

    public init(reason: String) { self.reason = reason }

    public var description: String { "not a message: \(reason)" }
}

/// Whether a message stands on chain or is made by the node itself.
public enum ApplyKind: String, Sendable {
    /// A chain message with nonce and fees.
    case explicit
    /// Cron or rewards: no nonce, no fees, any sender.
    case implicit
}
