/// The hash functions that actors can call, by their multihash numbers (FVM syscall layer, "hash codes").
public enum HashFunction: UInt64, Sendable, Hashable, CaseIterable {
    case sha2256 = 0x12
    case keccak256 = 0x1b
    case ripemd160 = 0x1053
    case blake2b256 = 0xb220
    case blake2b512 = 0xb240
}
