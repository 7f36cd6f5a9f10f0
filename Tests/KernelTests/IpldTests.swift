import Crypto
import GasSchedule
import Primitives
import Syscalls
import Testing

@testable import Kernel

/// Blocks: opening, making, reading and linking.
struct IpldTests {
    private func bench(_ blocks: [Block] = [], readOnly: Bool = false) throws -> SyscallBench {
        let bench = try SyscallBench(readOnly: readOnly)
        for block in blocks { _ = try bench.kernel.registry.insertReachable(block) }
        return bench
    }

    @Test func openingChargesTheBaseAndThenBySize() throws {
        let bench = try bench()
        let outcome = bench.call(.ipldBlockOpenV3, .input(Sample.block.bytes))
        #expect(outcome.isSuccess && outcome.charges == ["OnBlockOpenBase", "OnBlockOpenPerByte"])
        #expect(
            bench.calls.charges.suffix(2) == [
                GasCharge("OnBlockOpenBase", other: 187_440_000),
                GasCharge("OnBlockOpenPerByte", compute: 4_800, other: 15_200),
            ])
        #expect(bench.result(0, UInt64.self) == 0x71)
        #expect(bench.result(8, UInt32.self) == 1 && bench.result(12, UInt32.self) == 2)
    }

    @Test func openingWhatTheStoreDoesNotHaveIsFatal() throws {
        let bench = try bench()
        let outcome = bench.call(.ipldBlockOpenV3, .input(Sample.root.bytes))
        guard case .fatal = outcome.end else {
            Issue.record("\(outcome)")
            return
        }
        #expect(outcome.charges == ["OnBlockOpenBase"])
    }

    @Test func openingAForeignCodecIsPaidAndThenRefused() throws {
        let foreign = Cid.blake2b256(codec: 0x70, data: [1])
        let bench = try SyscallBench { $0.blocks[foreign] = [1] }
        let outcome = bench.call(.ipldBlockOpenV3, .input(foreign.bytes))
        #expect(outcome.error == .illegalCodec)
        #expect(outcome.charges == ["OnBlockOpenBase", "OnBlockOpenPerByte"])
    }

    @Test func cidsAreReadWithTheReferencesLeniency() throws {
        let bench = try bench()
        // A tenth byte above 1 is truncated: this codec varint is 0x71 after dropping the high bits.
        let lenient: [UInt8] = [1, 0xF1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7E]
        #expect(
            bench.call(.ipldBlockOpenV3, .input(lenient + Sample.block.bytes.dropFirst(2))).isSuccess)
        let refused: [[UInt8]] = [
            [0] + Sample.block.bytes.dropFirst(), [2] + Sample.block.bytes.dropFirst(),
            [1, 0xF1, 0x00] + Sample.block.bytes.dropFirst(2),
            [1] + [UInt8](repeating: 0x80, count: 10) + Sample.block.bytes.dropFirst(2),
            [1, 0x71, 0, 65] + [UInt8](repeating: 1, count: 65), [0x12, 0x21],
        ]
        for bytes in refused {
            let outcome = bench.call(.ipldBlockOpenV3, .input(bytes))
            #expect(outcome.error == .illegalArgument && outcome.charges.isEmpty, "\(bytes)")
        }
    }

    @Test func creatingChargesBeforeItLooksAtTheCodec() throws {
        let bench = try bench(readOnly: true)
        for codec in [UInt64(0x51), 0x55, 0x71] {
            let outcome = bench.call(.ipldBlockCreateV3, .number(codec), .input([1, 2, 3]))
            #expect(outcome.isSuccess && outcome.gas == 14_000_000 + 30_000)
        }
        #expect(bench.result(0, UInt32.self) == 3)
        let refused = bench.call(.ipldBlockCreateV3, .number(0x70), .input([1, 2, 3]))
        #expect(refused.error == .illegalCodec && refused.charges == ["OnBlockCreate"])
    }

    @Test func blocksOfAMebibyteAreTheLargest() throws {
        let bench = try SyscallBench(memorySize: 3 << 20)
        let refused = bench.raw(.ipldBlockCreateV3, [64, 0x55, 0, (1 << 20) + 1])
        #expect(refused.error == .limitExceeded && refused.charges.isEmpty)
        #expect(bench.raw(.ipldBlockCreateV3, [64, 0x55, 0, 1 << 20]).isSuccess)
    }

    @Test func readingCopiesWhatThereIsAndSaysWhatIsLeft() throws {
        let bench = try bench([Block(codec: 0x55, data: [1, 2, 3, 4, 5])])
        func read(_ offset: UInt64, _ count: UInt32) -> (SyscallBench.Outcome, Int32) {
            let outcome = bench.call(.ipldBlockRead, .number(1), .number(offset), .output(count))
            return (outcome, bench.result(0, Int32.self))
        }
        var (outcome, left) = read(1, 3)
        #expect(outcome.isSuccess && left == 1 && bench.output(2, 4) == [2, 3, 4, 0])
        #expect(outcome.gas == 14_000_000 + 1_200)
        (outcome, left) = read(4, 10)
        #expect(outcome.isSuccess && left == -9 && bench.output(2, 2) == [5, 3])
        #expect(outcome.gas == 14_000_000 + 400)
        (outcome, left) = read(100, 0)
        #expect(outcome.isSuccess && left == -95 && outcome.gas == 14_000_000)
        (outcome, left) = read(UInt64(Int32.max), 0)
        #expect(outcome.isSuccess && left == 5 - Int32.max)
        #expect(read(UInt64(Int32.max), 1).0.error == .illegalArgument)
        #expect(read(UInt64(UInt32.max), 0).0.error == .illegalArgument)
        let unknown = bench.call(.ipldBlockRead, .number(2), .number(0), .output(1))
        #expect(unknown.error == .invalidHandle && unknown.charges.isEmpty)
        #expect(bench.call(.ipldBlockRead, .number(0), .number(0), .output(1)).error == .invalidHandle)
    }

    @Test func statGivesCodecAndSizeAfterItsCharge() throws {
        let bench = try bench([Block(codec: 0x51, data: [1, 2])])
        #expect(bench.call(.ipldBlockStat, .number(1)).charges == ["OnBlockStat"])
        #expect(bench.result(0, UInt64.self) == 0x51 && bench.result(8, UInt32.self) == 2)
        let unknown = bench.call(.ipldBlockStat, .number(UInt64(UInt32.max)))
        #expect(unknown.error == .invalidHandle && unknown.charges == ["OnBlockStat"])
    }

    @Test func linkingStoresTheBlockEvenIfItsCidDoesNotFit() throws {
        let data: [UInt8] = [0x82, 1, 2]
        let bench = try bench([Block(codec: 0x71, data: data)], readOnly: true)
        let cid = Cid.blake2b256(codec: 0x71, data: data)
        let small = bench.call(.ipldBlockLinkV3, .number(1), .number(0xB220), .number(32), .output(37))
        #expect(small.error == .bufferTooSmall && small.charges == ["OnBlockLink"])
        #expect(bench.calls.blocks[cid] == data)
        #expect(small.gas == 14_000_000 + 506_000_000 + 3 * 3_352_400)
        #expect(bench.call(.ipldBlockLinkV3, .number(1), .number(0xB220), .number(32), .output(100)).isSuccess)
        #expect(bench.result(0, UInt32.self) == 38 && bench.output(3, 39) == cid.bytes + [0])
    }

    @Test func linkingTakesBlake2b256Alone() throws {
        let bench = try bench([Block(codec: 0x71, data: [0x80])])
        for (code, length) in [(UInt64(0xB220), UInt64(31)), (0xB220, 33), (0x12, 32), (0, 32), (0xB240, 64)] {
            let refused = bench.call(.ipldBlockLinkV3, .number(1), .number(code), .number(length), .output(38))
            #expect(refused.error == .illegalCid && refused.charges.isEmpty)
        }
        // The hash is looked at before the handle.
        #expect(
            bench.call(.ipldBlockLinkV3, .number(9), .number(0), .number(32), .output(38)).error == .illegalCid)
        #expect(
            bench.call(.ipldBlockLinkV3, .number(9), .number(0xB220), .number(32), .output(38)).error
                == .invalidHandle)
    }

    @Test func aFullRegistryTakesNothing() throws {
        var registry = BlockRegistry(capacity: 2, tracksReachability: false)
        #expect(try registry.insertReachable(Block(codec: 0x55, data: [])) == 1)
        #expect(try registry.insertReachable(Block(codec: 0x55, data: [])) == 2)
        #expect(registry.isFull)
        do throws(ExecutionError) {
            // Fullness is looked at before the codec.
            _ = try registry.insertReachable(Block(codec: 0, data: []))
            Issue.record("inserted")
        } catch {
            guard case .refused(.limitExceeded, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
