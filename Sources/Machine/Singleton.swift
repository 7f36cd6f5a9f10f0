import Primitives

/// Actor ids and addresses the machine knows by heart (FVM machine specification, section 1).
enum Singleton {
    static let system: UInt64 = 0
    static let initActor: UInt64 = 1
    /// Receives the miners' tips.
    static let reward: UInt64 = 2
    /// Namespace of `f410` addresses.
    static let ethereumAddressManager: UInt64 = 10
    static let burntFunds: UInt64 = 99

    /// Actors every message may read and update free of charge.
    static let preloaded: [UInt64] = [0, 1, 2, 3, 4, 5, 6, 7, ethereumAddressManager, burntFunds]

    /// The BLS public key that is the point at infinity; nobody may hold an account under it.
    static let blsZeroKey = Address.Payload.bls([0xc0] + [UInt8](repeating: 0, count: 47))
}

/// Method numbers with a meaning of their own.
enum Method {
    /// Moves the value and runs no code.
    static let send: UInt64 = 0
    static let constructor: UInt64 = 1
}
