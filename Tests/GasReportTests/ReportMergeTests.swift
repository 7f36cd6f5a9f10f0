import JSON
import Measuring
import Statistics
import Testing

@testable import GasReport

/// Reports of several machines side by side.
@Suite struct ReportMergeTests {
    private func report(
        _ machine: String, _ methods: [String: Double], operators: [String: Double] = [:],
        syscalls: [String: Double] = [:], actors: String = "x",
        schema: String = ReportDocument.schema
    ) -> JSONValue {
        func estimate(_ value: Double) -> JSONValue {
            Estimate(value: value, interval: Interval(low: value * 0.9, high: value * 1.1)).json
        }
        return .object([
            "schema": .string(schema),
            "conditions": .object([
                "machine": .object(["processor": .string(machine)]), "actors": .string(actors),
            ]),
            "methods": .array(
                methods.map { .object(["method": .string($0.key), "ns_per_gas": estimate($0.value)]) }),
            "operators": .object([
                "operators": .array(
                    operators.map {
                        .object([
                            "operator": .string($0.key), "form": .string("latency"), "operands": .string(""),
                            "step_ns": estimate($0.value),
                        ])
                    }),
                "syscalls": .array(
                    syscalls.map {
                        .object([
                            "syscall": .string($0.key), "operands": .string("64 bytes"), "ns": estimate($0.value),
                        ])
                    }), "yardstick_ns": estimate(50), "syscall_yardstick_ns": estimate(80),
            ]),
        ])
    }

    @Test func everyRowNamesTheWorstAndTheSecondWorstMachine() throws {
        let merged = try ReportMerge(
            [
                ("a.json", report("fast", ["m": 1, "n": 2], operators: ["i64.add": 0.3])),
                ("b.json", report("slow", ["m": 4, "n": 3], operators: ["i64.add": 0.3])),
                ("c.json", report("middle", ["m": 2])),
            ], force: false)
        let rows = try #require(merged.json["rows"]?.array)
        #expect(rows.compactMap { $0["name"]?.string } == ["m", "n", "i64.add latency"])
        #expect(rows[0]["worst"]?.string == "2: slow" && rows[0]["second"]?.string == "3: middle")
        #expect(rows[0]["worst_by_second"]?.double == 2)
        #expect(rows[1]["second"]?.string == "1: fast" && rows[1]["3: middle"]?.isNull == true)
        #expect(rows[2]["worst_by_second"]?.double == 1)
        #expect(Estimate(json: rows[0]["2: slow"])?.interval == Interval(low: 3.6, high: 4.4))
        #expect(CSV.text(merged.table).hasPrefix("table,name,worst,second,worst_by_second,1: fast,1: fast_low,"))
        #expect(merged.summary["rows"]?.array?.first?["1: fast"]?.double == 1)
    }

    @Test func aRowOfOneMachineHasNoSecond() throws {
        let merged = try ReportMerge([("a.json", report("a", ["m": 1]))], force: false)
        let row = try #require(merged.json["rows"]?.array?.first)
        #expect(row["worst"]?.string == "1: a" && row["second"]?.isNull == true)
        #expect(row["worst_by_second"]?.isNull == true)
    }

    /// Syscalls are rows of their own, here and between two reports.
    @Test func syscallsAreCompared() throws {
        let (one, other) = (report("a", [:], syscalls: ["hash": 100]), report("a", [:], syscalls: ["hash": 300]))
        let merged = try ReportMerge([("a.json", one), ("b.json", other)], force: false)
        #expect(merged.rows.map(\.table) == ["syscalls"] && merged.rows.map(\.name) == ["hash 64 bytes"])
        #expect(merged.rows.first?.times.compactMap { $0?.value } == [100, 300])
        let difference = try ReportDifference(one, other, threshold: 0.25, force: false)
        #expect(difference.rows.map(\.verdict) == [.drift] && difference.rows.first?.table == "syscalls")
        let same = try ReportDifference(one, one, threshold: 0.25, force: false)
        #expect(!same.hasDrift && same.rows.count == 1)
    }

    @Test func otherBundlesNeedForceAndOtherSchemasAreRefused() throws {
        let one = report("a", ["m": 1])
        func reason(_ other: JSONValue, force: Bool) -> String? {
            do {
                _ = try ReportMerge([("a.json", one), ("b.json", other)], force: force)
                return nil
            } catch { return error.description }
        }
        let foreign = report("b", ["m": 1], actors: "y")
        #expect(reason(foreign, force: false)?.hasPrefix("a.json and b.json: actors differ") == true)
        #expect(reason(foreign, force: true) == nil)
        let future = report("b", [:], schema: "smelt.gas.report/99")
        #expect(reason(future, force: true)?.hasPrefix("b.json: schema smelt.gas.report/99") == true)
    }
}
