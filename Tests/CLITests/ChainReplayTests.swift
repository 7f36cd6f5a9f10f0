import Foundation
import JSON
import Primitives
import TestSupport
import Testing

/// `smelt chain make` and `extend`, and `smelt replay --chain` of what they make.
@Suite struct ChainReplayTests {
    static let alice = "0x" + String(repeating: "11", count: 20)
    static let bob = "0x" + String(repeating: "22", count: 20)
    static let owner = try! Address.secp256k1([UInt8](repeating: 0xA1, count: 20)).text()
    static let worker = try! Address.bls([UInt8](repeating: 0xB0, count: 48)).text()

    /// A network version with mainnet's bundle.
    struct Era: Sendable, CustomStringConvertible {
        var version: String
        var bundle: String
        var description: String { "nv\(version)" }
        static let all = [
            Era(version: "18", bundle: "v10"), Era(version: "21", bundle: "v12"), Era(version: "25", bundle: "v16"),
            Era(version: "28", bundle: "v18"),
        ]
    }

    /// A folder with a state, messages and a store of compiled actors.
    final class Place {
        let folder: TemporaryFolder
        var store: String { folder.path("store") }
        var state: String { folder.path("state.car") }

        init?(_ era: Era) throws {
            guard let bundle = sharedData("bundles/builtin-actors-mainnet-\(era.bundle).car.zst") else { return nil }
            folder = try TemporaryFolder()
            let miner = "\(owner),\(worker)=100"
            let run = try Tool.smelt(
                "genesis", "--bundle", bundle, "--network-version", era.version, "--store", store, "--tier", "baseline",
                "--account", "\(alice)=1000", "--account", "\(bob)=10", "--miner", miner, "--miner", miner,
                "--miner", miner, "-o", state)
            #expect(run.status == 0, "\(run.errors)")
        }

        func smelt(_ arguments: String...) throws -> Tool.Run {
            try Tool.run(Tool.binary, arguments + ["--store", store, "--tier", "baseline"])
        }

        func message(_ nonce: Int, from: String = alice, to: String = bob, _ more: String...) throws -> String {
            let path = folder.path("m-\(from.suffix(2))-\(nonce).json")
            let run = try Tool.run(
                Tool.binary,
                [
                    "message", "make", "--from", from, "--to", to, "--nonce", "\(nonce)", "--value", "0.01",
                    "--fee-cap", "400000000", "--premium", "1000", "--gas-limit", "10000000", "-o", path,
                ] + more)
            #expect(run.status == 0, "\(run.errors)")
            return path
        }

        /// A message for a script.
        func text(_ nonce: Int, from: String = alice, to: String = bob, _ more: String...) throws -> String {
            let path = try message(nonce, from: from, to: to)
            return try JSON.parse(try bytes(ofFile: path)).text(.compact)
        }

