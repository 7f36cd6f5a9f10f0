import IPLD
import JSON
import Primitives
import TestSupport
import Testing

@testable import StateTree

@Suite struct StateTreeTests {
    static let stranger = try! Address.bls([UInt8](repeating: 3, count: 48))

    @Test func anUnchangedTreeFlushesToItsOwnRoot() throws {
        let state = try SmallState()
        let tree = try state.tree()
        #expect(try tree.actor(SmallState.knownID)?.balance == TokenAmount(100))
        #expect(try tree.actor(5555) == nil)
        tree.setActor(101, try #require(try tree.actor(101)))
        #expect(try tree.flush() == state.root)
    }

    @Test func theRootIsAFunctionOfTheContent() throws {
        let state = try SmallState()
        let tree = try state.tree()
        let actor = try #require(try tree.actor(101))
        for id in 200..<260 as Range<UInt64> { tree.setActor(id, actor) }
        let grown = try tree.flush()
        #expect(grown != state.root)
        let again = try StateTree(store: state.store, root: grown)
        #expect(try again.actor(259) == actor)
        for id in 200..<260 as Range<UInt64> { again.deleteActor(id) }
        #expect(try again.flush() == state.root)
    }

    @Test func revertTakesBackWritesDeletionsAndNewAddresses() throws {
        let state = try SmallState()
        let tree = try state.tree()
        tree.begin()
        var actor = try #require(try tree.actor(101))
        actor.balance += TokenAmount(1)
        tree.setActor(101, actor)
        tree.deleteActor(SmallState.knownID)
        #expect(try tree.registerAddress(Self.stranger) == 1000)
        #expect(try tree.resolve(Self.stranger) == 1000)
        tree.end(revert: true)
        #expect(try tree.resolve(Self.stranger) == nil)
        #expect(try tree.actor(SmallState.knownID) != nil)
        #expect(try tree.flush() == state.root)
    }

    @Test func anAddressRegisteredAfterARevertGetsTheSameID() throws {
        let state = try SmallState()
        let tree = try state.tree()
        tree.begin()
        #expect(try tree.registerAddress(Self.stranger) == 1000)
        tree.begin()
        #expect(try tree.registerAddress(try .secp256k1([UInt8](repeating: 8, count: 20))) == 1001)
        tree.end(revert: true)
        #expect(try tree.registerAddress(try .secp256k1([UInt8](repeating: 9, count: 20))) == 1001)
        tree.end(revert: false)
        let reopened = try StateTree(store: state.store, root: try tree.flush())
        #expect(try reopened.resolve(Self.stranger) == 1000)
        #expect(try reopened.resolve(try .secp256k1([UInt8](repeating: 9, count: 20))) == 1001)
        #expect(try reopened.resolve(try .secp256k1([UInt8](repeating: 8, count: 20))) == nil)
        #expect(try reopened.resolve(SmallState.known) == SmallState.knownID)
    }

    @Test func anIDIsItsOwnWhetherOrNotTheActorExists() throws {
        #expect(try SmallState().tree().resolve(.id(.max)) == .max)
    }

    @Test func flushInsideATransactionIsRefused() throws {
        let tree = try SmallState().tree()
        tree.begin()
        #expect(throws: StateError.self) { try tree.flush() }
    }

    @Test func withoutTheInitActorNothingIsResolved() throws {
        let tree = try SmallState().tree()
        tree.deleteActor(Singleton.initActor)
        #expect(throws: StateError.self) { try tree.resolve(SmallState.known) }
        #expect(throws: StateError.self) { try tree.registerAddress(Self.stranger) }
        #expect(try tree.resolve(.id(7)) == 7)
    }

    @Test(arguments: [0, 3, 4, 6])
    func otherVersionsOfTheStateTreeAreRefused(_ version: UInt64) throws {
        let state = try SmallState(version: version)
        do {
            _ = try state.tree()
            Issue.record("version \(version) was taken")
        } catch {
            #expect("\(error)".contains("version \(version)"))
        }
    }

    /// All entries lie in one node, which the reference decodes as a whole.
    @Test func anEntryThatIsNoActorMakesItsNeighboursUnreadable() throws {
        let good = try ActorState.empty(code: SmallState.account, delegatedAddress: nil).encoded()
        var long = good
        long[0] = 0x86
        var signed = good
        signed[signed.count - 2] = 0x41
        signed.insert(2, at: signed.count - 1)
        for raw in [[0x80], [0x01], [0xF6], long + [0xF6], signed] as [[UInt8]] {
            let state = try SmallState(raw: [500: raw])
            #expect(throws: StateError.self) { try state.tree().actor(101) }
        }
        let initActor = try SmallState().tree().actor(Singleton.initActor)
        #expect(initActor != nil)
    }

    @Test func anAmountInAnotherFormIsRewrittenWithItsNode() throws {
        var actor = ActorState.empty(code: SmallState.account, delegatedAddress: nil)
        actor.balance = TokenAmount(100)
        let canonical = try actor.encoded()
        // The same amount with a zero in front of its magnitude.
        let padded = Array(canonical.dropLast(4)) + [0x43, 0, 0, 100, 0xF6]
        #expect(canonical.suffix(4) == [0x42, 0, 100, 0xF6])
        let (plain, odd) = (try SmallState(raw: [500: canonical]), try SmallState(raw: [500: padded]))
        #expect(plain.root != odd.root)
        let (left, right) = (try plain.tree(), try odd.tree())
        #expect(try right.actor(500) == actor)
        #expect(try right.flush() == odd.root, "untouched")
        for tree in [left, right] {
            var other = try #require(try tree.actor(101))
            other.sequence = 9
            tree.setActor(101, other)
        }
        #expect(try left.flush() == right.flush())
    }

    @Test func differencesOfStatesAreNamedByActorAndField() throws {
        let state = try SmallState()
        let tree = try state.tree()
        // Enough actors that the trees have nodes of several levels, most of them equal.
        for id in 1000..<1400 as Range<UInt64> {
            tree.setActor(id, .empty(code: SmallState.account, delegatedAddress: nil))
        }
        let before = try tree.flush()
        var actor = try #require(try tree.actor(101))
        actor.balance += TokenAmount(7)
        actor.sequence = 3
        tree.setActor(101, actor)
        tree.deleteActor(1234)
        let new = ActorState.empty(code: SmallState.account, delegatedAddress: Self.stranger)
        tree.setActor(5000, new)
        let after = try tree.flush()
        let found = try StateDifference.between(before, after, in: state.store)
        #expect(found.map(\.id) == [101, 1234, 5000])
        #expect(
            found[0].fields == [
                .init(name: "nonce", first: "0", second: "3"), .init(name: "balance", first: "101", second: "108"),
            ])
        #expect(found[1].second == nil && found[1].fields.first?.second == "no such actor")
        #expect(found[2].first == nil && found[2].second == new)
        #expect(try StateDifference.between(after, after, in: state.store).isEmpty)
    }

