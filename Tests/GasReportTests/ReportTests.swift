import JSON
import Measuring
import Statistics
import Testing

@testable import GasReport
@testable import Replay

/// The report's numbers, its state on disk, and the comparison of two reports.
@Suite struct ReportTests {
    private static let conditions = JSONValue.object([
        "machine": .string("a"), "actors": .null, "settings": .null, "vectors": .integer(3),
    ])

    private static func measuredSamples(rounds: Int = 4) throws -> Measured {
        var measured = Measured(conditions: conditions)
        var run = InterleavedRounds(try sampleSessions(), effort: .init(seconds: 0, least: rounds, most: rounds))
        run.run(&measured) { _ in }
        return measured
    }

    @Test func whatWasMeasuredComesBackFromItsFile() throws {
        var measured = try Self.measuredSamples()
        measured.leaveOut("other", "why")
        let json = try JSON.parse(Array(measured.json.text().utf8))
        let again = try #require(Measured(json))
        #expect(again.json == json && again.count == measured.count && again.count > 3 && again.rounds == 4)
        #expect(again.isComplete && again.leftOut.count == 1)
        for name in ["complete", "messages", "seconds", "schema", "conditions", "left_out"] {
            let less = JSONValue.object((json.members ?? []).filter { $0.name != name })
            #expect(Measured(less) == nil, "\(name)")
        }
    }

    @Test func everyTableAddsUpToTheMessages() throws {
        let measured = try Self.measuredSamples()
        let json = ReportDocument(measured).json
        let messages = try #require(json["messages"]?.array)
        func sum(_ rows: JSONValue?, _ names: [String]) -> UInt64 {
            (rows?.array ?? []).reduce(0) { sum, row in
                names.reduce(sum) { $0 + (row[$1]?.integer(UInt64.self) ?? 0) }
            }
        }
        let compute = sum(json["messages"], ["compute_milligas"])
        #expect(compute > 0 && sum(json["charges"], ["compute_milligas"]) == compute)
        #expect(sum(json["calls"], ["compute_milligas"]) == compute)
        #expect(sum(json["methods"], ["count"]) == UInt64(messages.count))
        let shares = (json["shares"]?.members ?? []).reduce(0) { $0 + ($1.value.double ?? 0) }
        #expect((shares - 1).magnitude < 0.002)
        let headline = try #require(json["headline"])
        let estimate = try #require(Estimate(json: headline["ns_per_gas"]))
        #expect(estimate.interval.contains(estimate.value) && estimate.value > 0)
    }

    /// Fewer than ten points are no model, and the report says so instead of printing one.
    @Test func aFitOfFewPointsIsRefused() throws {
        let measured = try Self.measuredSamples()
        let fits = try #require(ReportDocument(measured).json["fits"]?.array)
        let verification = fits.filter { $0["refused"]?.string != nil }
        #expect(!verification.isEmpty)
        #expect(verification.allSatisfy { $0["ns_per_gas"]?.isNull == true && $0["r_squared"]?.isNull == true })
    }

    /// Guest code that takes 0.03 ns per gas in one network version and 2 in another has no line, and one in each.
    @Test func guestCodeIsFittedByNetworkVersionToo() throws {
        func record(_ version: UInt32, gas: Int, perGas: Double) -> MessageRecord {
            let time = Double(gas) * perGas
            let part = MessageRecord.Part(
                name: "wasm_exec", count: 1, compute: UInt64(gas) * 1_000, other: 0, nanoseconds: time)
            return MessageRecord(
                vector: "v", index: 0, file: "f", networkVersion: version, title: "evm.InvokeContract", exitCode: 0,
                gasUsed: UInt64(gas), elapsed: time, rounds: [time], charges: [part], calls: [])
        }
        let old = (0..<12).map { record(18, gas: 1_000 + $0, perGas: 0.03) }
        let new = (0..<12).map { record(28, gas: 1_000 + $0, perGas: 2) }
        #expect(throws: NoModel.self) { try ReportDocument.fit(of: "wasm_exec", old + new).get() }
        let fits = ReportDocument.guestFits(new + old)
        #expect(fits.map(\.version) == [18, 28])
        for (fit, slope) in zip(fits, [0.03, 2]) {
            let line = try fit.line.get()
            #expect((line.slope.value / slope - 1).magnitude < 1e-6 && line.count == 12)
        }
        // Of one version the fit of all is its own.
        #expect(ReportDocument.guestFits(old).isEmpty)
    }

