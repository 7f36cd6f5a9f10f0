import CActorRuntime
import Engine
import GasSchedule
import Primitives
import Syscalls
import Testing

@testable import Kernel

/// One invocation from its memory charges to its outcome (FVM syscalls specification, sections 3.3 and 4.5).
struct InvocationTests {
    private static let unreachable = GuestOutcome.trapped(Trap(SMELT_RT_TRAP_UNREACHABLE), nil)

    private func run(
        _ module: ScriptedModule, params: Block? = nil, depth: UInt32 = 1, calls: FakeCalls? = nil
    ) throws -> (Result<InvocationResult, ExecutionError>, FakeCalls) {
        let calls = try calls ?? FakeCalls()
        let frame = InvocationFrame(
            caller: 99, receiver: 100, method: 2, value: .zero, readOnly: false, depth: depth)
        do throws(ExecutionError) {
            let result = try Invocation.run(
                BoundModule(module, syscalls: .of(calls.network.profile.syscalls)), frame: frame, params: params,
                calls: calls,
                limiter: ResourceLimiter(limit: 2 << 30))
            return (.success(result), calls)
        } catch {
            return (.failure(error), calls)
        }
    }

    private func outcome(_ module: ScriptedModule, params: Block? = nil) throws -> CallOutcome? {
        let (result, _) = try run(module, params: params)
        return try? result.get().outcome
    }

    private func expectFatal(_ module: ScriptedModule, _ part: String) throws {
        guard case (.failure(.fatal(let text)), _) = try run(module) else {
            Issue.record("not fatal: \(part)")
            return
        }
        #expect(text.contains(part), "\(text)")
    }

    // MARK: Before the guest runs

