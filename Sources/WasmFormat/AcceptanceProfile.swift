/// Which modules are accepted. There are exactly two profiles; only the harness of the core spec's test suite
/// uses the second.
public struct AcceptanceProfile: Sendable, Hashable {
    /// Imports of tables, memories and globals are let through to the linker.
    public let linksEverything: Bool
    /// What the reference's instrumentation refuses because of a module's sections (a module without functions,
    /// segment offsets and element expressions that it does not understand) is refused.
    public let refusesUninstrumentableSections: Bool

    /// The FVM's own, for every network version (ref-fvm `engine/mod.rs`).
    public static let fvm = AcceptanceProfile(linksEverything: false, refusesUninstrumentableSections: true)
    /// The same features, but modules that import what the test suite's host offers, and modules that the
    /// instrumentation would refuse for their sections alone, pass.
    public static let suite = AcceptanceProfile(linksEverything: true, refusesUninstrumentableSections: false)
}
