import NativeEngine
import Testing

@testable import GasReport
@testable import Replay

/// Gas by function is exact: it adds up to what the calls' guest code was charged. Here the interpreter runs both times,
/// so that no sample is in mapped code. One after the other: there is one sampler at a time.
@Suite(.serialized) struct FunctionProfileTests {
    @Test(arguments: ["counter", "relay", "sieve"])
    func gasAddsUpToTheCharges(_ name: String) throws {
        let session = try #require(try sessions("\(sampleVectors)/\(name).json").first)
        let messages = Measurement(rounds: 1).measure(session).messages
        let profile = try FunctionProfile(session, messages, map: CodeMap(), seconds: 0.05, wanted: 20)
        #expect(profile.messages.count == messages.count)
        var functions = 0
        for (message, rows) in zip(messages, profile.messages) {
            let guest = message.timeline.spans.filter { ["wasm_exec", "wasm_memory_grow"].contains($0.source.name) }
            for frame in message.timeline.frames.indices {
                let charged = guest.filter { $0.frame == frame }.reduce(0) { $0 + $1.compute }
                #expect(rows.filter { $0.frame == frame }.reduce(0) { $0 + $1.milligas } == charged)
            }
            #expect(rows.allSatisfy { $0.from <= $0.nanoseconds && $0.nanoseconds <= $0.to })
            functions += rows.count { $0.function.hasPrefix("f") && $0.milligas > 0 }
            // Stacks and sums by function lose nothing either.
            let stacks = CallStacks(message, functions: rows)
            #expect(
                stacks.entries.reduce(0) { $0 + $1.compute + $1.other }
                    == message.timeline.spans.reduce(0) { $0 + $1.compute + $1.other })
            var statistics = GasStatistics(by: .function)
            statistics.add(message, functions: rows)
            #expect(
                statistics.rows.reduce(0) { $0 + $1.compute }
                    == message.timeline.spans.reduce(0) { $0 + $1.compute })
        }
        #expect(functions >= messages.count)
    }

    /// Samples carry the call they were taken in, also where calls nest.
    @Test func samplesKnowTheirCall() throws {
        let session = try #require(try sessions(sampleVectors + "/sieve.json").first)
        let messages = Measurement(rounds: 1).measure(session).messages
        let profile = try FunctionProfile(session, messages, map: CodeMap(), seconds: 5, wanted: 60)
        #expect(profile.samples > 30)
        let rows = profile.messages.flatMap(\.self)
        #expect(rows.reduce(0) { $0 + $1.samples } == profile.samples)
        // Without mapped code no place is a function's.
        #expect(rows.allSatisfy { $0.samples == 0 || $0.function == "(runtime)" })
    }
}