    @Test func tableAndMemoryAreChargedInThisOrder() throws {
        let (_, calls) = try run(ScriptedModule(memoryPages: 2, tableElements: 10))
        #expect(
            calls.charges.prefix(2) == [
                GasCharge("wasm_table_init", compute: 32_000), GasCharge("wasm_memory_init", compute: 52_428_800),
            ])
        let (_, plain) = try run(ScriptedModule(memoryPages: 0))
        #expect(plain.charges.map(\.name) == ["wasm_memory_init", "wasm_exec", "wasm_exec"])
        #expect(plain.charges.allSatisfy { $0.total == 0 })
        let (_, empty) = try run(ScriptedModule(tableElements: 0))
        #expect(empty.charges.first == GasCharge("wasm_table_init"))
    }

    @Test func memoryThatCannotBePaidIsOutOfGasEvenForAModuleThatCannotBeLinked() throws {
        let (result, _) = try run(
            ScriptedModule(otherImports: true, memoryPages: 100), calls: try FakeCalls(gasLimit: 1_000_000))
        #expect(result.failure == .outOfGas)
    }

    @Test func modulesWithoutMemoryLinksOrEntryAreFatal() throws {
        try expectFatal(ScriptedModule(memoryPages: nil), "exports no memory")
        try expectFatal(ScriptedModule(otherImports: true), "other than functions")
        try expectFatal(ScriptedModule(imports: SyscallSet.v4.rows), "expected")
        try expectFatal(ScriptedModule(entry: .missing), "exports no function invoke")
        try expectFatal(ScriptedModule(entry: .notAFunction), "exports no function invoke")
        for signature in [[0, 1, 0x7F], [1, 0, 0x7F], [1, 1, 0x7F, 0x7E], [2, 1, 0x7F, 0x7F, 0x7F]] as [[UInt8]] {
            try expectFatal(ScriptedModule(entry: .function(signature: signature)), "not of type")
        }
    }

    @Test func theEntryPointIsLookedAtAfterTheStartFunction() throws {
        let module = ScriptedModule(entry: .missing, start: { _ in Self.unreachable })
        #expect(try outcome(module)?.exitCode == .sysIllegalInstruction)
    }

    // MARK: Start

    @Test func theStartFunctionIsMeteredAndItsTrapIsExit4() throws {
        let (result, calls) = try run(
            ScriptedModule(start: { instance in
                instance.gasCounter -= 56_000
                return Self.unreachable
            }))
        #expect(try result.get().outcome == CallOutcome(exitCode: .sysIllegalInstruction, block: nil))
        #expect(calls.charges.map(\.name) == ["wasm_memory_init", "wasm_exec"])
        #expect(calls.charges.last?.compute == 56_000)
    }

    @Test func aStartFunctionThatRunsOutIsOutOfGas() throws {
        let (result, _) = try run(
            ScriptedModule(start: { instance in
                instance.gasCounter = -1
                return Self.unreachable
            }))
        #expect(result.failure == .outOfGas)
    }

    @Test func aSyscallInTheStartFunctionIsFatal() throws {
        let (result, calls) = try run(
            ScriptedModule(start: { instance in
                _ = instance.syscall(.gasAvailable, 0)
                return .endedByHost
            }))
        #expect(result.failure == .fatal("syscall gas::available in a start function"))
        #expect(calls.charges.map(\.name) == ["wasm_memory_init", "wasm_exec", "OnSyscall"])
    }

    // MARK: Outcomes

    @Test func parametersAreBlock1AndNoneIsHandle0() throws {
        let echo = ScriptedModule(invoke: { _, handle in .returned([handle]) })
        let block = Block(codec: 0x51, data: [0x81, 0])
        #expect(try outcome(echo, params: block) == CallOutcome(exitCode: .ok, block: block))
        #expect(try outcome(echo) == CallOutcome(exitCode: .ok, block: nil))
    }

    @Test func anUnknownReturnHandleIsExit11() throws {
        let module = ScriptedModule(invoke: { _, _ in .returned([7]) })
        #expect(try outcome(module) == CallOutcome(exitCode: .sysMissingReturn, block: nil))
    }

    @Test func exitsCarryTheirBlock() throws {
        let block = Block(codec: 0x55, data: [1])
        for (code, seen) in [(UInt64(0), UInt32(0)), (16, 16), (5, 9)] {
            let module = ScriptedModule(invoke: { instance, handle in
                _ = instance.syscall(.vmExit, code, handle, 0, 0)
                return .endedByHost
            })
            #expect(
                try outcome(module, params: block) == CallOutcome(exitCode: ExitCode(rawValue: seen), block: block))
            #expect(try outcome(module) == CallOutcome(exitCode: ExitCode(rawValue: seen), block: nil))
        }
    }

    @Test func exitingWithAnUnknownHandleIsFatal() throws {
        for code in [UInt64(0), 4, 16] {
            try expectFatal(
                ScriptedModule(invoke: { instance, _ in
                    _ = instance.syscall(.vmExit, code, 3, 0, 0)
                    return .endedByHost
                }), "exited with block 3")
        }
    }

    @Test func everyGuestTrapIsExit4() throws {
        for number in Int32(1)...12 where number != Int32(SMELT_RT_TRAP_OUT_OF_GAS.rawValue) {
            let module = ScriptedModule(invoke: { _, _ in
                .trapped(Trap(rawValue: number), TrapSite(function: 3, offset: 0x20))
            })
            let (result, _) = try run(module)
            #expect(try result.get().outcome == CallOutcome(exitCode: .sysIllegalInstruction, block: nil))
            #expect(try result.get().message?.description.hasSuffix("in function 3 at 0x20") == true)
        }
    }

    @Test func settlementDecidesOutOfGasBeforeAnyOtherOutcome() throws {
        let endings: [@Sendable (ScriptedInstance) -> GuestOutcome] = [
            { _ in .returned([0]) }, { _ in Self.unreachable },
            { _ in .trapped(Trap(SMELT_RT_TRAP_OUT_OF_GAS), nil) },
        ]
        for ending in endings {
            let (result, calls) = try run(
                ScriptedModule(invoke: { instance, _ in
                    instance.gasCounter = -5
                    return ending(instance)
                }))
            #expect(result.failure == .outOfGas)
            #expect(calls.gas.available == 0)
        }
    }

    @Test func anEngineThatReportsOutOfGasWithGasLeftIsALocalFailure() throws {
        let (result, _) = try run(ScriptedModule(invoke: { _, _ in .trapped(Trap(SMELT_RT_TRAP_OUT_OF_GAS), nil) }))
        guard case .failure(.local) = result else {
            Issue.record("\(result)")
            return
        }
    }

    /// Whatever ends a call for the host's reasons, and whatever number nobody knows, is never an exit code.
    @Test func aTrapThatIsNoGuestsIsALocalFailure() throws {
        for number in [0, 32, 33, 34, 63, -1] as [Int32] {
            let (result, _) = try run(ScriptedModule(invoke: { _, _ in .trapped(Trap(rawValue: number), nil) }))
            guard case .failure(.local(let reason)) = result else {
                Issue.record("\(number): \(result)")
                continue
            }
            #expect(reason.contains("\(Trap(rawValue: number))"))
        }
    }

    @Test func whatASyscallEndedWithStands() throws {
        for (error, expected) in [
            (ExecutionError.outOfGas, ExecutionError.outOfGas), (.fatal("deep"), .fatal("deep")),
            (.local("disk"), .local("disk")),
        ] {
            let calls = try FakeCalls()
            calls.sendResult = .failure(error)
            let (result, _) = try run(
                ScriptedModule(invoke: { instance, _ in
                    instance.guest.write(Address.id(5).bytes, at: 512)
                    _ = instance.syscall(.sendSend, 0, 512, 2, 0, 0, 0, 0, .max, 0)
                    return .endedByHost
                }), calls: calls)
            #expect(result.failure == expected)
            if case .local = error { continue }
            #expect(calls.charges.last == GasCharge("wasm_exec"), "a last settlement of nothing")
        }
    }

    // MARK: Return charge

    @Test func onlyTheReturnOfTheMessageItselfIsChargedWhateverTheExitCode() throws {
        let block = Block(codec: 0x55, data: [UInt8](repeating: 1, count: 10))
        for code in [UInt64(0), 20] {
            let module = ScriptedModule(invoke: { instance, handle in
                _ = instance.syscall(.vmExit, code, handle, 0, 0)
                return .endedByHost
            })
            let (_, top) = try run(module, params: block)
            #expect(top.charges.last == GasCharge("OnChainReturnValue", other: 13_000_000))
            let (_, nested) = try run(module, params: block, depth: 2)
            #expect(nested.charges.last?.name == "wasm_exec")
        }
        let (_, empty) = try run(
            ScriptedModule(invoke: { _, handle in .returned([handle]) }), params: Block(codec: 0x55, data: []))
        #expect(empty.charges.last == GasCharge("OnChainReturnValue"))
    }

    @Test func aReturnThatCannotBePaidTurnsSuccessIntoOutOfGas() throws {
        let (result, _) = try run(
            ScriptedModule(invoke: { _, handle in .returned([handle]) }),
            params: Block(codec: 0x55, data: [UInt8](repeating: 1, count: 1 << 20)),
            calls: try FakeCalls(gasLimit: 1_000_000_000))
        #expect(result.failure == .outOfGas)
    }

    @Test func theLastFailedSyscallExplainsAnExit() throws {
        let (result, _) = try run(
            ScriptedModule(invoke: { instance, _ in
                _ = instance.syscall(.ipldBlockStat, 0, 9)
                _ = instance.syscall(.vmExit, 20, 0, 0, 0)
                return .endedByHost
            }))
        let ended = try result.get()
        #expect(ended.lastError?.syscall == "ipld::block_stat" && ended.lastError?.number == .invalidHandle)
        #expect(ended.message?.description == "actor gave no message")
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
