import Bundle
import Captures
import CodeSettings
import TestSupport
import Testing
import WasmFormat

@testable import Witness

/// The part of the witness of actors (`make witness`) that every test run repeats.
@Suite(.serialized) struct ActorTests {
    private func bundle() throws -> ActorBundle? {
        guard let path = sharedData("bundles/builtin-actors-mainnet-v10.car.zst") else { return nil }
        return try ActorBundle.open(path: path)
    }

    private func actor(_ name: String) throws -> [UInt8]? {
        guard let bundle = try bundle() else { return nil }
        return bundle.codes.first { $0.name == name }.flatMap { bundle.code($0.cid) }
    }

    @Test func functionsOfSmallActorsAgree() throws {
        for name in ["ethaccount", "system"] {
            guard let wasm = try actor(name) else { return }
            let effort = WitnessEffort(inputs: 24, rounds: 1, functions: 40)
            let ledger = try ActorWitness().check(wasm, Tier.allCases, effort: effort, seed: 1)
            #expect(ledger.differing.isEmpty, "\(name): \(ledger.differences)")
            #expect(ledger.witnessed == min(40, ledger.functions) && ledger.fewest >= 24)
            #expect(ledger.returned > 0 && ledger.reached > 0)
        }
    }

    /// Calls out of messages, repeated one by one, reach what the messages reached: what they found and what the host
    /// answered was captured rightly. With variations they reach more.
    @Test func callsOfReplayedMessagesAreRepeatedAsTheyWere() throws {
        let vectors = [
            "account_AuthenticateMessage__Ok__1", "account_PubkeyAddress__Ok__1", "account_PubkeyAddress__16__1",
        ].compactMap { sharedData("vectors/golden/nv18/builtin__\($0).json") }
        guard vectors.count == 3, let bundle = try bundle() else { return }
        let captures = try CapturedCalls(vectors, bundle: bundle, networkVersions: [18], actors: ["account"])
        #expect(captures.vectors == 3 && captures.failures.isEmpty)
        let key = try #require(bundle.manifest.code(named: "account"))
        let wasm = try #require(bundle.code(key))
        let calls = captures.of(key.bytes)
        let messages = captures.reachedBlocks(key.bytes)
        func check(_ inputs: Int, _ rounds: Int) throws -> ActorLedger {
            let effort = WitnessEffort(inputs: inputs, rounds: rounds)
            let ledger = try ActorWitness().check(wasm, Tier.allCases, effort: effort, calls: calls, seed: 1)
            #expect(ledger.differing.isEmpty, "\(ledger.differences)")
            #expect(ledger.captured == Set(calls.map(\.function)).count && ledger.witnessed == ledger.functions)
            return ledger
        }
        let repeated = try check(0, 0)
        #expect(messages > 0 && repeated.reached == messages)
        #expect(repeated.calls == calls.count && repeated.returned > calls.count / 2)
        let varied = try check(1, 2)
        #expect(varied.reached > messages && varied.calls > calls.count)
    }

    /// Compiled code whose stores go four bytes too far, in some functions, is found in most of them.
    @Test(arguments: Tier.allCases)
    func wrongCodeIsFound(_ tier: Tier) throws {
        guard let wasm = try actor("ethaccount") else { return }
        var changed: Set<Int> = []
        let source = try WitnessedActor(wasm, seed: 1) { module in
            for body in stride(from: 0, to: module.bodies.count, by: 20) {
                let store = module.bodies[body].instructions.firstIndex { $0.opcode == .i32Store }
                guard let store else { continue }
                module.bodies[body].instructions[store].bits += 4
                changed.insert(module.importedFunctionCount + body)
            }
        }
        let right = try WitnessedActor(wasm, seed: 1)
        let effort = WitnessEffort(inputs: 24, rounds: 0)
        let ledger = try ActorWitness().check(right, compiledFrom: source, [tier], effort: effort, seed: 1)
        let found = ledger.differing[tier, default: []].intersection(changed)
        #expect(changed.count > 5 && found.count > changed.count / 2, "\(found.count) of \(changed.count)")
        #expect(ledger.differences[tier]?.isEmpty == false)
    }

    /// Names are added to the module; the code of its functions stays what is shipped.
    @Test(arguments: Tier.allCases)
    func theWitnessedCodeIsTheShippedCode(_ tier: Tier) throws {
        guard let wasm = try actor("ethaccount") else { return }
        #expect(try ActorWitness().hasShippedCode(wasm, tier))
    }
}
