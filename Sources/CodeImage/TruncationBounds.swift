/// Which floats truncate to an integer type: from `lowest` (in or out) up to and without `end`. All are exact in
/// the float type they are compared in.
public struct TruncationBounds {
    public var lowest: Double
    public var lowestIsIn: Bool
    public var end: Double

    public init(single: Bool, signed: Bool, wide: Bool) {
        let width = wide ? 64 : 32
        guard signed else {
            lowest = -1
            lowestIsIn = false
            end = Double(sign: .plus, exponent: width, significand: 1)
            return
        }
        end = Double(sign: .plus, exponent: width - 1, significand: 1)
        // Where the float type has numbers between the lowest integer and the one below, those truncate to it.
        lowestIsIn = single || wide
        lowest = lowestIsIn ? -end : -end - 1
    }
}
