import Bundle
import Foundation
import GasSchedule
import Genesis
import IPLD
import Kernel
import Machine
import Primitives
import StateTree
import TestSupport
import Testing
import WasmReference

/// What docs/erc20.md shows comes from compiled actors; the interpreter uses the same gas and makes the same contract.
@Suite struct DocumentedTokenTests {
    private static let alice = try! Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 0x11, count: 20))
    private static let bob = try! Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 0x22, count: 20))
    private static let contract = "f410fr55el266awjzfzdki3omcsvsi2a2sypkyciad4q"

    /// Gas of the deployment, as `Scripts/erc20.sh` checks it.
    @Test(arguments: [(Era.all[0], 14_578_719), (Era.all[5], 14_349_706)] as [(Era, UInt64)])
    func theInterpreterDeploysTheToken(_ era: Era, _ gas: UInt64) throws {
        guard let bundle = try bundle(era.bundle) else { return }
        let version = NetworkVersion(rawValue: era.version)
        var request = GenesisRequest(networkVersion: version)
        request.chainID = 31_415_926
        request.accounts = [
            .init(address: Self.alice, balance: TokenAmount(1_000) * Wallet.fil),
            .init(address: Self.bob, balance: TokenAmount(10) * Wallet.fil),
        ]
        let genesis = try Genesis(request, bundle: bundle, engine: ReferenceEngine.fvm())
        let store = MemoryBlockstore()
        for block in try genesis.car(includingCode: true).blocks { try store.put(block.cid, block.data) }
        let machine = try Machine(
            network: NetworkFacts(
                profile: try .forVersion(version), epoch: 1, timestamp: 30, baseFee: TokenAmount(100),
                circulatingSupply: GenesisRequest.totalSupply, chainID: 31_415_926),
            stateRoot: genesis.root, store: store, engine: ReferenceEngine.fvm(), externs: NoExterns())

        let text = try String(contentsOfFile: packageRoot + "/Tests/Samples/contracts/erc20.hex", encoding: .utf8)
        let code = try #require(Hex.decode(String(text.dropFirst(2)).trimmingCharacters(in: .whitespacesAndNewlines)))
        let supply = [UInt8](repeating: 0, count: 30) + [0x03, 0xE8]
        let message = Message(
            to: .id(10), from: Self.alice, nonce: 0, value: .zero, gasLimit: 1_000_000_000, feeCap: TokenAmount(1_000),
            premium: .zero, method: 4, params: CborWriter.byteString(code + supply))
        let result = try Executor(machine).apply(
            message, kind: .explicit, chainLength: UInt64(try message.encoded().count) + Message.signatureOverhead)
        #expect(result.receipt.exitCode == .ok && result.receipt.gasUsed == gas, "\(result.receipt)")
        let id = try #require(try machine.state.resolve(try Address(text: Self.contract)))
        #expect(try machine.state.actor(id)?.code == bundle.manifest.code(named: "evm"))
    }
}

private final class NoExterns: Externs {
    let proofs: any ProofSyscalls = ConformanceProofs()

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { throw .refused("none") }
    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { throw .refused("none") }
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid { throw .refused("none") }
    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { nil }
}
