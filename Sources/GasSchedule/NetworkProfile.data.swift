import Primitives

// The table of network versions. Sources: ref-fvm v3.14.1 (18 to 20) and v4.8.2 (21 to 28).

extension NetworkProfile.ExecutionLimits {
    /// The same in every version so far (ref-fvm `NetworkConfig` and the engine's pooling allocator).
    public static let fvm = NetworkProfile.ExecutionLimits(
        wasmStack: 2_048, callDepth: 1_024, instanceMemory: 512 << 20, messageMemory: 2 << 30, blockSize: 1 << 20,
        tableElements: 20_000, registryBlocks: (1 << 31) - 1)
}

extension NetworkProfile.Behaviour {
    static let fvm3 = NetworkProfile.Behaviour(
        popsGasLimitOnDepthFailure: false, missingInvokeIsFatal: true, tracksReachability: false,
        chargesNestedReturns: false, tracesImplicitConstructor: true, tipsetLookbackLimit: 900,
        knowsWindowPoStV1: true, knowsNonInteractiveSeals: false)

    static let fvm4 = NetworkProfile.Behaviour(
        popsGasLimitOnDepthFailure: true, missingInvokeIsFatal: false, tracksReachability: true,
        chargesNestedReturns: true, tracesImplicitConstructor: false, tipsetLookbackLimit: nil,
        knowsWindowPoStV1: false, knowsNonInteractiveSeals: true)
}

extension NetworkProfile {
    /// One row per released network version, ascending.
    public static let table: [NetworkProfile] = [
        row(18, .hygge, .v3), row(19, .hygge, .v3), row(20, .hygge, .v3),
        row(21, .watermelon, .v4), row(22, .watermelon, .v4), row(23, .watermelon, .v4), row(24, .watermelon, .v4),
        row(25, .teep, .v4), row(26, .teep, .v4), row(27, .teep, .v4), row(28, .teep, .v4),
    ]

    private static func row(
        _ version: UInt32, _ prices: PriceListID, _ generation: SyscallGeneration
    ) -> NetworkProfile {
        NetworkProfile(
            version: NetworkVersion(rawValue: version), priceList: prices, syscalls: generation, limits: .fvm,
            behaviour: generation == .v3 ? .fvm3 : .fvm4, isExecutable: generation == .v3)
    }
}
