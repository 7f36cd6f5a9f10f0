import Primitives

/// Actor ids and addresses the machine and its kernel know by heart (FVM machine specification, section 1).
public enum Singleton {
    public static let system: UInt64 = 0
    public static let initActor: UInt64 = 1
    /// Receives the miners' tips.
    public static let reward: UInt64 = 2
    /// Namespace of `f410` addresses.
    public static let ethereumAddressManager: UInt64 = 10
    public static let burntFunds: UInt64 = 99

    /// The BLS public key that is the point at infinity; nobody may hold an account under it.
    public static let blsZeroKey = Address.Payload.bls([0xc0] + [UInt8](repeating: 0, count: 47))
}

/// Method numbers with a meaning of their own.
public enum Method {
    /// Moves the value and runs no code.
    public static let send: UInt64 = 0
    public static let constructor: UInt64 = 1
}
