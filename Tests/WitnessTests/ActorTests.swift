import Bundle
import CodeSettings
import TestSupport
import Testing

@testable import Witness

/// The part of the witness of actors (`make witness`) that every test run repeats.
@Suite(.serialized) struct ActorTests {
    private func actor(_ name: String) throws -> [UInt8]? {
        guard let path = sharedData("bundles/builtin-actors-mainnet-v10.car.zst") else { return nil }
        let bundle = try ActorBundle.open(path: path)
        return bundle.codes.first { $0.name == name }.flatMap { bundle.code($0.cid) }
    }

    @Test(arguments: Tier.allCases)
    func functionsOfSmallActorsAgree(_ tier: Tier) throws {
        for name in ["ethaccount", "system"] {
            guard let wasm = try actor(name) else { return }
            let ledger = try ActorWitness().check(wasm, tier, inputs: 24, functions: 40, seed: 1)
            #expect(ledger.differenceCount == 0, "\(name): \(ledger.differences)")
            #expect(ledger.witnessed == min(40, ledger.functions) && ledger.returned > 0 && ledger.reached > 0)
        }
    }

    /// Names are added to the module; the code of its functions stays what is shipped.
    @Test(arguments: Tier.allCases)
    func theWitnessedCodeIsTheShippedCode(_ tier: Tier) throws {
        guard let wasm = try actor("ethaccount") else { return }
        #expect(try ActorWitness().hasShippedCode(wasm, tier))
    }
}
