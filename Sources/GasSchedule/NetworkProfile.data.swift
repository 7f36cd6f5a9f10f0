import Primitives

// The table of network versions. Sources: ref-fvm v3.14.1 (18 to 20) and v4.8.2 (21 to 29).

extension NetworkProfile.ExecutionLimits {
    /// The same in every version so far (ref-fvm `NetworkConfig` and the engine's pooling allocator).
    public static let fvm = NetworkProfile.ExecutionLimits(
        wasmStack: 2_048, callDepth: 1_024, instanceMemory: 512 << 20, messageMemory: 2 << 30, blockSize: 1 << 20,
        tableElements: 20_000, registryBlocks: (1 << 31) - 1)
}

extension NetworkProfile.Behaviour {
    /// ref-fvm 3.14.1.
    static let fvm3 = NetworkProfile.Behaviour(
        popsGasLimitOnDepthFailure: false, entryPoint: .typed, tracksReachability: false,
        chargesNestedReturns: false, tracesImplicitConstructor: true, tipsetLookbackLimit: 900,
        knowsNonInteractiveSeals: false, deductsNegativeAmounts: true, receipt: .withEventsRoot)

    /// ref-fvm 4.8.2.
    static let fvm4 = NetworkProfile.Behaviour(
        popsGasLimitOnDepthFailure: true, entryPoint: .calledAnyway, tracksReachability: true,
        chargesNestedReturns: true, tracesImplicitConstructor: false, tipsetLookbackLimit: nil,
        knowsNonInteractiveSeals: true, deductsNegativeAmounts: false, receipt: .withEventsRoot)
}

extension NetworkProfile {
    /// One row per released network version, ascending. nv29 is nv28 with other actors.
    public static let table: [NetworkProfile] = [
        row(18, .hygge), row(19, .hygge), row(20, .hygge),
        row(21, .watermelon), row(22, .watermelon), row(23, .watermelon), row(24, .watermelon),
        row(25, .teep), row(26, .teep), row(27, .teep), row(28, .teep), row(29, .teep),
    ]

    private static func row(_ version: UInt32, _ prices: PriceListID) -> NetworkProfile {
        let behaviour: Behaviour =
            switch PriceList.named(prices).generation {
            case .v3: .fvm3
            case .v4: .fvm4
            }
        return NetworkProfile(
            version: NetworkVersion(rawValue: version), priceList: prices, limits: .fvm, behaviour: behaviour)
    }
}
