import Foundation
import JSON
import TestSupport
import Testing

/// `smelt replay --chain` with `--extract`, `--extract-tipsets` and `--message`, and `smelt gas stat --chain`.
@Suite struct ChainExtractionTests {
    private typealias Era = ChainReplayTests.Era
    private typealias Place = ChainReplayTests.Place

    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    /// With a child for the tipset at height 5.
    private func chain(_ place: Place, _ era: Era) throws -> String {
        let path = place.folder.path("longer.car")
        let made = try place.smelt(
            "chain", "extend", try place.chain(era), "--network-version", era.version, "-o", path)
        #expect(made.status == 0, "\(made.errors)")
        return path
    }

    @Test(arguments: ChainReplayTests.Era.all) func messagesAndTipsetsStandAlone(
        _ era: ChainReplayTests.Era
    ) throws {
        guard let place = try Place(era) else { return }
        let path = try chain(place, era)
        let (vectors, tipsets) = (place.folder.path("vectors"), place.folder.path("tipsets"))
        let run = try place.smelt(
            "replay", "--chain", path, "--network-version", era.version, "--extract", vectors, "--extract-tipsets",
            tipsets)
        #expect(run.status == 0 && run.lines.last == "4 passed, 0 failed, 0 skipped", "\(run.output)\(run.errors)")

        // Of each block its reward, of each epoch a cron, and the messages.
        let names = try names(vectors)
        #expect(names.count == 5 + 2 + 8, "\(names)")
        #expect(names.contains("local_1__0.json") && names.allSatisfy { $0.hasPrefix("local_") })
        let replayed = try place.smelt("replay", vectors)
        #expect(replayed.status == 0 && replayed.lines.last == "15 passed, 0 failed, 0 skipped", "\(replayed.output)")

        #expect(try self.names(tipsets) == [1, 2, 5].map { "local_\($0).forest.car.zst" })
        for height in [2, 5] {
            let alone = try place.smelt(
                "replay", "--chain", "\(tipsets)/local_\(height).forest.car.zst", "--network-version", era.version)
            #expect(
                alone.status == 0 && alone.lines.last == "1 passed, 0 failed, 0 skipped",
                "\(alone.output)\(alone.errors)")
        }
        let again = try place.smelt(
            "replay", "--chain", "\(tipsets)/local_5.forest.car.zst", "--network-version", era.version,
            "--extract-tipsets", tipsets)
        #expect(again.status == 64 && again.errors.contains("is the input"), "\(again.errors)")
    }

    @Test func oneMessageIsTracedAndExtracted() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let path = try place.chain(Era.all[3])
        let (traces, vectors) = (place.folder.path("traces"), place.folder.path("vectors"))
        func replay(_ more: String...) throws -> Tool.Run {
            try Tool.run(
                Tool.binary,
                ["replay", "--chain", path, "--network-version", "28", "--height", "1"] + more
                    + ["--store", place.store, "--tier", "baseline"])
        }
        let whole = try replay("--trace", traces + "/whole")
        let one = try replay("--trace", traces + "/one", "--extract", vectors, "--message", "2")
        #expect(whole.status == 0 && one.status == 0, "\(one.errors)")
        #expect(try names(vectors) == ["local_1__2.json"])
        let all = try String(contentsOfFile: traces + "/whole/height-1.trace.jsonl", encoding: .utf8)
        let part = try String(contentsOfFile: traces + "/one/height-1.trace.jsonl", encoding: .utf8)
        #expect(part.hasPrefix("[\"message\",2]\n") && all.contains(part) && part.count < all.count)

        let lotus = try replay("--format", "lotus", "--message", "2")
        let trace = try JSON.parse(Array(lotus.output.utf8))["Trace"]?.array
        #expect(trace?.count == 1 && trace?[0]["Msg"]?["To"] != nil, "\(lotus.output)")
        let beyond = try replay("--message", "5", "--trace", traces)
        #expect(beyond.status == 64 && beyond.errors.contains("has 5 messages, counted from 0"), "\(beyond.errors)")
    }

    @Test func gasIsAddedUpOverTipsetsByKindOfMessage() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let path = try chain(place, Era.all[3])
        let run = try place.smelt(
            "gas", "stat", "--chain", path, "--network-version", "28", "--rounds", "2", "--by", "method", "--format",
            "json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try JSON.parse(Array(run.output.utf8))
        #expect(report["schema"]?.string == "smelt.gas.stat.chain/1" && report["tipsets"]?.numberText == "3")
        // Of blocks two and two, of six blocks a reward each; null rounds have a cron too.
        for (part, count) in [("messages", "4"), ("rewards", "6"), ("cron", "5")] {
            #expect(report[part]?["messages"]?.numberText == count, "\(part): \(report[part]?.text() ?? "")")
            #expect(report[part]?["rows"]?.array?.isEmpty == false)
        }
        let csv = try place.smelt(
            "gas", "stat", "--chain", path, "--network-version", "28", "--rounds", "1", "--height", "1", "--format",
            "csv")
        #expect(csv.status == 0 && csv.lines[0].hasPrefix("of,charge,count"), "\(csv.output)")
        for (options, words) in [
            (["--by", "function"], "is of vectors"), ([Tool.vectors], "vectors have no place"),
        ] {
            let refused = try Tool.run(
                Tool.binary, ["gas", "stat", "--chain", path, "--network-version", "28"] + options)
            #expect(refused.status == 64 && refused.errors.contains(words), "\(refused.errors)")
        }
        #expect(try Tool.smelt("gas", "stat", "--last", "1", Tool.vectors).status == 64)
    }
}
