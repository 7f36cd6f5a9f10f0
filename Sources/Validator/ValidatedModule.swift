import WasmFormat

/// A module that passed validation; nothing else makes one.
public struct ValidatedModule: Sendable {
    /// The module, unchanged.
    public let module: Module
    /// What validation found about the structure of each body, in the order of the bodies.
    public let sideTables: [SideTable]

    /// Checks every rule of core spec chapter 3, without multi-value and with `funcref` as the only reference.
    ///
    /// Both profiles have the same features, so the profile has no say here.
    public static func validate(_ module: Module, profile: AcceptanceProfile) throws(Refusal) -> ValidatedModule {
        let context = ModuleContext(module)
        try ModuleValidator(context: context).validate()
        return ValidatedModule(module: module, sideTables: try validateBodies(context))
    }

    /// Types the bodies again as they would be with other globals at the same indices: the reference's
    /// instrumentation moves every global, and a module that imports one then names its neighbour.
    public func revalidateBodies(globals: [GlobalType]) throws(Refusal) {
        _ = try Self.validateBodies(ModuleContext(module, globalTypes: globals))
    }

    private static func validateBodies(_ context: ModuleContext) throws(Refusal) -> [SideTable] {
        var validator = FunctionValidator(context: context)
        var tables: [SideTable] = []
        tables.reserveCapacity(context.module.bodies.count)
        for index in context.module.bodies.indices { tables.append(try validator.validate(body: index)) }
        return tables
    }
}
