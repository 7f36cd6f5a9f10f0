/// A named level of the x86-64 psABI that an object may require. Named, and never detected when compiling, so
/// that the same inputs give the same object on every machine.
public enum CPULevel: String, Sendable, Hashable, CaseIterable {
    /// SSE4.2, POPCNT, CMPXCHG16B: every x86-64 server processor since 2009.
    case v2 = "x86-64-v2"
    /// AVX2, BMI2, LZCNT, MOVBE, FMA (which compiled code never uses to contract).
    case v3 = "x86-64-v3"

    /// The default of the command line and of keys.
    public static let standard = CPULevel.v2

    /// The level's number in the psABI.
    public var number: Int32 {
        switch self {
        case .v2: 2
        case .v3: 3
        }
    }
}