    @Test func thePageAndTheTablesAreWhole() throws {
        let document = ReportDocument(try Self.measuredSamples())
        let json = document.json
        let html = ReportPage(document, json: json).html
        #expect(html.contains("<svg") && html.contains("Where the time goes") && !html.contains("src="))
        #expect(!html.contains("NaN") && !html.contains("inf"))
        let tables = ReportDocument.tables(json)
        #expect(tables.map(\.name) == ["methods.csv", "calls.csv", "charges.csv", "messages.csv", "fits.csv"])
        #expect(tables.allSatisfy { $0.text.contains("\r\n") })
    }

    @Test func aChargeHasOneClass() {
        let classes: [(String, ChargeClass)] = [
            ("wasm_exec", .guest), ("(call end)", .uncharged), ("OnBlockLink", .storage), ("OnHashing", .hashing),
            ("OnVerifySignature", .signatures), ("OnVerifyPost", .proofs), ("OnSyscall", .syscalls),
            ("wasm_memory_init", .memory),
        ]
        for (name, kind) in classes { #expect(ChargeClass(charge: name) == kind, "\(name)") }
    }

    /// Twelve messages whose guest code takes half of what is paid for, and hashing four times as much.
    @Test func pricesFollowTheMeasurements() throws {
        let template = try #require(try Self.measuredSamples(rounds: 1).series.first)
        var measured = Measured(conditions: Self.conditions)
        for size in 1...12 {
            var message = template
            let gas = UInt64(size) * 1_000_000
            message.title = "actor.Method"
            message.gasUsed = gas * 3
            message.charges = ["wasm_exec", "OnHashing", "OnVerifyPost"].map {
                .init(name: $0, count: 1, compute: gas * 1000, other: 0)
            }
            message.rounds = [
                .init(
                    elapsed: Double(gas), yardstick: 100, charges: [Double(gas) * 0.05, Double(gas) * 0.4, 1],
                    calls: message.rounds[0].calls)
            ]
            measured.series.append(message)
        }
        let proposal = PriceProposal(measured, anchor: 10)
        func factor(_ name: String) -> Double { proposal.rows.first { $0.charge == name }?.factor?.value ?? 0 }
        #expect((factor("wasm_exec") - 0.5).magnitude < 1e-6 && (factor("OnHashing") - 4).magnitude < 1e-6)
        #expect(proposal.rows.first { $0.charge == "OnVerifyPost" }?.kept == "answered, not computed")
        // (0.5 + 4 + 1) of 3.
        #expect((proposal.total - 5.5 / 3).magnitude < 1e-6)
        #expect(proposal.effects.count == 1 && proposal.effects[0].messages == 12)
    }

    // MARK: Differences

    private func report(
        _ rows: [String: (value: Double, width: Double)], yardstick: Double = 100,
        schema: String = ReportDocument.schema,
        conditions: JSONValue = conditions
    ) -> JSONValue {
        func estimate(_ value: Double, _ width: Double) -> JSONValue {
            Estimate(value: value, interval: Interval(low: value - width / 2, high: value + width / 2)).json
        }
        return .object([
            "schema": .string(schema), "conditions": conditions, "yardstick_ns": estimate(yardstick, 1),
            "methods": .array(
                rows.sorted { $0.key < $1.key }.map { name, row in
                    .object(["method": .string(name), "ns_per_gas": estimate(row.value, row.width)])
                }),
        ])
    }

    private func verdicts(_ old: JSONValue, _ new: JSONValue) throws -> [String: ReportDifference.Verdict] {
        let difference = try ReportDifference(old, new, threshold: 0.1, force: false)
        return Dictionary(uniqueKeysWithValues: difference.rows.map { ($0.name, $0.verdict) })
    }

    @Test func driftIsToldFromNoise() throws {
        let old = report([
            "slower": (1, 0.02), "same": (2, 0.02), "noisy": (3, 2), "little": (4, 0.01), "faster": (5, 0.1),
        ])
        let new = report(
            ["slower": (1.3, 0.02), "same": (2.01, 0.02), "noisy": (4, 2), "little": (4.2, 0.01), "faster": (3, 0.1)])
        #expect(
            try verdicts(old, new) == [
                "slower": .drift, "same": .same, "noisy": .noVerdict, "little": .same, "faster": .drift,
            ])
        #expect(try !ReportDifference(old, old, threshold: 0.1, force: false).hasDrift)
    }

