import Crypto
import GasSchedule
import IPLD
import Primitives
import StateTree
import Syscalls
import Testing

@testable import Kernel

/// What syscalls return and where they write it (FVM syscalls specification, sections 2 and 9).
struct SyscallValueTests {
    @Test func theMessageContextIsLaidOutAsSpecified() throws {
        let bench = try SyscallBench(value: TokenAmount(hi: 1, lo: 2), readOnly: true)
        #expect(bench.call(.vmMessageContext).charges == ["OnMessageContext"])
        #expect(bench.result(0, UInt64.self) == 1001)
        #expect(bench.result(8, UInt64.self) == 7)
        #expect(bench.result(16, UInt64.self) == 99)
        #expect(bench.result(24, UInt64.self) == 100)
        #expect(bench.result(32, UInt64.self) == 5)
        #expect(bench.result(40, UInt64.self) == 2 && bench.result(48, UInt64.self) == 1)
        #expect(bench.result(56, UInt64.self) == 3 && bench.result(64, UInt64.self) == 0)
        #expect(bench.result(72, UInt64.self) == 1)
    }

    @Test func theNetworkContextIsLaidOutAsSpecified() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.networkContext).charges == ["OnNetworkContext"])
        #expect(bench.result(0, Int64.self) == 1000 && bench.result(8, UInt64.self) == 30_000)
        #expect(bench.result(16, UInt64.self) == 100 && bench.result(24, UInt64.self) == 0)
        #expect(bench.result(32, UInt64.self) == 314 && bench.result(40, UInt32.self) == 18)
        #expect(bench.call(.networkTotalFilCircSupply).charges.isEmpty)
        #expect(bench.result(0, UInt64.self) == 5 && bench.result(8, UInt64.self) == 2)
    }

    @Test func amountsBeyond128BitsAreFatal() throws {
        let huge = TokenAmount(hi: .max, lo: .max) + TokenAmount(1)
        let supply = try SyscallBench { $0.network.circulatingSupply = huge }
        guard case .fatal = supply.call(.networkTotalFilCircSupply).end else {
            Issue.record("supply")
            return
        }
        let value = try SyscallBench(value: TokenAmount(0) - TokenAmount(1))
        guard case .fatal = value.call(.vmMessageContext).end else {
            Issue.record("value")
            return
        }
        let most = try SyscallBench { $0.network.circulatingSupply = TokenAmount(hi: .max, lo: .max) }
        #expect(most.call(.networkTotalFilCircSupply).isSuccess)
        #expect(most.result(8, UInt64.self) == .max)
    }

    @Test func tipsetCidsArePricedByAgeAndLimitedTo899Epochs() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.networkTipsetCid, .number(999), .output(38)).gas == 14_000_000 + 50_000_000)
        #expect(bench.result(0, UInt32.self) == 38)
        #expect(bench.output(1, 38) == Sample.root.bytes)
        #expect(bench.call(.networkTipsetCid, .number(998), .output(38)).gas == 14_000_000 + 215_000_000)
        #expect(bench.call(.networkTipsetCid, .number(101), .output(38)).isSuccess)
        for epoch in [UInt64(100), 1000, 1001, UInt64(bitPattern: -1), UInt64(Int64.max), 1 << 63] {
            let refused = bench.call(.networkTipsetCid, .number(epoch), .output(38))
            #expect(refused.error == .illegalArgument && refused.charges.isEmpty)
        }
        let small = bench.call(.networkTipsetCid, .number(999), .output(37))
        #expect(small.error == .bufferTooSmall && small.charges == ["OnTipsetCid"])
        bench.calls.fakeExterns.failure = .refused("unknown")
        guard case .fatal = bench.call(.networkTipsetCid, .number(999), .output(38)).end else {
            Issue.record("not fatal")
            return
        }
    }

    @Test func randomnessMixesTagDigestEpochAndEntropy() throws {
        let bench = try SyscallBench()
        for (syscall, byte) in [(Syscall.randGetChainRandomnessV3, UInt8(1)), (.randGetBeaconRandomnessV3, 2)] {
            let outcome = bench.call(syscall, .number(9), .number(UInt64(bitPattern: -5)), .input([0xAA, 0xBB]))
            #expect(outcome.charges == ["OnGetRandomness"])
            #expect(outcome.gas == 14_000_000 + 21_000_000 + 50 * 10_000)
            let input: [UInt8] =
                [0, 0, 0, 0, 0, 0, 0, 9] + [UInt8](repeating: byte, count: 32)
                + [255, 255, 255, 255, 255, 255, 255, 251, 0xAA, 0xBB]
            #expect(bench.resultBytes(32) == Blake2b.hash256(input))
        }
        #expect(bench.calls.fakeExterns.asked == [-5, -5])
        bench.calls.fakeExterns.failure = .refused("unknown")
        let refused = bench.call(.randGetChainRandomnessV3, .number(9), .number(.max), .input([]))
        #expect(refused.error == .illegalArgument && refused.charges == ["OnGetRandomness"])
        bench.calls.fakeExterns.failure = .local("node is gone")
        #expect(
            bench.call(.randGetChainRandomnessV3, .number(9), .number(1), .input([])).end == .local("node is gone"))
    }

    @Test func availableGasIsRoundedDownAfterTheBoundaryCharges() throws {
        let bench = try SyscallBench()
        try bench.calls.gas.charge(GasCharge("test", compute: 1))
        #expect(bench.call(.gasAvailable).isSuccess)
        // The bench's counter was set before that charge, so it is settled as executed once more by nobody.
        #expect(bench.result(0, UInt64.self) == Milligas.roundedDown(bench.calls.gas.available))
        #expect(bench.result(0, UInt64.self) == 10_000_000_000 - 14_000 - 1)
    }

    @Test func chargesCarryTheActorsNameAndSaturate() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.gasCharge, .input(Array("ü".utf8)), .number(3)).charges == ["ü"])
        #expect(bench.calls.charges.last == GasCharge("ü", compute: 3_000))
        #expect(bench.call(.gasCharge, .input([0xFF]), .number(3)).error == .illegalArgument)
        #expect(bench.call(.gasCharge, .input([]), .number(1 << 63)).end == .outOfGas)
    }

    @Test func debuggingOffAnswersWithoutLookingAtArguments() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.debugEnabled).isSuccess && bench.result(0, Int32.self) == -1)
        #expect(bench.raw(.debugLogV3, [UInt64(UInt32.max), UInt64(UInt32.max)]).isSuccess)
        #expect(bench.raw(.debugStoreArtifact, [UInt64(UInt32.max), 1, UInt64(UInt32.max), 1]).isSuccess)
    }

    @Test func debuggingOnHandsLinesAndArtifactsOver() throws {
        let bench = try SyscallBench { $0.network.actorDebugging = true }
        #expect(bench.call(.debugEnabled).isSuccess && bench.result(0, Int32.self) == 0)
        #expect(bench.call(.debugLogV3, .input(Array("hello".utf8))).isSuccess)
        #expect(bench.call(.debugLogV3, .input([0xC0])).error == .illegalArgument)
        #expect(bench.call(.debugStoreArtifact, .input(Array("a.bin".utf8)), .input([1, 2])).isSuccess)
        for name in ["", ".hidden", "a/b", String(repeating: "x", count: 257)] {
            let refused = bench.call(.debugStoreArtifact, .input(Array(name.utf8)), .input([]))
            #expect(refused.error == .illegalArgument, "\(name)")
        }
        #expect(bench.calls.fakeExterns.logged == ["100: hello", "100: a.bin 2"])
    }

    @Test func exitReplacesReservedCodes() throws {
        for code in UInt64(1)...15 {
            let bench = try SyscallBench()
            guard case .exit(.sysIllegalExitCode, block: 3, _) = bench.raw(.vmExit, [code, 3, 0, 0]).end else {
                Issue.record("\(code)")
                continue
            }
        }
        for code in [UInt32(0), 16, 100, .max] {
            let bench = try SyscallBench()
            guard case .exit(ExitCode(rawValue: code), block: 0, _) = bench.raw(.vmExit, [UInt64(code), 0, 0, 0]).end
            else {
                Issue.record("\(code)")
                continue
            }
        }
    }

    @Test func exitMessagesAreShortenedAndRepaired() throws {
        let bench = try SyscallBench()
        let long = [UInt8](repeating: 0x61, count: 600) + [UInt8](repeating: 0x62, count: 600)
        guard case .exit(_, _, let message) = bench.call(.vmExit, .number(16), .number(0), .input(long)).end else {
            Issue.record("did not exit")
            return
        }
        #expect(message.description.hasPrefix(String(repeating: "a", count: 512) + " [176 bytes"))
        #expect(message.description.hasSuffix(String(repeating: "b", count: 512)))
        let other = try SyscallBench()
        guard case .exit(_, _, let repaired) = other.call(.vmExit, .number(16), .number(0), .input([0x61, 0xFF])).end
        else {
            Issue.record("did not exit")
            return
        }
        #expect(repaired.description == "a\u{FFFD}")
    }
}
