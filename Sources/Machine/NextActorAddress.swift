import Crypto
import IPLD
import Primitives
import StateTree

/// The address the next created actor will have: unique without knowing anything of the chain's future.
enum NextActorAddress {
    /// BLAKE2b-160 of the origin's address as a CBOR byte string, exactly as the message writes it, its nonce
    /// and the number of actors created so far, both as 8 bytes big-endian.
    static func make(origin: Address, nonce: UInt64, created: UInt64) throws(AddressError) -> Address {
        var preimage = CborWriter.byteString(origin.bytes)
        for number in [nonce, created] {
            for shift in stride(from: 56, through: 0, by: -8) {
                preimage.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        return try .actor(creationData: preimage)
    }
}
