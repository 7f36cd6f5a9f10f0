// Which bundle is which. Actors by network version: Lotus, chain/actors/version.go and build/buildconstants
// (params_mainnet.go). Roots: Forest, src/networks/actors_bundle.rs; mainnet's v18.0.0 by the released file itself.

extension ReleasedBundles {
    /// Ascending. Network versions 20 and 26 came without new actors.
    static let actors: [(version: Int, networkVersions: [UInt32])] = [
        (10, [18]), (11, [19, 20]), (12, [21]), (13, [22]), (14, [23]), (15, [24]), (16, [25, 26]), (17, [27]),
        (18, [28]),
    ]

    static let releases: [Release] = [
        row("bafy2bzacecsuyf7mmvrhkx2evng5gnz5canlnz2fdlzu2lvcgptiq2pzuovos", "v10.0.0", "mainnet"),
        row("bafy2bzacecnhaiwcrpyjvzl4uv4q3jzoif26okl3m66q3cijp3dfwlcxwztwo", "v11.0.0", "mainnet"),
        row("bafy2bzaceapkgfggvxyllnmuogtwasmsv5qi2qzhc2aybockd6kag2g5lzaio", "v12.0.0", "mainnet"),
        row("bafy2bzacecdhvfmtirtojwhw2tyciu4jkbpsbk5g53oe24br27oy62sn4dc4e", "v13.0.0", "mainnet"),
        row("bafy2bzacecbueuzsropvqawsri27owo7isa5gp2qtluhrfsto2qg7wpgxnkba", "v14.0.0", "mainnet"),
        row("bafy2bzaceakwje2hyinucrhgtsfo44p54iw4g6otbv5ghov65vajhxgntr53u", "v15.0.0", "mainnet"),
        row("bafy2bzacecnepvsh4lw6pwljobvwm6zwu6mbwveatp7llhpuguvjhjiqz7o46", "v16.0.1", "mainnet"),
        row("bafy2bzaceai74ppsvuxs3nvpzzeuptdr3wl7vmdpbphvtz4qt5hfq2qdfvz3e", "v17.0.0", "mainnet"),
        row("bafy2bzacedxsqapxwj5znwy4leem5gsuenhhfyqcntews3yis5iek67thy6lc", "v18.0.0", "mainnet"),
        row("bafy2bzaced25ta3j6ygs34roprilbtb3f6mxifyfnm7z7ndquaruxzdq3y7lo", "v10.0.0-rc.1", "calibrationnet"),
        row("bafy2bzacedhuowetjy2h4cxnijz2l64h4mzpk5m256oywp4evarpono3cjhco", "v11.0.0-rc2", "calibrationnet"),
        row("bafy2bzacedrunxfqta5skb7q7x32lnp4efz2oq7fn226ffm7fu5iqs62jkmvs", "v12.0.0-rc.1", "calibrationnet"),
        row("bafy2bzacebl4w5ptfvuw6746w7ev562idkbf5ppq72e6zub22435ws2rukzru", "v12.0.0-rc.2", "calibrationnet"),
        row("bafy2bzacednzb3pkrfnbfhmoqtb3bc6dgvxszpqklf3qcc7qzcage4ewzxsca", "v12.0.0", "calibrationnet"),
        row("bafy2bzacea4firkyvt2zzdwqjrws5pyeluaesh6uaid246tommayr4337xpmi", "v13.0.0-rc.3", "calibrationnet"),
        row("bafy2bzacect4ktyujrwp6mjlsitnpvuw2pbuppz6w52sfljyo4agjevzm75qs", "v13.0.0", "calibrationnet"),
        row("bafy2bzacebq3hncszqpojglh2dkwekybq4zn6qpc4gceqbx36wndps5qehtau", "v14.0.0-rc.1", "calibrationnet"),
        row("bafy2bzaceax5zkysst7vtyup4whdxwzlpnaya3qp34rnoi6gyt4pongps7obw", "v15.0.0", "calibrationnet"),
        row("bafy2bzacebc7zpsrihpyd2jdcvmegbbk6yhzkifre3hxtoul5wdxxklbwitry", "v16.0.0-rc3", "calibrationnet"),
        row("bafy2bzacecqtwq6hjhj2zy5gwjp76a4tpcg2lt7dps5ycenvynk2ijqqyo65e", "v16.0.1", "calibrationnet"),
        row("bafy2bzacecn64rlb52rjsvgopnidz6w42z3zobmjxqek5s4xqjh3ly47rcurg", "v17.0.0", "calibrationnet"),
    ]

    private static func row(_ root: String, _ tag: String, _ network: String) -> Release {
        Release(root: root, tag: tag, network: network)
    }
}