    /// A machine that has become slower as a whole has not drifted.
    @Test func theYardstickTakesTheMachinesSpeedAway() throws {
        let old = report(["a": (1, 0.01), "b": (2, 0.01)])
        let new = report(["a": (1.5, 0.015), "b": (3, 0.015)], yardstick: 150)
        #expect(try verdicts(old, new) == ["a": .same, "b": .same])
    }

    /// The yardstick says that the machine was half as fast; the rows know better, and only one of them differs.
    @Test func whatManyRowsHaveInCommonIsNoDrift() throws {
        func times(_ factor: Double, slower: Double) -> [String: (Double, Double)] {
            Dictionary(
                uniqueKeysWithValues: (0..<30).map { index in
                    let time = Double(index + 1) * factor * (index == 7 ? slower : 1)
                    return ("m\(index)", (time, time * 0.01))
                })
        }
        let old = report(times(1, slower: 1))
        let new = report(times(1.2, slower: 1.5), yardstick: 118)
        let found = try verdicts(old, new)
        #expect(found.filter { $0.value == .drift }.map(\.key) == ["m7"] && found["(all)"] == .same)
        let difference = try ReportDifference(old, new, threshold: 0.1, force: false)
        let speed = try #require(difference.speeds.first)
        #expect((speed.common - 1.2).magnitude < 1e-9 && (speed.yardstick - 1.18).magnitude < 1e-9)
        // All of them slower where the yardstick is not: the compiler's doing, and said once.
        let slow = try verdicts(old, report(times(1.5, slower: 1)))
        #expect(slow.filter { $0.value == .drift }.map(\.key) == ["(all)"])
    }

    @Test func rowsOfOneReportAreListed() throws {
        let difference = try ReportDifference(
            report(["a": (1, 0.01), "b": (1, 0.01)]), report(["b": (1, 0.01), "c": (1, 0.01)]), threshold: 0.1,
            force: false)
        #expect(difference.onlyOld == ["methods: a"] && difference.onlyNew == ["methods: c"])
        #expect(difference.rows.map(\.name) == ["b"])
    }

    @Test func otherThingsAreNotCompared() throws {
        let one = report(["a": (1, 0.01)])
        func reason(_ other: JSONValue, force: Bool = false) -> String? {
            do {
                _ = try ReportDifference(one, other, threshold: 0.1, force: force)
                return nil
            } catch { return "\(error)" }
        }
        #expect(reason(.object([:]))?.contains("second file is no report") == true)
        #expect(reason(report([:], schema: "smelt.gas.report/9"), force: true)?.contains("smelt.gas.report/9") == true)
        let elsewhere = JSONValue.object(
            (Self.conditions.members ?? []).map { $0.name == "machine" ? .init("machine", .string("b")) : $0 })
        #expect(reason(report([:], conditions: elsewhere))?.hasPrefix("machine differ") == true)
        #expect(reason(report([:], conditions: elsewhere), force: true) == nil)
    }
}
