import Foundation
import JSON
import Testing

/// `smelt gas` on the sample vectors.
@Suite struct GasCommandTests {
    private let folder: TemporaryFolder
    private var store: String { folder.path("store") }
    private let counter = Tool.vectors + "/counter.json"

    init() throws { folder = try TemporaryFolder() }

    private func gas(_ arguments: String...) throws -> Tool.Run {
        try Tool.run(
            Tool.binary, ["gas"] + arguments + ["--store", store, "--tier", "baseline", "-q"])
    }

    @Test func statAddsUpToTheReceipts() throws {
        let run = try gas("stat", Tool.vectors, "--by", "method", "--format", "json", "--rounds", "2")
        #expect(run.status == 0, "\(run.errors)")
        let document = try JSON.parse(Array(run.output.utf8))
        #expect(document["schema"]?.string == "smelt.gas.stat/1")
        #expect(document["left_out"]?.array?.isEmpty == true)
        let rows = try #require(document["rows"]?.array)
        #expect(rows.contains { $0["method"]?.string?.hasSuffix(".method 2") == true })
        let csv = try gas("stat", counter, "--format", "csv")
        #expect(csv.output.hasPrefix("charge,count,compute_milligas,other_milligas,nanoseconds,"))
    }

    @Test func aVectorThatFailsIsListedAndLeftOut() throws {
        var text = try Tool.vector("counter").text()
        text = text.replacing("\"gas_used\":", with: "\"gas_used\":1")
        let broken = try folder.write(Array(text.utf8), "broken.json")
        let run = try gas("stat", broken, counter, "--format", "json")
        #expect(run.status == 1 && run.errors.contains("left out: broken"))
        let document = try JSON.parse(Array(run.output.utf8))
        #expect(document["left_out"]?.array?.count == 1)
        let alone = try gas("stat", broken)
        #expect(alone.status == 1 && alone.output.isEmpty)
    }

    @Test func traceShowsEveryCharge() throws {
        let json = try JSON.parse(Array(try gas("trace", counter, "--format", "json", "--rounds", "3").output.utf8))
        #expect(json["gas_adds_up"]?.bool == true && json["rounds"]?.integer(Int.self) == 3)
        let spans = try #require(json["spans"]?.array)
        let lines = try gas("trace", counter, "--format", "ndjson").lines
        #expect(lines.count == spans.count)
        let text = try gas("trace", counter)
        #expect(text.output.contains("wasm_exec") && text.output.contains("(settlement)"))
        #expect(try gas("trace", counter, "--format", "folded", "--weight", "time").output.contains(";wasm_exec"))
        #expect(try gas("trace", counter, "--format", "speedscope").output.hasPrefix("{\"$schema\":"))
        #expect(try gas("trace", counter, "--format", "html").output.hasPrefix("<!DOCTYPE html>"))
    }

