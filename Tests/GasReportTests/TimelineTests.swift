import GasSchedule
import JSON
import Kernel
import TestSupport
import Testing

@testable import GasReport
@testable import Replay

/// Messages cut into spans: all gas is there, all time is there, and the rule says which belongs to which.
@Suite struct TimelineTests {
    @Test(arguments: ["counter", "relay", "sieve"])
    func gasAddsUpToTheReceipt(_ name: String) throws {
        let messages = try measured("\(sampleVectors)/\(name).json", rounds: 3)
        #expect(!messages.isEmpty)
        for message in messages {
            #expect(message.gasAddsUp == true)
            #expect(Milligas.roundedUp(message.timeline.taken) == message.report.gasUsed)
        }
    }

    /// Spans follow one another without a gap, so their sum is the time between their ends.
    @Test func timesSumUpToTheMessages() throws {
        let message = try #require(try measured(sampleVectors + "/sieve.json", rounds: 9).first)
        #expect(message.rounds == 9 && message.times.count == message.timeline.spans.count)
        #expect(message.sum > 0.9 * message.elapsed && message.sum < 1.1 * message.elapsed)
        #expect(message.uncharged > 0 && message.uncharged < message.sum)
    }

    @Test func everyChargeOfATraceIsASpanAndNothingElseHasGas() throws {
        let path = sampleVectors + "/relay.json"
        let session = try #require(try sessions(path).first)
        final class Charges: MessageObserver {
            var charges: [[GasCharge]] = []
            func begin(message index: Int) { charges.append([]) }
            func record(_ event: TraceEvent) {
                if case .charge(let charge) = event { charges[charges.count - 1].append(charge) }
            }
        }
        let witness = Charges()
        #expect(session.run(observer: witness).status == .passed)
        for (message, charges) in zip(try measured(path), witness.charges) {
            let spans = message.timeline.spans.filter { $0.compute + $0.other > 0 || $0.source.isCharged }
            func sorted(_ items: [(String, UInt64, UInt64)]) -> [String] { items.map { "\($0)" }.sorted() }
            #expect(
                sorted(spans.map { ($0.source.name, $0.compute, $0.other) })
                    == sorted(charges.map { ($0.name, $0.compute, $0.other) }))
            #expect(!charges.isEmpty)
        }
    }

    /// A syscall settles what the guest used before it is charged itself: the guest's span ends there, with its gas.
    @Test func guestCodeIsInFrontOfItsCharge() throws {
        for message in try measured(sampleVectors + "/relay.json") {
            let names = message.timeline.spans.map(\.source.name)
            for index in names.indices where names[index] == "OnSyscall" {
                #expect(["wasm_exec", "wasm_memory_grow"].contains(names[index - 1]))
            }
            #expect(!message.timeline.spans.contains { $0.source == .stage(.guest) && $0.compute > 0 })
            #expect(zip(message.timeline.spans, message.times).allSatisfy { $0.source.name != "wasm_exec" || $1 > 0 })
        }
    }

    @Test func callsSyscallsAndTheirNamesAreKept() throws {
        let timelines = try measured(sampleVectors + "/relay.json").map(\.timeline)
        let timeline = try #require(timelines.max { $0.frames.count < $1.frames.count })
        #expect(timeline.frames.count > 1 && timeline.frames.contains { $0.parent == 0 })
        #expect(timeline.syscalls.contains("send::send"))
        let send = try #require(timeline.syscalls.firstIndex(of: "send::send"))
        #expect(timeline.spans.filter { $0.syscall == send }.contains { $0.source == .charge("OnSyscall") })
        // What the receiver does belongs to its own frame and to no syscall of the caller's.
        #expect(timeline.spans.allSatisfy { $0.frame == 0 || $0.syscall != send })
    }

    /// What one round did another has to do: a difference is told, not averaged.
    @Test func aRoundThatDiffersIsNoticed() {
        func round(_ recorder: TimelineRecorder, _ names: [String]) {
            recorder.begin(message: 0)
            for name in names { recorder.record(.charge(GasCharge(name, compute: 5))) }
            recorder.stop()
            recorder.end(
                message: 0,
                MessageReport(exitCode: .ok, gasUsed: 0, nanoseconds: 0, processorNanoseconds: 0))
        }
        for other in [["a"], ["a", "b", "c"], ["a", "c"]] {
            let recorder = TimelineRecorder(clock: SpanClock())
            round(recorder, ["a", "b"])
            round(recorder, ["a", "b"])
            #expect(recorder.deviation == nil)
            round(recorder, other)
            #expect(recorder.deviation?.hasPrefix("message 0: ") == true)
        }
    }

    @Test func aChargeThatCouldNotBePaidCountsWithWhatWasThere() {
        let recorder = TimelineRecorder(clock: SpanClock())
        recorder.begin(message: 0)
        let tracker = GasTracker(gasLimit: 1, trace: recorder)
        try? tracker.charge(GasCharge("first", compute: 400))
        try? tracker.charge(GasCharge("second", compute: 500, other: 700))
        recorder.stop()
        let timeline = recorder.messages[0].timeline
        #expect(timeline.spans.map(\.unpaid) == [0, 600])
        #expect(timeline.taken == 1000 && tracker.usedGas == 1)
    }

    /// `gas stat --by charge` is what a few lines over the reference's own traces add up to.
    @Test func chargesAddUpToTheRecordedTraces() throws {
        guard let vectors = sharedData("vectors/nv18"), let traces = sharedData("traces/nv18"),
            let bundle = sharedData("bundles/builtin-actors-mainnet-v10.car.zst")
        else { return }
        let names = ["fil_10_storageminer__Send__Ok__1", "fil_10_multisig__Propose__Ok__1"]
        var statistics = GasStatistics(by: .charge)
        var expected: [String: [UInt64]] = [:]
        for name in names {
            let session = try #require(
                try sessions("\(vectors)/\(name).json", bundles: [try .open(path: bundle)]).first)
            for message in Measurement(rounds: 1).measure(session).messages { statistics.add(message) }
            for line in try JSON.lines(of: "\(traces)/\(name).trace.jsonl") {
                guard let event = line.array, event[0].string == "charge", let key = event[1].string else { continue }
                let (compute, other) = (event[2].integer(UInt64.self) ?? 0, event[3].integer(UInt64.self) ?? 0)
                let sums = expected[key, default: [0, 0, 0]]
                expected[key] = [sums[0] + 1, sums[1] + compute, sums[2] + other]
            }
        }
        let charged = statistics.rows.filter { !$0.name.hasPrefix("(") }
        #expect(charged.count == expected.count && charged.count > 5)
        for row in charged {
            #expect(expected[row.name] == [UInt64(row.count), row.compute, row.other], "\(row.name)")
        }
    }
}

extension JSON {
    fileprivate static func lines(of path: String) throws -> [JSONValue] {
        try Files.read(path).split(separator: UInt8(ascii: "\n")).map { try parse(Array($0)) }
    }
}
