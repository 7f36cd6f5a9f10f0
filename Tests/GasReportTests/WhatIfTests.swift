import Bundle
import Engine
import GasSchedule
import JSON
import Kernel
import Measuring
import Metering
import Statistics
import TestSupport
import Testing
import WasmFormat
import WasmReference

@testable import GasReport
@testable import Replay

/// Messages under other prices and with other code.
@Suite struct WhatIfTests {
    private func run(_ change: WhatIf.Change, _ sessions: [VectorSession]) -> WhatIf {
        var whatIf = WhatIf(change, rounds: 1)
        for session in sessions { #expect(whatIf.add(session) == nil) }
        return whatIf
    }

    /// Code with what a test makes of it.
    private final class OtherCode: ActorEngine {
        private let change: @Sendable ([UInt8]) -> [UInt8]
        private let prices: WasmPrices

        init(prices: WasmPrices = .fvm, _ change: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }) {
            self.change = change
            self.prices = prices
        }

        func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
            guard let bytes = wasm() else { return nil }
            do {
                let analyzed = try FrontEnd.analyze(
                    change(bytes), profile: .fvm, prices: prices,
                    stackLimit: NetworkProfile.ExecutionLimits.fvm.wasmStack)
                return .module(try ReferenceModule(analyzed))
            } catch let refusal as Refusal {
                return .refused(refusal.diagnostic)
            } catch { throw .compilation("\(error)") }
        }
    }

    @Test func underTheSamePricesEverythingIsTheSame() throws {
        let whatIf = run(WhatIf.Change(prices: .hygge), try sessions(sampleVectors))
        #expect(whatIf.rows.count == 27 && whatIf.rows.allSatisfy { $0.verdict == .same && $0.missing.isEmpty })
        #expect(whatIf.rows.allSatisfy { $0.newGasUsed == $0.gasUsed && $0.gasTimes == 1 && $0.timeTimes != nil })
        #expect(whatIf.rows.contains { $0.exitCode == 7 } && whatIf.rows.contains { $0.exitCode == 16 })
    }

    /// Each syscall costs 1,000 gas more: each message so many times that as it makes syscalls.
    @Test func everySyscallCostsSoMuchMore() throws {
        let session = try sessions(sampleVectors + "/counter.json")
        let prices = PriceList.hygge.with { $0.hostCall += 1_000_000 }
        let whatIf = run(WhatIf.Change(prices: prices), session)
        let messages = try measured(sampleVectors + "/counter.json")
        var compared = 0
        for (row, message) in zip(whatIf.rows, messages) where row.exitCode != 7 {
            let calls = message.timeline.spans.count { $0.source == .charge("OnSyscall") }
            #expect(calls > 0 && row.verdict == .same, "\(row)")
            #expect(row.newGasUsed == row.gasUsed + UInt64(calls) * 1_000)
            compared += 1
        }
        #expect(compared == 6)
    }

    @Test func instructionsThatCostMoreAreChargedByTheirEngine() throws {
        let prices = PriceList.hygge.with { $0.wasm.math *= 3 }
        let whatIf = run(
            WhatIf.Change(prices: prices, engine: OtherCode(prices: prices.wasm)),
            try sessions(sampleVectors + "/sieve.json"))
        #expect(whatIf.rows[3].verdict == .same && (whatIf.rows[3].gasTimes ?? 0) > 1.2)
        #expect(whatIf.rows.allSatisfy { ($0.newGasUsed ?? 0) >= $0.gasUsed })
    }

    /// Under its own limit it ends early; what it needs is found under a higher one, and each message is on the state it
    /// had: that the first one fails is nothing to the others.
    @Test func aMessageThatRunsOutOfGasIsFound() throws {
        let session = try sessions(sampleVectors + "/counter.json")
        let limit = try #require(session.first?.messages.first?.message.gasLimit)
        // The first message makes fewer syscalls than the second.
        let few = try measured(sampleVectors + "/counter.json").map { message in
            message.timeline.spans.count { $0.source == .charge("OnSyscall") }
        }
        let prices = PriceList.hygge.with { $0.hostCall = limit * 1000 / UInt64(few[1]) }
        let whatIf = run(WhatIf.Change(prices: prices), session)
        let second = whatIf.rows[1]
        #expect(second.verdict == .outOfGas && second.newExitCode == 7 && second.gasLimit == limit)
        #expect(second.reason == "the limit is \(limit)")
        #expect((second.gasNeeded ?? 0) > limit && second.newNanoseconds != nil)
        #expect(whatIf.rows[2].gasNeeded == second.gasNeeded)
        #expect(whatIf.rows.filter { $0.verdict == .same }.count > 0)
        let summary = whatIf.summary(change: .null, leftOut: [])
        #expect(summary["verdicts"]?["out_of_gas"]?.integer(Int.self) == whatIf.rows.count { $0.verdict == .outOfGas })
    }

    /// One byte of its code is another one: some lead to another outcome, some to another state.
    @Test func otherCodeHasOtherOutcomesAndOtherStates() throws {
        let all = try #require(try sessions(sampleVectors + "/counter.json").first)
        let first = try all.steps(all.run())[0].session
        var verdicts: [WhatIf.Verdict: WhatIf.Row] = [:]
        var offset = 8
        while verdicts[.otherState] == nil || verdicts[.otherOutcome] == nil, offset < 3_000 {
            let place = offset
            let engine = OtherCode { bytes in
                var bytes = bytes
                if place < bytes.count { bytes[place] &+= 1 }
                return bytes
            }
            let row = try #require(run(WhatIf.Change(engine: engine), [first]).rows.first)
            verdicts[row.verdict] = row
            offset += 1
        }
        let state = try #require(verdicts[.otherState])
        #expect(state.newExitCode == 0 && state.reason?.hasSuffix(": head") == true, "\(state)")
        let outcome = try #require(verdicts[.otherOutcome])
        #expect(outcome.reason?.hasPrefix("exit code 0 → ") == true, "\(outcome)")
        #expect(!outcome.isComparable && outcome.gasNeeded != nil && outcome.newNanoseconds == nil)
    }

    /// Another release of the actors on a recorded message reads blocks that the message did not.
    @Test func aBlockThatWasNotRecordedIsNoVerdict() throws {
        let paths = ["v10", "v11"].map { "bundles/builtin-actors-mainnet-\($0).car.zst" }
        guard let vectors = sharedData("vectors/nv18"), let first = sharedData(paths[0]),
            let second = sharedData(paths[1])
        else { return }
        let (old, new) = (try ActorBundle.open(path: first), try ActorBundle.open(path: second))
        let engine = RedirectedEngine(ReferenceEngine.fvm(), bundles: [(old, new)])
        func row(_ name: String) throws -> WhatIf.Row {
            return try #require(
                run(WhatIf.Change(engine: engine), try sessions("\(vectors)/\(name).json", bundles: [old])).rows.first)
        }
        let unknown = try row("fil_10_storagemarket__PublishStorageDeals__Ok__3")
        #expect(unknown.verdict == .noVerdict && unknown.missing.count == 1)
        #expect(unknown.reason == unknown.missing.first.map { "block \($0.text) is missing" })
        let created = try row("fil_10_storagepower__CreateMiner__Ok__1")
        #expect(created.verdict == .otherOutcome && created.newExitCode == 16)
        #expect(try row("fil_10_multisig__Propose__Ok__1").verdict == .same)
        #expect(engine.useCount > 0 && engine.count > 10)
    }

    @Test func pricesOfAnotherGenerationOfSyscallsAreNotForIt() throws {
        var whatIf = WhatIf(WhatIf.Change(prices: .teep), rounds: 1)
        let session = try #require(try sessions(sampleVectors + "/counter.json").first)
        let added = whatIf.add(session)
        let report = try #require(added)
        guard case .skipped(let reason) = report.status else {
            Issue.record("\(report.status)")
            return
        }
        #expect(reason.contains("generation 4") && whatIf.rows.isEmpty)
    }

    @Test func tablesHavePercentilesAndEveryMessage() throws {
        let whatIf = run(
            WhatIf.Change(prices: PriceList.hygge.with { $0.hostCall *= 2 }),
            try sessions(sampleVectors + "/counter.json"))
        let json = whatIf.json(change: .string("x"), leftOut: [])
        #expect(json["schema"]?.string == "smelt.gas.whatif/2" && json["messages"]?.array?.count == 7)
        #expect((json["gas_times"]?.double ?? 0) > 1 && (json["gas_times"]?.double ?? 9) < 1.3)
        let method = try #require(json["methods"]?.array?.first)
        #expect(["gas_times_p50", "gas_times_p99", "gas_times_max", "ns_times_p95"].allSatisfy { method[$0] != nil })
        // What is measured has an interval.
        let times = [json["ns_times"], method["ns_times_p95"], json["messages"]?.array?.first?["ns_times"]]
        #expect(times.allSatisfy { Estimate(json: $0) != nil }, "\(times)")
        #expect(CSV.text(whatIf.table(by: .message)).hasPrefix("vector,message,file,"))
        #expect(CSV.text(whatIf.table(by: .actor)).hasPrefix("actor,messages,not_same,gas_times_p50"))
    }
}