        /// Ten tipsets: several blocks, duplicates, dropped and failing messages, empty blocks, null rounds.
        func chain(_ era: Era, _ name: String = "chain.car", _ more: String...) throws -> String {
            let (first, second) = (try text(0), try text(1))
            let (poor, far) = (try text(0, from: bob, to: owner), try text(7))
            let lines = [
                #"{"blocks": [{"messages": [\#(first)]}, {"messages": [\#(first), \#(second)], "win_count": 2}]}"#,
                #"{"blocks": [{}]}"#,
                #"{"null": 2, "blocks": [{"messages": [\#(poor)]}, {"messages": [\#(far)]}, {}]}"#,
            ]
            let script = try folder.write(lines.joined(separator: "\n") + "\n", "script.ndjson")
            let out = folder.path(name)
            let made = try Tool.run(
                Tool.binary,
                [
                    "chain", "make", "--state", state, "--network-version", era.version, "--script", script,
                    "-o", out, "--store", store, "--tier", "baseline", "--format", "json",
                ] + more)
            #expect(made.status == 0, "\(made.errors)")
            let report = try JSON.parse(Array(made.output.utf8))
            #expect(
                report["dropped_messages"]?.numberText == "1" && report["height"]?.numberText == "5", "\(made.output)")
            return out
        }
    }

    private func json(_ run: Tool.Run) throws -> JSONValue {
        #expect(run.status == 0, "\(run.errors)")
        return try JSON.parse(Array(run.output.utf8))
    }

    /// Two hundred tipsets on a state of its own for each generation of actors, in every form.
    @Test(arguments: Era.all) func longChainsReplay(_ era: Era) throws {
        guard let place = try Place(era) else { return }
        let start = try place.chain(era)
        for form in ["plain", "zstd", "forest"] {
            let path = place.folder.path("long.\(form)")
            let made = try place.smelt(
                "chain", "extend", start, "--network-version", era.version, "--tipsets", "200", "--blocks", "2",
                "--message", try place.message(2), "--message", try place.message(3), "--form", form, "-o", path)
            #expect(made.status == 0, "\(made.errors)")
            let replayed = try json(
                try place.smelt("replay", "--chain", path, "--network-version", era.version, "--format", "json"))
            #expect(replayed["summary"]?["passed"]?.numberText == "203", "\(replayed["summary"]?.text() ?? "")")
            #expect(replayed["summary"]?["failed"]?.numberText == "0")
            let verified = try Tool.smelt("chain", "verify", path)
            #expect(verified.status == 0 && verified.output.contains("faults: none"), "\(verified.output)")
        }
    }

    /// What was made in one tier replays in the other. Compiling takes minutes: `make chains` runs it.
    @Test(
        .enabled(if: ProcessInfo.processInfo.environment["SMELT_CHAINS"] == "1", "make chains"), arguments: Era.all)
    func optimisedCodeComesToTheSameRoots(_ era: Era) throws {
        guard let place = try Place(era) else { return }
        let path = place.folder.path("long.forest.car.zst")
        let made = try place.smelt(
            "chain", "extend", try place.chain(era), "--network-version", era.version, "--tipsets", "200", "--blocks",
            "2", "--message", try place.message(2), "--message", try place.message(3), "--form", "forest", "-o", path)
        #expect(made.status == 0, "\(made.errors)")
        let replayed = try json(
            try Tool.smelt(
                "replay", "--chain", path, "--network-version", era.version, "--format", "json", "--store", place.store,
                "--tier", "optimised", "--wait"))
        #expect(
            replayed["summary"]?["passed"]?.numberText == "203" && replayed["summary"]?["failed"]?.numberText == "0")
    }

    /// A test network's own genesis, with its own build of the actors.
    @Test func aRealGenesisIsExtended() throws {
        guard let genesis = sharedData("chain/butterflynet.car.zst"), let place = try Place(Era.all[3]) else { return }
        let path = place.folder.path("butterfly.forest.car.zst")
        let made = try place.smelt(
            "chain", "extend", genesis, "--network-version", "28", "--tipsets", "200", "--null", "1", "--form",
            "forest", "-o", path)
        #expect(made.status == 0, "\(made.errors)")
        let replayed = try json(
            try place.smelt("replay", "--chain", path, "--network-version", "28", "--format", "json"))
        #expect(
            replayed["summary"]?["passed"]?.numberText == "200" && replayed["summary"]?["failed"]?.numberText == "0")
        let again = try place.smelt(
            "replay", "--chain", path, "--network-version", "28", "--last", "3", "--format", "ndjson")
        #expect(again.lines.count == 4 && again.lines[0].contains(#""name":"height 394""#), "\(again.output)")
    }

    @Test func tipsetsAreReportedAsMessagesAre() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let path = try place.chain(Era.all[3])
        let options = ["replay", "--chain", path, "--network-version", "28"]
        func replay(_ more: String...) throws -> Tool.Run {
            try Tool.run(Tool.binary, options + more + ["--store", place.store, "--tier", "baseline"])
        }
        let text = try replay("--receipts")
        #expect(text.status == 0 && text.lines.last == "3 passed, 0 failed, 0 skipped", "\(text.output)\(text.errors)")
        #expect(text.output.contains("(reward of block 1): exit code 0") && text.output.contains("tipsets, "))

        let first = try #require(try json(try replay("--height", "1", "--format", "json"))["vectors"]?[0])
        #expect(first["dropped"]?[0]?["block"]?.numberText == "1" && first["epoch"]?.numberText == "1")
        let places = first["messages"]?.array?.compactMap { $0["place"]?.string }
        #expect(places == ["block 0", "reward of block 0", "block 1", "reward of block 1", "cron of epoch 1"])
        #expect(first["machines"]?[0]?["network_version"]?.numberText == "28")

        let lotus = try replay("--format", "lotus", "--from", "2", "--to", "2")
        let output = try JSON.parse(Array(lotus.output.utf8))
        #expect(output["Root"]?["/"]?.string?.hasPrefix("bafy") == true)
        #expect(output["Trace"]?.array?.count == 2 && output["Trace"]?[0]?["MsgCid"]?["/"]?.string != nil)

        let traces = place.folder.path("traces")
        #expect(try replay("--trace", traces).status == 0)
        let trace = try String(contentsOfFile: traces + "/height-1.trace.jsonl", encoding: .utf8)
        #expect(trace.hasPrefix("[\"message\",0]\n[\"charge\",") && trace.contains("\n[\"message\",4]\n"))
    }

    /// Parts of a chain, joined, are what one run prints, times apart.
    @Test func partsMakeTheWhole() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let script = """
            cd "$1"
            run() { "$0" replay --chain "$2" --network-version 28 --tier baseline --store store --format json -q "${@:3}"; }
            run "$@" > whole.json || exit 1
            for part in 1 2 3; do run "$@" --shard $part/3 > part$part.json || exit 1; done
            "$0" report merge --format json part2.json part1.json part3.json > merged.json || exit 1
            for file in whole merged; do sed -E 's/("[a-z_]*nanoseconds"): [0-9]+/\\1/' $file.json > $file.txt; done
            diff whole.txt merged.txt
            """
        let run = try Tool.shell(script, place.folder.path(""), try place.chain(Era.all[3]))
        #expect(run.status == 0, "\(run.errors) \(run.output)")
    }

    // MARK: Other programs

    /// A Python that has a package of PyPI's, `SMELT_PYTHON` before the system's; nil, said, without one.
    private static func python(with module: String) throws -> String? {
        let named = ProcessInfo.processInfo.environment["SMELT_PYTHON"]
        for python in [named, "python3"].compactMap({ $0 }) {
            let run = try Tool.shell("exec \"$1\" -c \"import $2\"", python, module)
            if run.status == 0 { return python }
        }
        print("not run: no Python with \(module)")
        return nil
    }

    /// Everything around the machine worked out by a program that shares no code with this one, and written as vectors,
    /// comes to the chain's roots.
    @Test(arguments: Era.all) func anIndependentDerivationComesToTheSameRoots(_ era: Era) throws {
        guard let python = try Self.python(with: "cbor2"), let place = try Place(era),
            let bundle = sharedData("bundles/builtin-actors-mainnet-\(era.bundle).car.zst")
        else { return }
        let longer = place.folder.path("longer.car")
        let made = try place.smelt(
            "chain", "extend", try place.chain(era), "--network-version", era.version, "--tipsets", "5", "--blocks",
            "2",
            "--null", "1", "--message", try place.message(2), "--message", try place.message(3), "--message",
            try place.message(1, from: Self.bob, to: Self.owner), "-o", longer)
        #expect(made.status == 0, "\(made.errors)")
        let run = try Tool.shell(
            """
            "$1" "$2/Scripts/tipset-vectors.py" "$3" "$4" --network-version "$5" --smelt "$0" --bundle "$6" \
                --store "$7" --tier baseline
            """, python, packageRoot, longer, place.folder.path("vectors"), era.version, bundle, place.store)
        #expect(
            run.status == 0 && run.output.contains("every tipset comes to the chain's"), "\(run.output)\(run.errors)")
    }

    /// A worker is killed after the first part; the joined report is a single run's, times apart.
    @Test func aLostWorkersPartIsRunAgain() throws {
        guard let python = try Self.python(with: "dask.distributed"), let place = try Place(Era.all[3]) else { return }
        let script = """
            cd "$1"
            run() { "$@" "$smelt" replay --chain "$chain" --network-version 28 --tier baseline --store store; }
            smelt="$0" chain="$2"
            "$smelt" replay --chain "$chain" --network-version 28 --tier baseline --store store --format json -q > whole.json || exit 1
            run "$3" "$4/Scripts/dask-replay.py" --parts 6 --workers 2 --lose-worker -o merged.json -- || exit 1
            for file in whole merged; do sed -E 's/("[a-z_]*nanoseconds"): [0-9]+/\\1/' $file.json > $file.txt; done
            diff whole.txt merged.txt
            """
        let longer = place.folder.path("longer.car")
        let made = try place.smelt(
            "chain", "extend", try place.chain(Era.all[3]), "--network-version", "28", "--tipsets", "20", "-o", longer)
        #expect(made.status == 0, "\(made.errors)")
        let run = try Tool.shell(script, place.folder.path(""), longer, python, packageRoot)
        #expect(run.status == 0 && run.errors.contains("killed worker"), "\(run.output)\(run.errors)")
    }

    /// The array script with the variables that Slurm gives its tasks.
    @Test func theSlurmScriptMakesPartsThatMerge() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let script = """
            cd "$1"; export SMELT="$0" SLURM_ARRAY_TASK_COUNT=2
            for task in 1 2; do
                SLURM_ARRAY_TASK_ID=$task "$3/docs/examples/replay-slurm.sh" replay --chain "$2" --network-version 28 \
                    --tier baseline --store store || exit 1
            done
            "$0" report merge parts/*.json
            """
        let run = try Tool.shell(script, place.folder.path(""), try place.chain(Era.all[3]), packageRoot)
        #expect(run.status == 0 && run.output.contains("passed: 3"), "\(run.output)\(run.errors)")
    }

    // MARK: What is wrong

    @Test func aMismatchNamesWhatDiffers() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let path = try place.chain(Era.all[3])
        // Another chain id is no fault of these messages, another version's machine is of all.
        let other = try place.smelt("replay", "--chain", path, "--network-version", "20", "--height", "1")
        #expect(other.status == 1 && other.output.contains("FAILED   height 1"), "\(other.output)\(other.errors)")
        // The base fee of the child follows from the formula of its version.
        let formula = try place.smelt(
            "replay", "--chain", path, "--height", "1", "--network",
            try place.folder.write(
                """
                {"name": "mine", "genesis_timestamp": 1735689600, "chain_id": 31415926,
                 "upgrades": [{"version": 27, "height": -1}]}
                """, "27.json"))
        #expect(formula.status == 0 || formula.output.contains("base fee"), "\(formula.output)\(formula.errors)")
    }

    @Test func aDamagedBlockIsNamedAndTheOthersAreReplayed() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let path = try place.chain(Era.all[3])
        let whole = try json(
            try place.smelt("replay", "--chain", path, "--network-version", "28", "--format", "json"))
        let cid = try #require(whole["vectors"]?[1]?["messages"]?[0]?["cid"]?["/"]?.string)
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        let name = Data(try Cid(text: cid).bytes)
        // A section has its CID in front of its block; lists name it behind a zero byte.
        var place0 = data.startIndex
        while let found = data.range(of: name, in: place0..<data.endIndex) {
            if data[found.lowerBound - 1] != 0 {
                data[found.upperBound + 8] ^= 1
                break
            }
            place0 = found.upperBound
        }
        let damaged = place.folder.path("damaged.car")
        try data.write(to: URL(fileURLWithPath: damaged))
        let run = try place.smelt("replay", "--chain", damaged, "--network-version", "28")
        #expect(run.status == 2 && run.output.contains("\(cid) is damaged"), "\(run.output)\(run.errors)")
        #expect(run.output.contains("2 passed, 1 failed"), "\(run.output)")
    }

    @Test func oldChainsSayWhyTheyAreNotExecuted() throws {
        for name in ["mainnet-export40.car", "chain4.car", "chain4.car.zst", "chain4.forest.car.zst"] {
            guard let path = sharedData("chain/\(name)") else { continue }
            let run = try Tool.smelt("replay", "--chain", path, "--network", "mainnet")
            #expect(run.status == 2, "\(name): \(run.errors)")
            #expect(run.errors.contains("no WASM") || run.errors.contains("timestamp"), "\(name): \(run.errors)")
        }
    }

    @Test func aRangeThatCannotBeIsSaidBeforeWorkBegins() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let path = try place.chain(Era.all[3])
        let network = try place.folder.write(
            """
            {"name": "mine", "genesis_timestamp": 1735689600, "chain_id": 31415926,
             "upgrades": [{"version": 27, "height": -1}, {"version": 28, "height": 3, "migration": true}]}
            """, "network.json")
        let cases: [(options: [String], status: Int32, words: String)] = [
            (["--network-version", "28", "--height", "5"], 2, "has a child: the head is at 5"),
            (["--network-version", "28", "--height", "4"], 2, "height 4 is a null round"),
            (["--network-version", "28", "--from", "3", "--to", "2"], 64, "--from 3 is above --to 2"),
            (["--network-version", "28", "--last", "2", "--height", "1"], 64, "--last excludes"),
            (["--network-version", "28", "--golden", "."], 64, "--golden has no place"),
            (["--network-version", "28", "--message", "0"], 64, "--message says what"),
            (["--network-version", "28", "--message", "0", "--trace", "."], 64, "3 are to be replayed"),
            (["--network-version", "28", Tool.vectors], 64, "vectors have no place"),
            ([], 2, "is of no known network"), (["--network", "mainnet"], 2, "timestamp"),
            (["--network", "atlantis"], 2, "neither a file nor one of mainnet"),
            (["--network", path], 2, "not JSON"), (["--network-version", "17"], 64, "17 is not known"),
            (["--network", network, "--network-version", "28"], 64, "--network says"),
        ]
        for (options, status, words) in cases {
            let run = try Tool.run(Tool.binary, ["replay", "--chain", path, "--store", place.store] + options)
            #expect(run.status == status && run.errors.contains(words), "\(options): \(run.status) \(run.errors)")
            #expect(run.output.isEmpty)
        }
        let longer = place.folder.path("longer.car")
        _ = try json(
            try place.smelt(
                "chain", "extend", path, "--network-version", "28", "--tipsets", "2", "-o", longer, "--format", "json"))
        let over = try place.smelt("replay", "--chain", longer, "--network", network, "--from", "2")
        #expect(
            over.errors.contains("migrated at height 3") && over.output.contains("skipped  height 5"), "\(over.errors)")
        for (bad, words) in [
            ("{}", "has no upgrades"), (#"{"upgrades": 1}"#, "upgrades is no array"),
            (
                #"{"genesis_timestamp": 1, "chain_id": 1, "upgrades": [{"version": 28, "height": 4}, {"version": 27, "height": 5}]}"#,
                "ascending"
            ),
            (
                #"{"genesis_timestamp": 1, "chain_id": 1, "upgrades": [{"version": 99, "height": 4}]}"#,
                "99 is not known"
            ),
            (#"{"genesis_timestamp": -1, "chain_id": 1, "upgrades": [{"version": 28, "height": 4}]}"#, "no number"),
            (#"{"colour": "blue", "upgrades": [{"version": 28, "height": 4}]}"#, "colour is no member"),
        ] {
            let file = try place.folder.write(bad, "bad.json")
            let run = try place.smelt("replay", "--chain", path, "--network", file)
            #expect(run.status == 2 && run.errors.contains(words), "\(bad): \(run.errors)")
        }
    }

    @Test func whatCannotBeMadeIsBadInput() throws {
        guard let place = try Place(Era.all[3]), let old = sharedData("chain/mainnet.car.zst") else { return }
        let out = place.folder.path("none.car")
        func make(_ more: String...) throws -> Tool.Run {
            try Tool.run(
                Tool.binary,
                ["chain", "make", "--network-version", "28", "-o", out, "--store", place.store, "--tier", "baseline"]
                    + more)
        }
        for (script, words) in [
            ("no json", "line 1: not JSON"), ("{}\n", "blocks is no array"),
            (#"{"blocks": [{}], "colour": 1}"#, "has no member 'colour'"),
            (#"{"blocks": [{"miner": "f1abc"}]}"#, "is no address"),
            (#"{"blocks": [{"miner": "f03", "win_count": 0}]}"#, "reward of block 0"),
            (#"{"blocks": [{"miner": "f0103"}, {"miner": "f0103"}]}"#, "two of its blocks are of the miner"),
            (#"{"null": -1, "blocks": [{}]}"#, "null is no number"), ("\n\n", "has no tipsets"),
            (#"{"blocks": [{"messages": [{"To": "f01"}]}]}"#, "From"),
        ] {
            let file = try place.folder.write(script, "script")
            let run = try make("--state", place.state, "--script", file)
            #expect(run.status == 2 && run.errors.contains(words), "\(script): \(run.status) \(run.errors)")
        }
        let many = try make("--state", place.state, "--blocks", "9")
        #expect(many.status == 2 && many.errors.contains("need as many miners"), "\(many.errors)")
        let none = try make("--state", old)
        #expect(none.status == 2 && none.errors.contains("no WASM"), "\(none.errors)")
        #expect(try make().status == 64)
        #expect(!FileManager.default.fileExists(atPath: out))
    }

    @Test func equalArgumentsGiveEqualBytes() throws {
        guard let place = try Place(Era.all[3]) else { return }
        let paths = [try place.chain(Era.all[3], "a.car"), try place.chain(Era.all[3], "b.car")]
        #expect(try bytes(ofFile: paths[0]) == bytes(ofFile: paths[1]))
    }
}
