import Engine
import GasSchedule
import Metering
import Testing

@testable import WasmReference

/// What interested parties see of a guest that the interpreter runs, and its state as a whole.
struct GuestWatchTests {
    private static let i32 = ModuleBuilder.i32

    private struct Watched {
        let instance: ReferenceInstance
        let watch: GuestWatch
        let coverage: ChargeCoverage
    }

    /// - Parameter capture: gets the entries that `counts` waits for.
    private func watched(
        _ module: ModuleBuilder, counts: (EntryCounts) -> Void = { _ in },
        capture: @escaping (EntryFollower.Entry, Span<UInt8>) -> Void = { _, _ in }
    ) throws -> Watched {
        let analyzed = try FrontEnd.analyze(module.bytes, profile: .suite, prices: .fvm)
        let code = try FlatCode(analyzed.module, plan: analyzed.plan, isWatched: true)
        let coverage = ChargeCoverage(code)
        let watch = GuestWatch(bytes: 1 << 20)
        let entries = EntryCounts(code)
        counts(entries)
        let instance = try ReferenceModule(code, coverage: coverage).makeInstance(
            handler: NoHost(), limiter: ResourceLimiter(limit: 1 << 20),
            follower: EntryFollower(entries, capture: capture), watch: watch)
        instance.gasCounter = Int64.max
        #expect(try instance.instantiate() == .returned([]))
        _ = watch.takeWrites(within: instance.memorySize)
        watch.reset()
        return Watched(instance: instance, watch: watch, coverage: coverage)
    }

    /// Stores its second argument at its first, loads it again and from 16 bytes behind, and compares the two.
    private var storing: ModuleBuilder {
        var module = ModuleBuilder()
        module.memories = [[0, 1]]
        module.globals = [[Self.i32, 1, 0x41, 7, 0x0B]]
        module.function(
            "f", [Self.i32, Self.i32], [Self.i32],
            [0x20, 0, 0x20, 1, 0x36, 2, 0, 0x20, 0, 0x28, 2, 0, 0x20, 0, 0x28, 2, 16, 0x48])
        return module
    }

    @Test func readsAreThoseOfWhatWasThereBeforeAndWritesMarkPages() throws {
        let watched = try watched(storing)
        #expect(try watched.instance.call("f", [8_192, 5]) == .returned([0]))
        #expect(watched.watch.reads == [8_208])
        #expect(watched.watch.comparisons == [GuestWatch.Comparison(first: 5, second: 0)])
        #expect(watched.watch.takeWrites(within: 65_536) == [2])
        #expect(watched.watch.takeWrites(within: 65_536) == [])
        watched.watch.reset()
        #expect(watched.watch.reads.isEmpty && watched.watch.comparisons.isEmpty)
    }

    @Test func aStoreAcrossTheEndOfAPageMarksBoth() throws {
        let watched = try watched(storing)
        _ = try watched.instance.call("f", [4_094, 5])
        #expect(watched.watch.takeWrites(within: 65_536) == [0, 1])
    }

    @Test func ranges() throws {
        let watch = GuestWatch(bytes: 1 << 20)
        watch.write(4_095..<8_193)
        watch.write(20_000..<20_000)
        #expect(watch.takeWrites(within: 1 << 20) == [0, 1, 2])
        // What lies outside of the memory is nobody's page.
        watch.write(65_536..<65_540)
        #expect(watch.takeWrites(within: 65_536) == [])
    }

    @Test func watchedCodeEndsAsOtherCodeDoesAndForTheSameGas() throws {
        let watched = try watched(storing)
        let plain = try storing.started()
        for arguments: [UInt64] in [[0, 1], [65_532, 9], [65_533, 1], [0xFFFF_FFFF, 1]] {
            watched.instance.gasCounter = Int64.max
            plain.gasCounter = Int64.max
            #expect(try watched.instance.call("f", arguments) == plain.call("f", arguments))
            #expect(watched.instance.gasCounter == plain.gasCounter)
        }
    }

    @Test func theEntryThatIsWaitedForIsSeenAsItFindsThings() throws {
        var seen: [(EntryFollower.Entry, UInt8)] = []
        let watched = try watched(
            storing, counts: { $0.wait(for: 2, of: 0) },
            capture: { entry, memory in seen.append((entry, memory[100])) })
        _ = try watched.instance.call("f", [100, 1])
        #expect(seen.isEmpty)
        _ = try watched.instance.call("f", [100, 2])
        _ = try watched.instance.call("f", [100, 3])
        #expect(seen.count == 1)
        #expect(seen.first?.0.function == 0 && seen.first?.0.number == 2)
        #expect(seen.first?.0.arguments == [100, 2] && seen.first?.0.globals == [7])
        #expect(seen.first?.1 == 1)
    }

    @Test func coverageSaysWhichEntryReachedABlockFirst() throws {
        var module = ModuleBuilder()
        // A block of its own for arguments that are not zero.
        module.function("f", [Self.i32], [], [0x20, 0, 0x04, 0x40, 0x41, 1, 0x1A, 0x0B])
        let watched = try watched(module)
        _ = try watched.instance.call("f", [0])
        let before = watched.coverage.count
        _ = try watched.instance.call("f", [0])
        #expect(watched.coverage.count == before)
        _ = try watched.instance.call("f", [1])
        #expect(watched.coverage.firsts[before...].elementsEqual([.init(function: 0, entry: 3)]))
        #expect(watched.coverage.totals == [watched.coverage.total])
    }

    @Test func stateIsSetAndReadAsAWhole() throws {
        let instance = try watched(storing).instance
        instance.setGlobals([9])
        #expect(instance.globalSlots == [9])
        let bytes: [UInt8] = [1, 2, 3]
        instance.write(bytes.span, at: 65_533)
        #expect(instance.withMemory { [$0[65_532], $0[65_533], $0[65_535]] } == [0, 1, 3])
        #expect(try instance.growMemory(to: 3 * 65_536) && instance.memorySize == 3 * 65_536)
        #expect(try !instance.growMemory(to: 65_536))
        #expect(try instance.call(function: 0, [65_533, 7]) == .returned([0]))
        #expect(throws: EngineError.self) { try instance.call(function: 1, []) }
    }
}
