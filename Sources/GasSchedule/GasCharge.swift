/// One charge: what it is called in traces and its two parts in milligas. Only the sum counts for gas.
public struct GasCharge: Sendable, Hashable {
    /// As traces show it.
    public var name: String
    /// Milligas for computing.
    public var compute: UInt64
    /// Milligas for everything else, storage above all.
    public var other: UInt64

    public init(_ name: String, compute: UInt64 = 0, other: UInt64 = 0) {
        self.name = name
        self.compute = compute
        self.other = other
    }

    /// The sum, saturating.
    public var total: UInt64 { compute.addingSaturating(other) }
}
