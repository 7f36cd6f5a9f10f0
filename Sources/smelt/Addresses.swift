import Primitives
import StateTree

/// Addresses as people write them on the command line.
enum AddressText {
    /// `f…`, `t…` (the same on a test network), or `0x` and 20 bytes in hexadecimal for an Ethereum address.
    static func parse(_ text: String) throws(CommandFailure) -> Address {
        do throws(AddressError) {
            if text.hasPrefix("0x") || text.hasPrefix("0X") {
                guard let bytes = Hex.decode(String(text.dropFirst(2)).lowercased()), bytes.count == Address.hashLength
                else { throw AddressError.payloadLength(.delegated, text.utf8.count / 2 - 1) }
                return try .delegated(namespace: Singleton.ethereumAddressManager, subaddress: bytes)
            }
            return try Address(text: text, network: text.hasPrefix("t") ? .testnet : .mainnet)
        } catch {
            throw CommandFailure(.badInput, "'\(text)' is no address: \(error)")
        }
    }

    /// The Ethereum form of an `f410` address; nil for any other.
    static func ethereum(_ address: Address?) -> String? {
        guard case .delegated(Singleton.ethereumAddressManager, let subaddress)? = address?.payload,
            subaddress.count == Address.hashLength
        else { return nil }
        return "0x" + Hex.encode(subaddress)
    }
}
