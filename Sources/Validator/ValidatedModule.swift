import WasmFormat

/// A module that passed validation; nothing else makes one.
public struct ValidatedModule: Sendable {
    /// The module, unchanged.
    public let module: Module

    /// Checks every rule of core spec chapter 3, without multi-value and with `funcref` as the only reference.
    ///
    /// Both profiles have the same features, so the profile has no say here.
    public static func validate(_ module: Module, profile: AcceptanceProfile) throws(Refusal) -> ValidatedModule {
        let context = ModuleContext(module)
        try ModuleValidator(context: context).validate()
        try validateBodies(context)
        return ValidatedModule(module: module)
    }

    /// Types the bodies again as they would be with other globals at the same indices: the reference's
    /// instrumentation moves every global, and a module that imports one then names its neighbour.
    public func revalidateBodies(globals: [GlobalType]) throws(Refusal) {
        try Self.validateBodies(ModuleContext(module, globalTypes: globals))
    }

    private static func validateBodies(_ context: ModuleContext) throws(Refusal) {
        var validator = FunctionValidator(context: context)
        for index in context.module.bodies.indices { try validator.validate(body: index) }
    }
}
