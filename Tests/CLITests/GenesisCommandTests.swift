import Foundation
import Primitives
import TestSupport
import Testing

/// `smelt genesis` refuses what makes no state before it runs anything; what it makes is in GenesisTests and ERC20Tests.
@Suite struct GenesisCommandTests {
    private let folder: TemporaryFolder
    private static let alice = try! Address.secp256k1([UInt8](repeating: 0xA1, count: 20)).text()

    init() throws { folder = try TemporaryFolder() }

    private func genesis(
        bundle: String = "v10", version: String = "18", accounts: [String] = [], _ more: String...
    ) throws -> Tool.Run? {
        guard let path = sharedData("bundles/builtin-actors-mainnet-\(bundle).car.zst") else { return nil }
        let run = try Tool.run(
            Tool.binary,
            ["genesis", "--bundle", path, "--network-version", version, "--store", folder.path("store")]
                + ["-o", folder.path("state.car"), "--tier", "baseline"] + accounts.flatMap { ["--account", $0] } + more
        )
        #expect(!FileManager.default.fileExists(atPath: folder.path("state.car")))
        return run
    }

    @Test(arguments: [
        (["f1abc=1"], "'f1abc' is no address"), (["\(alice)=1,5"], "'1,5': not an amount of FIL"),
        ([alice], "ADDRESS=FIL is expected"), (["\(alice)=1", "t\(alice.dropFirst())=2"], "\(alice) is given twice"),
        (["f0100=1"], "f0100 is no account's address"), (["0x00=1"], "'0x00' is no address"),
        (["\(alice)=900000000.000000000000000001"], "900000000 are left beside the reward"),
    ])
    func badAccountsAreBadInput(_ accounts: [String], _ complaint: String) throws {
        guard let run = try genesis(accounts: accounts) else { return }
        #expect(run.status == 2 && run.errors.contains(complaint), "\(run.status) \(run.errors)")
    }

    @Test func versionsAndBundlesThatDoNotFitAreBadInput() throws {
        guard let unknown = try genesis(version: "17"), let old = try genesis(version: "28"),
            let new = try genesis(bundle: "v18", version: "18")
        else { return }
        #expect(unknown.status == 2 && unknown.errors.contains("network version 17 is not known"), "\(unknown.errors)")
        for run in [old, new] {
            #expect(run.status == 2 && run.errors.contains("belongs to network version"), "\(run.errors)")
        }
    }

    @Test func aMinersWorkerHasABLSKey() throws {
        guard let run = try genesis("--miner", Self.alice) else { return }
        #expect(run.status == 2 && run.errors.contains("cannot be a miner's worker"), "\(run.errors)")
    }

    @Test func whatIsNoBundleIsBadInput() throws {
        let path = try folder.write("no bundle", "b.car")
        let run = try Tool.smelt("genesis", "-b", path, "--network-version", "18", "-o", folder.path("s.car"))
        #expect(run.status == 2 && run.errors.contains("b.car"), "\(run.errors)")
    }

    @Test func missingOptionsAreWrongUse() throws {
        let run = try Tool.smelt("genesis", "--network-version", "18")
        #expect(run.status == 64 && run.errors.contains("--bundle"), "\(run.errors)")
    }
}