    /// Inside guest code: gas by function adds up to what was charged for it, and samples lie in functions of the actor.
    /// Of the message that sieves longest: in the others hardly a sample falls.
    @Test func functionsInsideGuestCode() throws {
        let sieve = Tool.vectors + "/sieve.json"
        let json = try JSON.parse(
            Array(try gas("trace", sieve, "--message", "3", "--format", "json", "--rounds", "3").output.utf8))
        let functions = try #require(json["functions"]?.array)
        func sum(_ rows: [JSONValue], _ name: String) -> UInt64 {
            rows.reduce(0) { $0 + ($1[name]?.integer(UInt64.self) ?? 0) }
        }
        let guest = try #require(json["spans"]?.array).filter {
            ["wasm_exec", "wasm_memory_grow"].contains($0["name"]?.string)
        }
        #expect(sum(functions, "milligas") == sum(guest, "compute_milligas"))
        let named = functions.filter { $0["function"]?.string?.hasPrefix("f") == true }
        #expect(named.contains { $0["samples"]?.integer(Int.self) ?? 0 > 0 }, "\(functions)")
        let rows = try #require(
            try JSON.parse(Array(try gas("stat", sieve, "--by", "function", "--format", "json").output.utf8))["rows"]?
                .array)
        let charges = try #require(
            try JSON.parse(Array(try gas("stat", sieve, "--format", "json").output.utf8))["rows"]?.array)
        #expect(sum(rows, "compute_milligas") == sum(charges, "compute_milligas"))
        #expect(rows.contains { $0["samples"]?.integer(Int.self) ?? 0 > 0 })
        #expect(try gas("trace", sieve, "--format", "folded").output.contains(";wasm_exec;f"))
        #expect(try !gas("trace", sieve, "--format", "folded", "--no-functions").output.contains(";wasm_exec;f"))
    }

    @Test func limitNamesTheSmallest() throws {
        let run = try gas("limit", counter, "--format", "json")
        #expect(run.status == 0, "\(run.errors)")
        let found = try JSON.parse(Array(run.output.utf8))
        #expect(found["smallest_limit"]?.integer(UInt64.self) == found["gas_used"]?.integer(UInt64.self))
        #expect(found["with_one_less"]?["exit_code"]?.integer(Int.self) == 7)
    }

    @Test func aReportIsWrittenTakenUpAndCompared() throws {
        func report(_ directory: String, _ more: String...) throws -> Tool.Run {
            try Tool.run(
                Tool.binary,
                ["gas", "report", "--vectors", Tool.vectors, "--no-operators", "--budget", "2", "-o", directory, "-q"]
                    + ["--store", store, "--tier", "baseline"] + more)
        }
        let (first, second) = (folder.path("first"), folder.path("second"))
        let run = try report(first)
        #expect(run.status == 0, "\(run.errors)")
        for name in ["report.html", "report.json", "methods.csv", "charges.csv", "messages.csv", "measured.json"] {
            #expect(FileManager.default.fileExists(atPath: "\(first)/\(name)"), "\(name)")
        }
        let before = try String(contentsOfFile: first + "/measured.json", encoding: .utf8)
        #expect(try report(first).status == 0)
        let after = try String(contentsOfFile: first + "/measured.json", encoding: .utf8)
        let (old, new) = (try JSON.parse(Array(before.utf8)), try JSON.parse(Array(after.utf8)))
        #expect(old["messages"] == new["messages"] && old["complete"]?.bool == true)
        let checked = try report(first, "--bounds", "check")
        #expect(checked.status == 2 && checked.errors.contains("measured under other conditions (settings)"))
        #expect(try report(second).status == 0)
        let price = try Tool.smelt("gas", "price", first)
        #expect(price.status == 0 && price.output.contains("wasm_exec"), "\(price.errors)")
        #expect(try Tool.smelt("gas", "price", folder.path("nowhere")).status == 2)
        let same = try Tool.smelt("gas", "diff", first + "/report.json", first + "/report.json", "--format", "json")
        #expect(same.status == 0, "\(same.errors)")
        #expect(try JSON.parse(Array(same.output.utf8))["drift"]?.integer(Int.self) == 0)
        let again = try Tool.smelt("gas", "diff", first + "/report.json", second + "/report.json")
        #expect([0, 3].contains(again.status), "\(again.errors)")
        let merged = try Tool.smelt(
            "report", "merge", first + "/report.json", second + "/report.json", "--format", "json")
        #expect(merged.status == 0, "\(merged.errors)")
        #expect(try JSON.parse(Array(merged.output.utf8))["reports"]?.array?.count == 2)
        #expect(try Tool.smelt("report", "merge", first + "/report.json", "--format", "csv").output.hasPrefix("table,"))
        let other = try Tool.smelt("report", "merge", first + "/report.json", first + "/measured.json")
        #expect(other.status == 2 && other.errors.contains("schema smelt.gas.measured/2 is none that can be merged"))
        let text = try String(contentsOfFile: first + "/report.json", encoding: .utf8)
        let foreign = try folder.write(
            Array(text.replacing("\"microcode\": ", with: "\"microcode\": 1").utf8), "foreign.json")
        #expect(try Tool.smelt("gas", "diff", first + "/report.json", foreign).status == 2)
    }

    /// The list of a network version is written, edited and taken.
    @Test func messagesUnderOtherPrices() throws {
        let list = try Tool.smelt("gas", "whatif", "--print-prices", "18").output
        let same = try folder.write(Array(list.utf8), "same.json")
        let unchanged = try gas("whatif", "--prices", same, counter, "--format", "json", "--rounds", "1")
        #expect(unchanged.status == 0, "\(unchanged.errors)")
        let document = try JSON.parse(Array(unchanged.output.utf8))
        #expect(document["verdicts"]?["same"]?.integer(Int.self) == 7 && document["gas_times"]?.numberText == "1.0000")
        let dear = try folder.write(
            Array(list.replacing("\"math\": 4000", with: "\"math\": 40000").utf8), "dear.json")
        let sieve = Tool.vectors + "/sieve.json"
        let text = try gas("whatif", "--prices", dear, sieve, "--rounds", "1")
        #expect(text.status == 0 && text.output.contains("wasm.math  4000  40000"), "\(text.output)\(text.errors)")
        let csv = try gas("whatif", "--prices", dear, sieve, "--rounds", "1", "--format", "csv")
        let lines = csv.output.split(whereSeparator: \.isNewline)
        #expect(lines.count == 9 && lines.first?.hasPrefix("vector,message,file,network_version,method,") == true)
        // What instructions cost stands in compiled code, which the command has compiled for it.
        let json = try JSON.parse(
            Array(try gas("whatif", "--prices", dear, sieve, "--rounds", "1", "--format", "json").output.utf8))
        let times = (json["messages"]?.array ?? []).compactMap { $0["gas_times"]?.numberText.flatMap(Double.init) }
        #expect(times.count == 8 && times.contains { $0 > 2 }, "\(times)")
        let bad = try folder.write(
            Array(list.replacing("\"math\": 4000", with: "\"math\": -1").utf8), "bad.json")
        let refused = try gas("whatif", "--prices", bad, counter)
        #expect(refused.status == 2 && refused.errors.contains("bad.json: wasm.math: -1 is not an integer in 0..."))
        #expect(try gas("whatif", counter).status == 64)
        #expect(try gas("whatif", "--prices", same).status == 64)
        #expect(try gas("whatif", "--redirect-bundle", same, counter).status == 64)
        #expect(try gas("whatif", "--print-prices", "17").status == 64)
        let bundle = try folder.write(try SampleBundle.make(["counter", "sieve"]), "old.car")
        let other = try folder.write(try SampleBundle.make(["sieve", "counter"]), "new.car")
        let unused = try gas("whatif", "--redirect-bundle", "\(bundle)=\(other)", counter)
        #expect(unused.status == 2 && unused.errors.contains("no message runs code of the bundle"), "\(unused.errors)")
    }

    @Test func wrongUseIsNamed() throws {
        let several = try gas("trace", Tool.vectors)
        #expect(several.status == 64 && several.errors.contains("3 vectors; name one"))
        let message = try gas("limit", counter, "--message", "99")
        #expect(message.status == 64 && message.errors.contains("--message 99: counter has "))
        #expect(try gas("stat", folder.path("nothing")).status == 2)
        let other = try gas("stat", counter, "--network-version", "28")
        #expect(other.status == 2 && other.errors.contains("no message was measured"))
    }
}
