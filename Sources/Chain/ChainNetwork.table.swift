// Heights: Lotus, build/buildconstants/params_mainnet.go and params_calibnet.go, chain/consensus/filcns/upgrades.go.
// Genesis blocks: those that Lotus ships (build/genesis). Older versions ran no WASM; 16 and 17 ran other machines.

extension ChainNetwork {
    /// 300 million FIL, of every network's genesis (FVM chain layer 2.4).
    public static let usualReserve = [Reserve(from: 0, fil: 300_000_000)]
    /// The beacon of new networks.
    public static let usualDrand = [
        Drand(from: 0, period: Drand.quicknet.period, genesis: Drand.quicknet.genesis)
    ]

    /// The networks with a genesis of their own that is known here.
    public static let table: [ChainNetwork] = [
        ChainNetwork(
            name: "mainnet", genesis: "bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2",
            genesisTimestamp: 1_598_306_400, chainID: 314,
            upgrades: rows([
                (16, 1_960_320), (17, 2_383_680), (18, 2_683_348), (19, 2_809_800), (20, 2_870_280), (21, 3_469_380),
                (22, 3_855_360), (23, 4_154_640), (24, 4_461_240), (25, 4_878_840), (26, 5_138_040), (27, 5_348_280),
                (28, 6_052_800), (29, 6_470_279),
            ]),
            migrations: [
                1_960_320, 2_383_680, 2_683_348, 2_809_800, 3_469_380, 3_855_360, 4_154_640, 4_461_240, 4_878_840,
                5_348_280, 6_052_800, 6_470_279,
            ],
            smoke: 51_000, breeze: 41_280, hyperdrive: 892_800, liftoff: 148_888,
            drand: [
                Drand(from: 0, period: Drand.incentinet.period, genesis: Drand.incentinet.genesis),
                Drand(from: 51_000, period: Drand.mainnet.period, genesis: Drand.mainnet.genesis),
                Drand(from: 3_855_480, period: Drand.quicknet.period, genesis: Drand.quicknet.genesis),
            ]),
        ChainNetwork(
            name: "calibrationnet", genesis: "bafy2bzacecyaggy24wol5ruvs6qm73gjibs2l2iyhcqmvi7r7a4ph7zx3yqd4",
            genesisTimestamp: 1_667_326_380, chainID: 314_159,
            upgrades: rows([
                (16, 510), (17, 16_800), (18, 322_354), (19, 489_094), (20, 492_214), (21, 1_013_134),
                (22, 1_427_974), (23, 1_779_094), (24, 2_078_794), (25, 2_523_454), (26, 2_543_614), (27, 3_007_294),
                (28, 3_694_534), (29, 4_109_133),
            ]),
            // Four more than the versions': fixes of actors.
            migrations: [
                510, 16_800, 322_354, 489_094, 1_013_134, 1_070_494, 1_108_174, 1_427_974, 1_493_854, 1_779_094,
                2_078_794, 2_523_454, 2_558_014, 3_007_294, 3_694_534, 4_109_133,
            ],
            smoke: -2, breeze: -1, hyperdrive: 420, liftoff: -5,
            // FIP-0100 gave the test network's reserve more.
            reserve: usualReserve + [Reserve(from: 25, fil: 1_200_000_000)],
            drand: [
                Drand(from: 0, period: Drand.mainnet.period, genesis: Drand.mainnet.genesis),
                Drand(from: 1_428_094, period: Drand.quicknet.period, genesis: Drand.quicknet.genesis),
            ], faultPause: 1_070_494),
    ]

    private static func rows(_ rows: [(version: UInt32, height: Int64)]) -> [Upgrade] {
        rows.map { Upgrade(version: $0.version, height: $0.height) }
    }
}
