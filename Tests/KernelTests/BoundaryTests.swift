import Engine
import GasSchedule
import Kernel
import Primitives
import Syscalls
import Testing

@testable import Kernel

/// Gas at the border between guest and host (FVM syscalls specification, section 4).
struct BoundaryTests {
    @Test func executionIsSettledBeforeTheHostCallIsCharged() throws {
        let bench = try SyscallBench()
        bench.guest.counter -= 5_000
        #expect(bench.call(.vmMessageContext).isSuccess)
        #expect(
            bench.calls.charges == [
                GasCharge("wasm_exec", compute: 5_000), GasCharge("OnSyscall", compute: 14_000_000),
                GasCharge("OnMessageContext"),
            ])
        #expect(bench.guest.counter == Int64(bench.calls.gas.available))
    }

    @Test func growthOfMemoryIsSplitFromExecution() throws {
        let bench = try SyscallBench()
        #expect(bench.limiter.grow(current: 0, desired: 65_536, maximum: 1 << 32))
        bench.guest.counter -= 30_000_000
        #expect(bench.call(.gasAvailable).isSuccess)
        #expect(
            bench.calls.charges.prefix(2) == [
                GasCharge("wasm_exec", compute: 3_785_600), GasCharge("wasm_memory_grow", compute: 26_214_400),
            ])
        // The tally is remembered: the next settlement sees no growth.
        #expect(bench.call(.gasAvailable).isSuccess)
        #expect(bench.calls.charges.filter { $0.name == "wasm_memory_grow" }.count == 1)
    }

    @Test func growthIsNeverMoreThanWhatWasExecuted() throws {
        let bench = try SyscallBench()
        #expect(bench.limiter.grow(current: 0, desired: 65_536, maximum: 1 << 32))
        bench.guest.counter -= 1_000
        #expect(bench.call(.gasAvailable).isSuccess)
        #expect(
            bench.calls.charges.prefix(2) == [
                GasCharge("wasm_exec"), GasCharge("wasm_memory_grow", compute: 1_000),
            ])
    }

    @Test func aBadResultAddressLeavesTheCounterAloneAndChargesTheExecutionTwice() throws {
        let bench = try SyscallBench()
        let start = bench.guest.counter
        bench.guest.counter -= 1_032_000
        let failed = bench.raw(.gasAvailable, [UInt64(UInt32.max)])
        #expect(failed.error == .illegalArgument)
        #expect(failed.gas == 1_032_000 + 14_000_000)
        #expect(bench.guest.counter == start - 1_032_000, "no update")
        bench.guest.counter -= 2_460_000
        #expect(bench.call(.gasAvailable).isSuccess)
        let executed = bench.calls.charges.filter { $0.name == "wasm_exec" }.map(\.compute)
        #expect(executed == [1_032_000, 3_492_000])
        #expect(bench.guest.counter == Int64(bench.calls.gas.available), "the update brings things in line")
    }

    @Test func anErrorNumberStillUpdatesTheCounter() throws {
        let bench = try SyscallBench()
        bench.guest.counter -= 1_000
        #expect(bench.call(.ipldBlockStat, .number(9)).error == .invalidHandle)
        #expect(bench.guest.counter == Int64(bench.calls.gas.available))
    }

    @Test func aNegativeCounterAlwaysEndsInOutOfGas() throws {
        let bench = try SyscallBench()
        let available = bench.calls.gas.available
        bench.guest.counter = -1
        let outcome = bench.call(.gasAvailable)
        #expect(outcome.number == nil && outcome.end == .outOfGas)
        #expect(bench.calls.charges == [GasCharge("wasm_exec", compute: available + 1)])
        #expect(bench.guest.counter == -1, "no update")
    }

    @Test func theSmallestCounterDoesNotOverflow() throws {
        let bench = try SyscallBench()
        bench.guest.counter = .min
        #expect(bench.call(.gasAvailable).end == .outOfGas)
    }

    @Test func aHostCallThatCannotBePaidEndsWithoutUpdate() throws {
        let bench = try SyscallBench()
        try bench.calls.gas.charge(GasCharge("test", compute: bench.calls.gas.available - 13_999_999))
        bench.guest.counter = bench.kernel.update()
        let outcome = bench.call(.gasAvailable)
        #expect(outcome.end == .outOfGas)
        #expect(bench.guest.counter == 13_999_999)
        #expect(bench.calls.gas.available == 0)
    }

    @Test func aSyscallThatRunsOutOfGasUpdatesTheCounterToZero() throws {
        let bench = try SyscallBench()
        let outcome = bench.call(.gasCharge, .input([]), .number(.max))
        #expect(outcome.end == .outOfGas)
        #expect(bench.guest.counter == 0)
        #expect(bench.calls.charges.last == GasCharge("", compute: .max))
    }

    @Test(arguments: [UInt32(18), 21])
    func anySyscallOfAStartFunctionIsFatalAndNamesIt(_ version: UInt32) throws {
        let calls = try FakeCalls(network: version)
        let syscalls = SyscallSet.of(calls.network.profile.syscalls)
        for row in syscalls.rows {
            let calls = try FakeCalls(network: version)
            let kernel = Kernel(
                code: BoundModule(ScriptedModule(imports: syscalls.rows), syscalls: syscalls),
                frame: InvocationFrame(
                    caller: 1, receiver: 2, method: 3, value: .zero, readOnly: false, depth: 1), calls: calls,
                limiter: ResourceLimiter(limit: 2 << 30))
            let guest = FakeGuest()
            guest.counter = kernel.update()
            let index = syscalls.rows.firstIndex(of: row) ?? -1
            let arguments = [UInt64](repeating: 0, count: row.type.parameters.count)
            guard case .end = guest.call(kernel, index, arguments) else {
                Issue.record("\(row.title) did not end")
                continue
            }
            #expect(kernel.endReason == .fatal("syscall \(row.title) in a start function"))
            #expect(calls.charges.map(\.name) == ["wasm_exec", "OnSyscall"])
        }
    }

    @Test func theLastFailureIsKeptUntilASyscallSucceeds() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.ipldBlockStat, .number(9)).error == .invalidHandle)
        #expect(bench.kernel.lastError?.syscall == "ipld::block_stat")
        #expect(bench.kernel.lastError?.number == .invalidHandle)
        #expect(bench.call(.vmExit, .number(17), .number(0), .input([])).number == nil)
        #expect(bench.kernel.lastError?.number == .invalidHandle, "exit does not touch it")
        #expect(bench.call(.gasAvailable).isSuccess)
        #expect(bench.kernel.lastError == nil)
        #expect(bench.raw(.gasAvailable, [UInt64(UInt32.max)]).error == .illegalArgument)
        #expect(bench.kernel.lastError?.syscall == "gas::available")
    }

    @Test func anImportTheModuleDoesNotHaveIsALocalFailure() throws {
        let bench = try SyscallBench()
        guard case .end = bench.guest.call(bench.kernel, bench.syscalls.rows.count, []) else {
            Issue.record("did not end")
            return
        }
        guard case .local = bench.kernel.endReason else {
            Issue.record("\(String(describing: bench.kernel.endReason))")
            return
        }
    }

    @Test func aResultMayBeUnalignedAndAtTheVeryEnd() throws {
        let bench = try SyscallBench(memorySize: 65_536)
        #expect(bench.raw(.vmMessageContext, [65_536 - 80]).isSuccess)
        #expect(bench.raw(.vmMessageContext, [65_537 - 80]).error == .illegalArgument)
        #expect(bench.raw(.gasAvailable, [65_536 - 8]).isSuccess)
        #expect(bench.raw(.gasAvailable, [3]).isSuccess)
    }

    @Test(arguments: [UInt32(18), 21])
    func withAMemoryOfZeroPagesEveryResultFails(_ version: UInt32) throws {
        let bench = try SyscallBench(memorySize: 0, network: version)
        for row in bench.syscalls.rows where row.resultSize > 0 {
            let arguments = [UInt64](repeating: 0, count: row.type.parameters.count)
            #expect(bench.raw(row.syscall, arguments).error == .illegalArgument)
        }
    }

    @Test func theResultIsWrittenAfterTheOutputBuffer() throws {
        let bench = try SyscallBench()
        // The digest goes to 64, the count of bytes on top of it.
        let outcome = bench.raw(.cryptoHash, [64, 0xB220, 1024, 0, 64, 32])
        #expect(outcome.isSuccess)
        #expect(bench.guest.number(64, UInt32.self) == 32)
        #expect(bench.guest.read(68, 28) == Array(HashFunction.blake2b256.hash([]).dropFirst(4)))
    }
}
