import GasSchedule
import Primitives
import StateTree
import Syscalls
import Testing

@testable import Kernel

/// The running actor, other actors, and sends.
struct ActorSyscallTests {
    private static let key = (try? Address(bytes: [1] + [UInt8](repeating: 6, count: 20))) ?? .id(0)

    // MARK: self

    @Test func rootAndBalanceOfADeletedActor() throws {
        let bench = try SyscallBench { $0.actors[100] = nil }
        #expect(bench.call(.selfRootV3, .output(38)).error == .illegalOperation)
        #expect(bench.call(.selfSetRootV3, .input(Sample.root.bytes)).error == .illegalOperation)
        #expect(bench.call(.selfCurrentBalance).charges == ["OnSelfBalance"])
        #expect(bench.result(0, UInt64.self) == 0 && bench.result(8, UInt64.self) == 0)
    }

    @Test func settingTheRootWritesTheState() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.selfSetRootV3, .input(Sample.block.bytes + [0xFF])).isSuccess)
        #expect(bench.calls.actors[100]?.state == Sample.block)
        #expect(bench.call(.selfRootV3, .output(40)).isSuccess)
        // What lies behind the CID stays: here the byte that was behind the argument.
        #expect(bench.output(0, 40) == Sample.block.bytes + [0xFF, 0])
    }

    @Test func selfDestructMovesTheBalanceThenDeletes() throws {
        let bench = try SyscallBench()
        let outcome = bench.call(.selfSelfDestructV3, .input(Address.id(1002).bytes))
        #expect(outcome.isSuccess)
        #expect(outcome.charges == ["OnDeleteActor", "OnSelfBalance", "OnResolveAddress"])
        #expect(bench.calls.log == ["transfer 50 from 100 to 1002", "delete 100"])
        // Again: the balance is gone, and nobody asks for the beneficiary.
        let again = bench.call(.selfSelfDestructV3, .input(Self.key.bytes))
        #expect(again.isSuccess && again.charges == ["OnDeleteActor", "OnSelfBalance"])
        #expect(bench.calls.log.last == "delete 100")
    }

    @Test func selfDestructRefusesUnknownAndOwnBeneficiaries() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.selfSelfDestructV3, .input(Self.key.bytes)).error == .notFound)
        #expect(bench.call(.selfSelfDestructV3, .input(Address.id(100).bytes)).error == .forbidden)
        bench.calls.transferError = .syscall(.notFound, "gone")
        #expect(bench.call(.selfSelfDestructV3, .input(Address.id(1002).bytes)).error == .notFound)
        #expect(bench.calls.log.isEmpty)
    }

    @Test func writesAreRefusedInReadOnlyCallsBeforeTheirOwnCharges() throws {
        let bench = try SyscallBench(receiver: 1, readOnly: true)
        let refused = [
            bench.call(.selfSetRootV3, .input(Sample.root.bytes)),
            bench.call(.selfSelfDestructV3, .input(Address.id(1002).bytes)),
            bench.call(.eventEmitEventV3, .input([0x80])),
            bench.call(.actorCreateActor, .number(7), .input(Sample.code.bytes), .input([])),
            bench.call(
                .sendSend, .input(Address.id(1002).bytes), .number(0), .number(0), .number(0), .number(1),
                .number(.max), .number(0)),
        ]
        for outcome in refused { #expect(outcome.error == .readOnly && outcome.charges.isEmpty) }
    }

    // MARK: actor

    @Test func addressesResolveWithoutACheckOfIdAddresses() throws {
        let bench = try SyscallBench { $0.resolutions[Self.key] = 1234 }
        #expect(bench.call(.actorResolveAddress, .input(Address.id(.max).bytes)).isSuccess)
        #expect(bench.result(0, UInt64.self) == .max)
        let resolved = bench.call(.actorResolveAddress, .input(Self.key.bytes))
        #expect(resolved.isSuccess && resolved.charges == ["OnResolveAddress"])
        #expect(bench.result(0, UInt64.self) == 1234)
        let unknown = try Address(bytes: [2] + [UInt8](repeating: 6, count: 20))
        #expect(bench.call(.actorResolveAddress, .input(unknown.bytes)).error == .notFound)
    }

    @Test func malformedAddressesAreRefused() throws {
        let bench = try SyscallBench()
        let malformed: [[UInt8]] = [
            [], [0], [0, 0x80], [0, 1, 2], [0, 0x81, 0], [1] + [UInt8](repeating: 1, count: 19),
            [1] + [UInt8](repeating: 1, count: 21), [3] + [UInt8](repeating: 1, count: 47), [5, 1],
            [4, 10] + [UInt8](repeating: 1, count: 55),
            [4, 10] + [UInt8](repeating: 1, count: 4000),
        ]
        for bytes in malformed {
            let refused = bench.call(.actorResolveAddress, .input(bytes))
            #expect(refused.error == .illegalArgument && refused.charges.isEmpty, "\(bytes)")
        }
        #expect(bench.call(.actorResolveAddress, .input([4, 10])).error == .notFound)
    }

    @Test func delegatedAddressesMustFitAndMayBeAbsent() throws {
        let delegated = try Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 4, count: 20))
        let bench = try SyscallBench {
            $0.actors[7] = Sample.state(delegated: delegated)
            $0.actors[8] = Sample.state()
        }
        #expect(bench.call(.actorLookupDelegatedAddress, .number(7), .output(22)).isSuccess)
        #expect(bench.result(0, UInt32.self) == 22 && bench.output(1, 22) == delegated.bytes)
        #expect(bench.call(.actorLookupDelegatedAddress, .number(7), .output(21)).error == .bufferTooSmall)
        #expect(bench.call(.actorLookupDelegatedAddress, .number(8), .output(0)).isSuccess)
        #expect(bench.result(0, UInt32.self) == 0)
        let missing = bench.call(.actorLookupDelegatedAddress, .number(9), .output(22))
        #expect(missing.error == .notFound && missing.charges == ["OnLookupAddress"])
    }

    @Test func codesAndTypesOfActors() throws {
        let bench = try SyscallBench { $0.actors[7] = Sample.state(code: Sample.otherCode) }
        #expect(bench.call(.actorGetActorCodeCid, .number(7), .output(38)).charges == ["OnGetActorCodeCid"])
        #expect(bench.output(1, 38) == Sample.otherCode.bytes)
        #expect(bench.call(.actorGetActorCodeCid, .number(8), .output(38)).error == .notFound)
        for (cid, type) in [(Sample.code, Int32(1)), (Sample.otherCode, 2), (Sample.root, 0)] {
            #expect(
                bench.call(.actorGetBuiltinActorType, .input(cid.bytes)).charges == ["OnGetBuiltinActorType"])
            #expect(bench.result(0, Int32.self) == type)
        }
        #expect(bench.call(.actorGetCodeCidForType, .number(1), .output(38)).isSuccess)
        #expect(bench.output(1, 38) == Sample.code.bytes)
        for type in [UInt64(0), 3, UInt64(UInt32.max)] {
            let refused = bench.call(.actorGetCodeCidForType, .number(type), .output(38))
            #expect(refused.error == .illegalArgument && refused.charges == ["OnGetCodeCidForType"])
        }
    }

    @Test func ofEqualCodesTheLastTypeIsReported() throws {
        let bench = try SyscallBench { $0.builtinActors = [Sample.code, Sample.otherCode, Sample.code] }
        #expect(bench.call(.actorGetBuiltinActorType, .input(Sample.code.bytes)).isSuccess)
        #expect(bench.result(0, Int32.self) == 3)
    }

    @Test func balancesOfOthers() throws {
        let bench = try SyscallBench {
            var rich = Sample.state()
            rich.balance = TokenAmount(hi: 3, lo: 4)
            $0.actors[7] = rich
        }
        #expect(bench.call(.actorBalanceOf, .number(7)).charges == ["OnBalanceOf"])
        #expect(bench.result(0, UInt64.self) == 4 && bench.result(8, UInt64.self) == 3)
        #expect(bench.call(.actorBalanceOf, .number(8)).error == .notFound)
    }

    @Test func theNextAddressCostsNothing() throws {
        let bench = try SyscallBench()
        let outcome = bench.call(.actorNextActorAddress, .output(21))
        #expect(outcome.isSuccess && outcome.charges.isEmpty && bench.result(0, UInt32.self) == 21)
        #expect(bench.output(0, 21) == [2] + [UInt8](repeating: 9, count: 20))
        #expect(bench.call(.actorNextActorAddress, .output(20)).error == .bufferTooSmall)
    }

    @Test func onlyTheInitActorCreatesActorsAndNeverPlaceholders() throws {
        let other = try SyscallBench(receiver: 100, readOnly: true)
        let create = [Argument.number(.max), .input(Sample.code.bytes), .input(Self.key.bytes)]
        #expect(
            other.raw(.actorCreateActor, other.place(.actorCreateActor, create)).error == .forbidden,
            "before read-only")
        let initActor = try SyscallBench(receiver: 1)
        #expect(initActor.raw(.actorCreateActor, initActor.place(.actorCreateActor, create)).isSuccess)
        #expect(
            initActor.call(.actorCreateActor, .number(5), .input(Sample.root.bytes), .input([])).isSuccess)
        #expect(
            initActor.calls.log == [
                "create \(UInt64.max) \(Sample.code.text) \(Self.key.text())",
                "create 5 \(Sample.root.text) without address",
            ])
        #expect(
            initActor.call(.actorCreateActor, .number(5), .input(Sample.placeholder.bytes), .input([])).error
                == .forbidden)
        #expect(
            initActor.call(.actorCreateActor, .number(5), .input(Sample.code.bytes), .input([9])).error
                == .illegalArgument)
    }

    // MARK: send

    private func send(
        _ bench: SyscallBench, params: UInt64 = 0, value: UInt64 = 0, limit: UInt64 = .max, flags: UInt64 = 0
    ) -> SyscallBench.Outcome {
        bench.call(
            .sendSend, .input(Address.id(1002).bytes), .number(6), .number(params), .number(0),
            .number(value), .number(limit), .number(flags))
    }

    @Test func aSendHandsItsArgumentsOverAndMakesNoChargeOfItsOwn() throws {
        let bench = try SyscallBench()
        let block = Block(codec: Cid.cbor, data: [0x80])
        _ = try bench.kernel.registry.insertReachable(block)
        let outcome = send(bench, params: 1, value: 9, limit: 5)
        #expect(outcome.isSuccess && outcome.charges.isEmpty)
        let request = try #require(bench.calls.sent.first)
        #expect(request.from == 100 && request.to == .id(1002) && request.method == 6)
        #expect(request.params == block && request.value == TokenAmount(9))
        #expect(request.gasLimit == 5_000 && !request.readOnly)
        #expect(bench.resultBytes(20) == [UInt8](repeating: 0, count: 20))
    }

    @Test func gasLimitsSaturateAndTheLargestIsNone() throws {
        let bench = try SyscallBench()
        _ = send(bench, limit: .max)
        _ = send(bench, limit: .max - 1)
        _ = send(bench, limit: 0)
        #expect(bench.calls.sent.map(\.gasLimit) == [nil, .max, 0])
    }

    @Test func readOnlyIsInheritedAndAsked() throws {
        let writable = try SyscallBench()
        _ = send(writable, flags: 1)
        #expect(writable.calls.sent.last?.readOnly == true)
        let readOnly = try SyscallBench(readOnly: true)
        _ = send(readOnly)
        #expect(readOnly.calls.sent.last?.readOnly == true)
        #expect(send(writable, value: 1, flags: 1).error == .readOnly)
        for flags in [UInt64(2), 3, 1 << 63] { #expect(send(writable, flags: flags).error == .illegalArgument) }
        #expect(send(writable, params: 7).error == .invalidHandle)
    }

    @Test func returnsOfSendsBecomeBlocksWhateverTheExitCode() throws {
        let bench = try SyscallBench()
        bench.calls.sendResult = .success(
            CallOutcome(exitCode: ExitCode(rawValue: 33), block: Block(codec: Cid.raw, data: [1, 2, 3])))
        #expect(send(bench).isSuccess)
        #expect(bench.result(0, UInt32.self) == 33 && bench.result(4, UInt32.self) == 1)
        #expect(bench.result(8, UInt64.self) == 0x55 && bench.result(16, UInt32.self) == 3)
        #expect(bench.kernel.registry[1] == Block(codec: Cid.raw, data: [1, 2, 3]))
    }

    @Test func failuresOfSendsAreNumbersOrEndTheCaller() throws {
        let bench = try SyscallBench()
        bench.calls.sendResult = .failure(.syscall(.insufficientFunds, "poor"))
        #expect(send(bench).error == .insufficientFunds)
        for (error, end) in [
            (ExecutionError.outOfGas, ExecutionError.outOfGas), (.fatal("x"), .fatal("x")), (.local("y"), .local("y")),
        ] {
            let bench = try SyscallBench()
            bench.calls.sendResult = .failure(error)
            #expect(send(bench).end == end)
        }
    }
}
