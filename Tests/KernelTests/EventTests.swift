import GasSchedule
import IPLD
import Primitives
import Syscalls
import Testing

@testable import Kernel

/// `event::emit_event` of v3.
struct EventTests {
    private func event(
        _ entries: Int = 1, flags: UInt64 = 0, key: String = "k", codec: UInt64 = 0x55, value: [UInt8] = [1]
    ) -> [UInt8] {
        Baseline.cbor {
            $0.array(entries)
            for _ in 0..<entries {
                $0.array(4)
                $0.unsigned(flags)
                $0.text(key)
                $0.unsigned(codec)
                $0.byteString(value)
            }
        }
    }

    @Test func anEventIsValidatedChargedAndKept() throws {
        let bench = try SyscallBench()
        let bytes = event(2, flags: 0xFFFF, key: "name", value: [7, 8])
        let outcome = bench.call(.eventEmitEventV3, .input(bytes))
        #expect(outcome.isSuccess && outcome.charges == ["OnActorEventValidate", "OnActorEventAccept"])
        let size = UInt64(bytes.count)
        #expect(outcome.gas == 14_000_000 + 1_750_000 + 27_400 * size + 15_200 * (size + 12))
        let entry = ActorEvent.Entry(flags: 0xFFFF, key: Array("name".utf8), codec: 0x55, value: [7, 8])
        #expect(bench.calls.events == [ActorEvent(emitter: 100, entries: [entry, entry])])
    }

    @Test func limitsAreInclusive() throws {
        let bench = try SyscallBench(memorySize: 3 << 20)
        let longest = String(repeating: "k", count: 32)
        #expect(bench.call(.eventEmitEventV3, .input(event(key: longest))).isSuccess)
        #expect(bench.call(.eventEmitEventV3, .input(event(256, value: []))).isSuccess)
        #expect(bench.call(.eventEmitEventV3, .input(event(2, value: [UInt8](repeating: 1, count: 4096)))).isSuccess)
        for refused in [
            event(key: longest + "k"), event(257, value: []),
            event(2, value: [UInt8](repeating: 1, count: 4097)),
        ] {
            let outcome = bench.call(.eventEmitEventV3, .input(refused))
            #expect(outcome.error == .illegalArgument && outcome.charges == ["OnActorEventValidate"])
        }
        #expect(bench.call(.eventEmitEventV3, .input(event(codec: 0x71))).error == .illegalCodec)
        let tooLong = bench.raw(.eventEmitEventV3, [0, (1 << 20) + 1])
        #expect(tooLong.error == .illegalArgument && tooLong.charges == ["OnActorEventValidate"])
    }

    @Test func entriesAreCheckedInOrderBeforeTheSumOfValues() throws {
        let bench = try SyscallBench()
        let long = [UInt8](repeating: 1, count: 5000)
        // Both entries have a bad codec and together too many bytes: the codec is met first.
        #expect(bench.call(.eventEmitEventV3, .input(event(2, codec: 0x51, value: long))).error == .illegalCodec)
    }

    @Test func theDecodersLeniencyIsTheReferences() throws {
        let bench = try SyscallBench()
        let accepted: [[UInt8]] = [
            [0x00], [0x80], [0x98, 0], [0x9B, 0, 0, 0, 0, 0, 0, 0, 0],
            // Non-minimal flags and codec.
            [0x81, 0x84, 0x1B, 0, 0, 0, 0, 0, 0, 0, 3, 0x61, 0x61, 0x18, 0x55, 0x41, 1],
            // Key with a head of major 0, 1 or 2.
            [0x81, 0x84, 0, 0x01, 0x61, 0x18, 0x55, 0x41, 1], [0x81, 0x84, 0, 0x21, 0x61, 0x18, 0x55, 0x41, 1],
            [0x81, 0x84, 0, 0x41, 0x61, 0x18, 0x55, 0x41, 1],
            // Value and entry list with a head of major 0.
            [0x81, 0x84, 0, 0x61, 0x61, 0x18, 0x55, 0x01, 1], [0x01, 0x04, 0, 0x61, 0x61, 0x18, 0x55, 0x41, 1],
            // Strings in parts.
            [0x81, 0x84, 0, 0x7F, 0x61, 0x61, 0x61, 0x62, 0xFF, 0x18, 0x55, 0x5F, 0x41, 1, 0x41, 2, 0xFF],
        ]
        for bytes in accepted { #expect(bench.call(.eventEmitEventV3, .input(bytes)).isSuccess, "\(bytes)") }
        #expect(bench.calls.events.last?.entries.first?.key == Array("ab".utf8))
        #expect(bench.calls.events.last?.entries.first?.value == [1, 2])
        let refused: [[UInt8]] = [
            [], [0x40], [0x60], [0xA0], [0xF6], [0x9F, 0xFF], [0x80, 0], [0x9C], [0xC0, 0x80], [0xD8, 42, 0x80],
            [0x81, 0x83, 0, 0x61, 0x61, 0x18, 0x55], [0x81, 0x85, 0, 0x61, 0x61, 0x18, 0x55, 0x41, 1, 0],
            [0x81, 0x84, 0, 0x61, 0x61, 0x18, 0x55, 0x61, 1], [0x81, 0x84, 0, 0x61, 0x61, 0x18, 0x55, 0x21, 1],
            [0x81, 0x84, 0x20, 0x61, 0x61, 0x18, 0x55, 0x41, 1],
            [0x81, 0x84, 0x41, 0x61, 0x61, 0x18, 0x55, 0x41, 1],
            [0x81, 0x84, 0xF4, 0x61, 0x61, 0x18, 0x55, 0x41, 1],
            [0x81, 0x84, 0, 0x61, 0x61, 0x18, 0x55, 0x5F, 0x61, 1, 0xFF],
            [0x81, 0x84, 0, 0x61, 0xFF, 0x18, 0x55, 0x41, 1], [0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ]
        let before = bench.calls.events.count
        for bytes in refused {
            #expect(bench.call(.eventEmitEventV3, .input(bytes)).error == .illegalArgument, "\(bytes)")
        }
        #expect(bench.calls.events.count == before)
    }

    /// A value in parts of parts: the event's list and the entry's tuple take 2 of the decoder's 256 levels.
    @Test func valuesInPartsNestAsDeepAsTheReferencesDecoderGoes() throws {
        let bench = try SyscallBench()
        func event(_ depth: Int) -> [UInt8] {
            [0x81, 0x84, 0, 0x61, 0x61, 0x18, 0x55] + [UInt8](repeating: 0x5F, count: depth) + [0x41, 7]
                + [UInt8](repeating: 0xFF, count: depth)
        }
        for depth in [2, 254] {
            #expect(bench.call(.eventEmitEventV3, .input(event(depth))).isSuccess)
            #expect(bench.calls.events.last?.entries.first?.value == [7])
        }
        let refused = bench.call(.eventEmitEventV3, .input(event(255)))
        #expect(refused.error == .illegalArgument && refused.charges == ["OnActorEventValidate"])
    }
}
