/// How hard the code generator works on a module or a function. Results, gas and traps are the same.
public enum Tier: String, Sendable, Hashable, CaseIterable {
    /// Compiled once, run often.
    case optimised
    /// Nothing is optimised: compiled quickly and in linear time, whatever the module.
    case baseline
}
