// Heights: Lotus, build/buildconstants/params_mainnet.go and params_calibnet.go, chain/consensus/filcns/upgrades.go.
// Genesis blocks: those that Lotus ships (build/genesis). Older versions ran no WASM; 16 and 17 ran other machines.

extension ChainNetwork {
    static let table: [ChainNetwork] = [
        ChainNetwork(
            name: "mainnet", genesis: "bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2",
            genesisTimestamp: 1_598_306_400,
            upgrades: [
                (16, 1_960_320), (17, 2_383_680), (18, 2_683_348), (19, 2_809_800), (20, 2_870_280), (21, 3_469_380),
                (22, 3_855_360), (23, 4_154_640), (24, 4_461_240), (25, 4_878_840), (26, 5_138_040), (27, 5_348_280),
                (28, 6_052_800), (29, 6_470_279),
            ],
            smoke: 51_000, breeze: 41_280),
        ChainNetwork(
            name: "calibrationnet", genesis: "bafy2bzacecyaggy24wol5ruvs6qm73gjibs2l2iyhcqmvi7r7a4ph7zx3yqd4",
            genesisTimestamp: 1_667_326_380,
            upgrades: [
                (16, 510), (17, 16_800), (18, 322_354), (19, 489_094), (20, 492_214), (21, 1_013_134),
                (22, 1_427_974), (23, 1_779_094), (24, 2_078_794), (25, 2_523_454), (26, 2_543_614), (27, 3_007_294),
                (28, 3_694_534), (29, 4_109_133),
            ],
            smoke: -2, breeze: -1),
    ]
}