    @Test func aMissingBlockIsNamed() throws {
        let state = try SmallState()
        let empty = MemoryBlockstore()
        #expect(throws: StateError.missingBlock(state.root, "state root")) {
            try StateTree(store: empty, root: state.root)
        }
    }

    @Test func delegatedActorsOfMainnetSurviveDecodingAndEncoding() throws {
        guard let path = sharedData("fvm/selfcheck/delegated_actors.json") else { return }
        let entries = try #require(try JSON.parse(try readFile(path)).array)
        #expect(entries.count == 12)
        for entry in entries {
            let text = try #require(entry["actor_state_cbor"]?.string)
            let bytes = try #require(Hex.decode(text))
            let actor = try ActorState(cbor: bytes)
            #expect(actor.delegatedAddress?.text() == entry["delegated"]?.string)
            #expect(try actor.encoded() == bytes)
        }
    }

    @Test func noBytesCrashTheDecoderOfActors() throws {
        let good = try ActorState.empty(code: SmallState.account, delegatedAddress: Self.stranger).encoded()
        for position in good.indices {
            for value in [0, 0x1b, 0x5f, 0x7f, 0x9f, 0xd8, 0xff] as [UInt8] {
                var bytes = good
                bytes[position] = value
                _ = try? ActorState(cbor: bytes)
            }
            #expect(throws: CborError.self) { try ActorState(cbor: Array(good.prefix(position))) }
        }
    }
}
