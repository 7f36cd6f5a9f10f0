import IPLD
import Primitives
import StateTree
import Testing

@testable import Machine

/// What an executor does without running any actor.
@Suite struct ExecutorTests {
    static let length: UInt64 = 100
    /// 560,663 + 1300 per byte.
    static let inclusion: UInt64 = 690_663

    func message(
        from: Address = .id(SyntheticState.sender), to: Address = .id(SyntheticState.receiver), nonce: UInt64 = 0,
        value: TokenAmount = .zero, gasLimit: UInt64 = 10_000_000, feeCap: UInt64 = 100, premium: UInt64 = 1,
        method: UInt64 = 0, params: [UInt8] = []
    ) -> Message {
        Message(
            to: to, from: from, nonce: nonce, value: value, gasLimit: gasLimit, feeCap: TokenAmount(feeCap),
            premium: TokenAmount(premium), method: method, params: params)
    }

    func apply(
        _ message: Message, on machine: Machine, kind: ApplyKind = .explicit
    ) throws -> ApplyResult {
        try Executor(machine).apply(message, kind: kind, chainLength: Self.length)
    }

    @Test func plainTransferCostsWhatTheSpecificationSays() throws {
        let machine = try SyntheticState().machine()
        let result = try apply(message(value: TokenAmount(5)), on: machine)
        #expect(result.receipt.exitCode == .ok)
        #expect(result.receipt.gasUsed == Self.inclusion + 6000 + 475_000)
        #expect(try machine.state.actor(SyntheticState.receiver)?.balance == TokenAmount(5))
        #expect(try machine.state.actor(SyntheticState.sender)?.sequence == 1)
        #expect(result.events.isEmpty && result.receipt.eventsRoot == nil)
    }

    @Test func transferToSelfWritesNothingAndCostsNoUpdate() throws {
        let machine = try SyntheticState().machine()
        let result = try apply(message(to: .id(SyntheticState.sender), value: TokenAmount(5)), on: machine)
        #expect(result.receipt.gasUsed == Self.inclusion + 6000)
    }

    @Test func moneyIsNeitherMadeNorLost() throws {
        let machine = try SyntheticState().machine()
        _ = try apply(message(value: TokenAmount(5)), on: machine)
        var sum = TokenAmount.zero
        for id in [2, 99, SyntheticState.sender, SyntheticState.receiver] {
            sum += try #require(try machine.state.actor(id)).balance
        }
        #expect(sum == SyntheticState.fortune)
    }

    @Test func tooLittleGasForInclusionComesBeforeTheSender() throws {
        let machine = try SyntheticState().machine()
        let result = try apply(message(from: .id(5555), gasLimit: Self.inclusion - 1), on: machine)
        #expect(result.receipt.exitCode == .sysOutOfGas)
        #expect(result.receipt.gasUsed == 0)
        #expect(result.gas == GasOutputs(penalty: TokenAmount(100 * Self.inclusion)))
    }

    @Test func rejectedMessagesLeaveTheStateAlone() throws {
        let cases: [(Message, ExitCode)] = [
            (message(from: .id(5555)), .sysSenderInvalid),
            (message(from: try .secp256k1([UInt8](repeating: 9, count: 20))), .sysSenderInvalid),
            (message(from: .id(2)), .sysSenderInvalid),
            (message(nonce: 1), .sysSenderStateInvalid),
            (message(feeCap: .max), .sysSenderStateInvalid),
            (message(from: .id(SyntheticState.placeholder), nonce: 3), .sysSenderStateInvalid),
        ]
        let state = try SyntheticState()
        for (message, code) in cases {
            let trace = TraceRecording()
            let machine = try state.machine(trace: trace)
            let result = try apply(message, on: machine)
            #expect(result.receipt.exitCode == code)
            #expect(result.receipt.gasUsed == 0)
            #expect(result.gas == GasOutputs(penalty: TokenAmount(100) * TokenAmount(message.gasLimit)))
            #expect(trace.events.isEmpty)
            #expect(try machine.flush() == state.root)
        }
    }

    @Test func balanceEqualToTheGasCostIsEnough() throws {
        let machine = try SyntheticState().machine()
        let result = try apply(message(gasLimit: 10_000_000, feeCap: 100_000_000_000, premium: 0), on: machine)
        #expect(result.receipt.exitCode == .ok)
    }

    @Test func placeholderBecomesAnEthereumAccountEvenWhenItsMessageFails() throws {
        let machine = try SyntheticState().machine()
        let result = try apply(
            message(
                from: .id(SyntheticState.placeholder), value: SyntheticState.fortune), on: machine)
        #expect(result.receipt.exitCode == .sysInsufficientFunds)
        let actor = try #require(try machine.state.actor(SyntheticState.placeholder))
        #expect(actor.code == SyntheticState.code("ethaccount"))
        #expect(actor.sequence == 1)
        #expect(actor.delegatedAddress == SyntheticState.placeholderAddress)
    }

