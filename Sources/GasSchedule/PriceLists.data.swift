// The price lists as data, in milligas. Sources: ref-fvm v3.14.1 (hygge) and v4.8.2 (watermelon, teep).

extension PriceList {
    /// nv18 to nv20.
    public static let hygge = PriceList(
        id: .hygge,
        wasm: .fvm,
        onChainMessageCompute: LinearCost(flat: 38_863_000),
        onChainMessageStorage: LinearCost(flat: 46_800_000, scale: 1_300_000),
        onChainReturnCompute: LinearCost(),
        onChainReturnStorage: LinearCost(scale: 1_300_000),
        sendTransferFunds: 6_000_000,
        sendInvokeMethod: 75_000_000,
        actorLookup: 500_000_000,
        actorUpdate: 475_000_000,
        actorCreateStorage: 650_000_000,
        addressLookup: 1_050_000_000,
        addressAssignment: 1_000_000_000,
        secp256k1Signature: LinearCost(flat: 1_637_292_000, scale: 10_000),
        blsSignature: LinearCost(flat: 16_598_605_000, scale: 26_000),
        secp256k1Recover: 1_637_292_000,
        blsPairing: 0,
        blsHashing: LinearCost(),
        sha2256: LinearCost(scale: 7_000),
        blake2b256: LinearCost(scale: 10_000),
        blake2b512: LinearCost(scale: 10_000),
        keccak256: LinearCost(scale: 33_000),
        ripemd160: LinearCost(scale: 35_000),
        computeUnsealedSectorCid: 98_647_000,
        verifySeal: 2_000_000,
        verifyAggregateSeal: [
            AggregateSealCost(.stackedDRG32GiBV1P1, perSector: 449_900_000, steps: interactive32GiB),
            AggregateSealCost(.stackedDRG64GiBV1P1, perSector: 359_272_000, steps: interactive64GiB),
        ],
        verifyPost: LinearCost(flat: 117_680_921_000, scale: 43_780_000),
        verifyConsensusFault: 516_422_000,
        verifyReplicaUpdate: 36_316_136_000,
        blockAllocate: LinearCost(scale: 2_000),
        blockMemcpy: LinearCost(scale: 400),
        blockMemoryRetentionMinimum: LinearCost(scale: 10_000),
        blockOpen: LinearCost(flat: 187_440_000),
        blockOpenForm: .perByte,
        blockPersistStorage: LinearCost(flat: 334_000_000, scale: 3_340_000),
        blockPersistCompute: 172_000_000,
        ipldScanPerCid: 0,
        ipldScanPerField: 0,
        ipldLinkTracked: 0,
        ipldLinkChecked: 0,
        builtinActorManifestLookup: 0,
        networkContext: 0,
        messageContext: 0,
        installWasmPerByte: 0,
        tipsetCid: .byAge(latest: 50_000_000, historical: 215_000_000),
        randomness: .byEntropy(seed: 21_000_000),
        events: .encoded(
            validation: LinearCost(flat: 1_750_000, scale: 25_000), acceptPerIndexElement: LinearCost()),
        hostCall: 14_000_000)

    /// nv21 to nv24: FIP-0071 (link tracking), FIP-0072 (events), FIP-0073 (self-destruct needs no price),
    /// randomness by lookback, BLS aggregates.
    public static let watermelon = hygge.with {
        $0.id = .watermelon
        $0.blsPairing = 8_299_302_000
        $0.blsHashing = LinearCost(scale: 7_000)
        $0.blockOpenForm = .withLinks
        $0.ipldScanPerCid = 400_000
        $0.ipldScanPerField = 35_000
        $0.ipldLinkTracked = 300_000
        $0.ipldLinkChecked = 300_000
        $0.tipsetCid = .byLookback(LinearCost(flat: 146_200_000, scale: 75_000))
        $0.randomness = .byLookback(LinearCost(flat: 146_200_000, scale: 75_000))
        $0.events = .entries(
            perEntry: LinearCost(flat: 2_000_000, scale: 1_400_000),
            utf8Validation: LinearCost(flat: 500_000, scale: 16_000))
    }

    /// nv25 to nv29: prices of seal verification.
    public static let teep = watermelon.with {
        $0.id = .teep
        $0.verifySeal = 42_000_000_000
        $0.verifyAggregateSeal += [
            AggregateSealCost(
                .stackedDRG32GiBV1P2NonInteractive, perSector: 5_668_740_000,
                steps: nonInteractive(interactive32GiB)),
            AggregateSealCost(
                .stackedDRG64GiBV1P2NonInteractive, perSector: 4_526_928_000,
                steps: nonInteractive(interactive64GiB)),
        ]
    }

    private static let interactive32GiB = StepCost([
        (4, 103_994_170_000), (7, 112_356_810_000), (13, 122_912_610_000), (26, 137_559_930_000),
        (52, 162_039_100_000), (103, 210_960_780_000), (205, 318_351_180_000), (410, 528_274_980_000),
    ])

    private static let interactive64GiB = StepCost([
        (4, 102_581_240_000), (7, 110_803_030_000), (13, 120_803_700_000), (26, 134_642_130_000),
        (52, 157_357_890_000), (103, 203_017_690_000), (205, 304_253_590_000), (410, 509_880_640_000),
    ])

    /// A non-interactive proof verifies as much as an interactive aggregate of more sectors: the same costs
    /// from the second step on, reached earlier.
    private static func nonInteractive(_ interactive: StepCost) -> StepCost {
        StepCost(zip([1, 2, 3, 5, 9, 17, 33], interactive.steps.dropFirst()).map { ($0, $1.cost) })
    }
}