    @Test func missingReceiversFailByTheirKindOfAddress() throws {
        let cases: [(Address, ExitCode)] = [
            (.id(5555), .sysInvalidReceiver),
            (try .actor([UInt8](repeating: 7, count: 20)), .sysInvalidReceiver),
            (try .delegated(namespace: 99, subaddress: [1]), .sysInvalidReceiver),
            (try .bls([0xc0] + [UInt8](repeating: 0, count: 47)), .sysAssertionFailed),
        ]
        for (address, code) in cases {
            let result = try apply(message(to: address), on: try SyntheticState().machine())
            #expect(result.receipt.exitCode == code)
            #expect(result.receipt.gasUsed == Self.inclusion)
            #expect(result.failure?.isEmpty == false)
        }
    }

    @Test func transferToAnUnknownEthereumAddressMakesAPlaceholder() throws {
        let machine = try SyntheticState().machine()
        let address = try Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 5, count: 20))
        let result = try apply(message(to: address, value: TokenAmount(3)), on: machine)
        #expect(result.receipt.exitCode == .ok)
        #expect(result.receipt.gasUsed == Self.inclusion + 2_700_000 + 975_000 + 6000)
        #expect(try machine.state.resolve(address) == 1000)
        let actor = try #require(try machine.state.actor(1000))
        #expect(actor.code == SyntheticState.code("placeholder"))
        #expect(actor.delegatedAddress == address)
        #expect(actor.balance == TokenAmount(3))
    }

    @Test func creationOfAReceiverIsRolledBackWithTheTransfer() throws {
        let machine = try SyntheticState().machine()
        let address = try Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 5, count: 20))
        let result = try apply(message(to: address, value: SyntheticState.fortune + TokenAmount(1)), on: machine)
        #expect(result.receipt.exitCode == .sysInsufficientFunds)
        #expect(try machine.state.resolve(address) == nil)
        #expect(try machine.state.actor(1000) == nil)
    }

    @Test func negativeValueIsAnAssertionFailure() throws {
        let result = try apply(message(value: -TokenAmount(1)), on: try SyntheticState().machine())
        #expect(result.receipt.exitCode == .sysAssertionFailed)
    }

    @Test func missingCodeOfAnActorOutsideTheBundleIsFatalAndTakesTheWholeLimit() throws {
        let machine = try SyntheticState().machine()
        let result = try apply(message(to: .id(2), method: 5), on: machine)
        #expect(result.receipt.exitCode == .sysAssertionFailed)
        #expect(result.receipt.gasUsed == 10_000_000)
    }

    /// An engine keeps what it compiled, whoever's state the code came from.
    @Test func codeThatTheStateLacksDoesNotRunBecauseTheEngineHasIt() throws {
        let engine = EagerEngine()
        let state = try SyntheticState()
        let machine = try state.machine(engine: engine)
        var foreign = try #require(try machine.state.actor(SyntheticState.receiver))
        foreign.code = .blake2b256(codec: Cid.raw, data: [9])
        machine.state.setActor(SyntheticState.receiver, foreign)
        let result = try apply(message(method: 5), on: machine)
        #expect(result.receipt.exitCode == .sysAssertionFailed && result.receipt.gasUsed == 10_000_000)
        #expect(result.failure?.cause?.contains(foreign.code.text) == true)
        #expect(engine.asked.isEmpty)
        try state.store.put(foreign.code, [9])
        #expect(throws: ApplyError.self) { try apply(message(nonce: 1, method: 5), on: machine) }
        #expect(engine.asked == [foreign.code.bytes])
    }

    @Test func aNegativeGasCostIsDeductedBeforeNetworkVersion21Alone() throws {
        for version in [UInt32(18), 21] {
            let machine = try SyntheticState().machine(network: version)
            let before = try #require(try machine.state.actor(SyntheticState.sender)?.balance)
            let costly = Message(
                to: .id(SyntheticState.receiver), from: SyntheticState.senderAddress, nonce: 0, value: .zero,
                gasLimit: 10_000_000, feeCap: -TokenAmount(1), premium: .zero, method: 0, params: [])
            #expect(throws: ApplyError.self) {
                try Executor(machine).apply(costly, kind: .explicit, chainLength: 100)
            }
            let after = try #require(try machine.state.actor(SyntheticState.sender)?.balance)
            #expect((after > before) == (version == 18))
        }
    }

    @Test func missingCodeOfABuiltinActorGivesNoReceipt() throws {
        let machine = try SyntheticState().machine()
        #expect(throws: ApplyError.self) { try apply(message(method: 5), on: machine) }
    }

    @Test func refusedCodeIsAReceipt() throws {
        let machine = try SyntheticState().machine(engine: RefusingEngine())
        let result = try apply(message(method: 5), on: machine)
        #expect(result.receipt.exitCode == .sysAssertionFailed)
        #expect(result.receipt.gasUsed == 10_000_000)
        #expect(result.failure?.description.contains("function 12 at 0x4f1") == true)
    }

    @Test func aFailureOfThisMachineIsNeverAReceipt() throws {
        let machine = try SyntheticState().machine(engine: BrokenEngine())
        do {
            _ = try apply(message(method: 5), on: machine)
            Issue.record("a receipt came of a killed worker")
        } catch ApplyError.local(let text) {
            #expect(text.contains("worker was killed"))
        }
    }

    @Test(arguments: [0, UInt64(Int64.max) + 1])
    func gasLimitsOutsideTheRangeGiveNoReceipt(_ limit: UInt64) throws {
        let machine = try SyntheticState().machine()
        for kind in [ApplyKind.explicit, .implicit] {
            #expect(throws: ApplyError.self) { try apply(message(gasLimit: limit), on: machine, kind: kind) }
        }
    }

    @Test func implicitMessagesHaveNoNonceAndNoFees() throws {
        let state = try SyntheticState()
        let machine = try state.machine()
        let result = try apply(
            message(from: .id(5555), nonce: 77, gasLimit: 1, feeCap: .max), on: machine, kind: .implicit)
        #expect(result.receipt == Receipt(exitCode: .ok, gasUsed: 0))
        #expect(result.gas == GasOutputs())
        #expect(try machine.flush() == state.root)

        let paid = try apply(
            message(from: .id(5555), value: TokenAmount(1)), on: try state.machine(), kind: .implicit)
        #expect(paid.receipt == Receipt(exitCode: .sysInsufficientFunds, gasUsed: 6000))
    }

    @Test func aSequenceOfAllOnesWraps() throws {
        let machine = try SyntheticState().machine()
        var sender = try #require(try machine.state.actor(SyntheticState.sender))
        sender.sequence = .max
        machine.state.setActor(SyntheticState.sender, sender)
        #expect(try apply(message(nonce: .max), on: machine).receipt.exitCode == .ok)
        #expect(try machine.state.actor(SyntheticState.sender)?.sequence == 0)
        #expect(try apply(message(nonce: 0), on: machine).receipt.exitCode == .ok)
    }

    @Test func theInitActorsIdsWrap() throws {
        let state = try SyntheticState()
        let machine = try state.machine()
        var initActor = try #require(try machine.state.actor(1))
        var reader = CborReader(try #require(try state.store.get(initActor.state)))
        try reader.tuple(3)
        var changed = CborWriter()
        changed.array(3)
        changed.link(try reader.link())
        changed.unsigned(UInt64.max)
        changed.text("test")
        initActor.state = state.store.keep(changed.bytes)
        machine.state.setActor(1, initActor)
        for (last, id) in [(UInt8(7), UInt64.max), (8, 0)] {
            let address = try Address.delegated(namespace: 10, subaddress: [last])
            let result = try apply(message(to: address, nonce: UInt64(last) - 7), on: machine)
            #expect(result.receipt.exitCode == .ok)
            #expect(try machine.state.resolve(address) == id)
        }
    }

    @Test func theInitActorsStateMustBeACborBlock() throws {
        let state = try SyntheticState()
        let machine = try state.machine()
        var initActor = try #require(try machine.state.actor(1))
        let block = try #require(try state.store.get(initActor.state))
        initActor.state = try Cid(
            codec: Cid.raw, hashCode: initActor.state.hashCode, digest: initActor.state.digest)
        try state.store.put(initActor.state, block)
        machine.state.setActor(1, initActor)
        #expect(throws: ApplyError.self) { try apply(message(to: SyntheticState.placeholderAddress), on: machine) }
    }

    @Test func nothingFlushedChangesTheRootUnlessSomethingChanged() throws {
        let state = try SyntheticState()
        let machine = try state.machine()
        #expect(try machine.flush() == state.root)
        _ = try apply(message(value: TokenAmount(1)), on: machine)
        #expect(try machine.flush() != state.root)
    }

    @Test func aManifestWithoutAnActorTheMachineNeedsIsRefused() throws {
        let state = try SyntheticState(manifestNames: ["system", "init", "account", "placeholder", "eam"])
        #expect(throws: StateError.self) { try state.machine() }
    }

    @Test func theTraceOfATransferIsInTheReferencesOrder() throws {
        let trace = TraceRecording()
        _ = try apply(message(value: TokenAmount(5)), on: try SyntheticState().machine(trace: trace))
        let kinds = trace.events.map { event in
            switch event {
            case .charge(let charge): charge.name
            case .call: "call"
            case .invoke: "invoke"
            case .callReturn: "return"
            case .callError: "error"
            case .ipld, .log: "v4"
            }
        }
        #expect(kinds == ["OnChainMessage", "call", "invoke", "OnValueTransfer", "OnActorUpdate", "return"])
    }
}
