import Foundation
import IPLD
import JSON
import TestSupport
import Testing

/// Parts of a replay by another program's hand.
@Suite struct ShardCommandTests {
    /// GNU parallel runs three parts; joined they are what one run prints, times apart.
    @Test func partsByGNUParallelMakeTheWhole() throws {
        let folder = try TemporaryFolder()
        let script = """
            cd "$1"; export XDG_CACHE_HOME="$1/cache"
            "$0" replay "$2" --tier baseline --format json -q > whole.json || exit 1
            parallel "$0" replay "$2" --tier baseline --shard {}/3 --format json -q '>' part{}.json ::: 1 2 3 || exit 1
            "$0" report merge --format json part3.json part1.json part2.json > merged.json || exit 1
            for file in whole merged; do sed -E 's/("[a-z_]*nanoseconds"|"(optimised|baseline|replaced)"): [0-9]+/\\1/' $file.json > $file.txt; done
            diff whole.txt merged.txt
            """
        let run = try Tool.shell(script, folder.path(""), Tool.vectors)
        #expect(run.status == 0, "\(run.errors) \(run.output)")
        let missing = try Tool.smelt("report", "merge", folder.path("part1.json"))
        #expect(missing.status == 2 && missing.errors.contains("parts are missing: 2/3, 3/3"), "\(missing.errors)")
    }
}

/// `smelt chain`, `state`, `apply` and `inspect` on the real files.
@Suite struct ChainCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func json(_ arguments: String...) throws -> JSONValue {
        let run = try Tool.run(Tool.binary, arguments)
        #expect(run.status == 0, "\(arguments): \(run.errors)")
        return try JSON.parse(Array(run.output.utf8))
    }

    @Test func mainnetsFirstEpochsAreListedAndVerified() throws {
        guard let path = sharedData("chain/mainnet-export40.car") else { return }
        let head = try json("chain", "head", path, "--format", "json")
        #expect(head["network"]?.string == "mainnet" && head["heights"]?.string == "0 to 39")
        let verified = try json("chain", "verify", path, "--format", "json")
        #expect(verified["faults"]?.array?.isEmpty == true && verified["base_fees"]?.numberText == "32")
        let list = try Tool.smelt("chain", "ls", path, "--from", "10", "--to", "20", "--format", "ndjson")
        #expect(
            list.lines.count
                == (try json("chain", "ls", path, "--from", "10", "--to", "20", "--format", "json"))["tipsets"]?.array?
                .count)
        let none = try Tool.smelt("chain", "ls", path, "--from", "40")
        #expect(none.status == 2 && none.errors.contains("heights go from 0 to 39"), "\(none.errors)")
    }

    /// A range comes out in each form, and each is a chain again.
    @Test func aRangeIsWrittenInEveryForm() throws {
        guard let path = sharedData("chain/chain4.forest.car.zst") else { return }
        var reports: [String] = []
        for form in ["plain", "zstd", "forest"] {
            let out = folder.path("part.\(form)")
            let run = try Tool.smelt("chain", "export", path, "-o", out, "--to", "2", "--form", form)
            #expect(run.status == 0, "\(run.errors)")
            let inspected = try json("inspect", "--json", out)
            #expect(inspected["kind"]?.string == "chain" && inspected["height"]?.numberText == "2")
            #expect(inspected["form"]?.string == form)
            let verified = try Tool.smelt("chain", "verify", out)
            #expect(verified.status == 0, "\(verified.output)")
            reports.append(verified.output.split(separator: "\n").dropFirst().joined())
        }
        #expect(Set(reports).count == 1)
        let again = try Tool.smelt("chain", "export", path, "-o", folder.path("none"), "--height", "9")
        #expect(again.status == 2 && !FileManager.default.fileExists(atPath: folder.path("none")), "\(again.errors)")
    }

    @Test func oldStatesAreListedAndNewOnesRun() throws {
        guard let old = sharedData("chain/mainnet.car.zst"), let new = sharedData("chain/butterflynet.car.zst") else {
            return
        }
        let listed = try json("state", "ls", old, "--format", "json")
        #expect(listed["version"]?.numberText == "0" && listed["runs_wasm"]?.bool == false)
        let message = folder.path("m.json")
        let made = try Tool.smelt(
            "message", "make", "--from", "f0100", "--to", "f099", "--nonce", "0", "--value", "1", "-o", message)
        #expect(made.status == 0, "\(made.errors)")
        let refused = try Tool.smelt(
            "apply", "--state", old, "--network-version", "28", "-m", message, "--tier", "baseline")
        #expect(refused.status == 2 && refused.errors.contains("its actors are no WASM"), "\(refused.errors)")
        let out = folder.path("new.car")
        let applied = try json(
            "apply", "--state", new, "--network-version", "28", "-m", message, "--tier", "baseline", "-o", out,
            "--format", "json")
        let receipt = try #require(applied["messages"]?.array?.first)
        #expect(receipt["exit_code"]?.numberText == "0" && receipt["gas_used"]?.numberText == "606963")
        let difference = try Tool.smelt("state", "diff", new, out, "--also", new)
        #expect(difference.status == 1 && difference.output.contains("f099"), "\(difference.errors)")
        let balance = try Tool.smelt("state", "get", out, "f099", "--also", new)
        #expect(balance.output.contains("\"balance\": \"1000000"), "\(balance.errors)")
        let estimate = try json(
            "apply", "--state", new, "--network-version", "28", "-m", message, "--tier", "baseline", "--estimate",
            "--format", "json")
        #expect(estimate["messages"]?.array?.first?["gas_limit"]?.numberText == "606963")
    }

    @Test func aPathInAStateIsFollowedAndItsEndNamed() throws {
        guard let path = sharedData("chain/butterflynet.car.zst") else { return }
        #expect(try Tool.smelt("state", "get", path, "f01/2").output == "\"butterflynet\"\n")
        for (what, complaint) in [
            ("f01/9", "an array of 3"), ("f01/2/0", "nothing below it"), ("f0999999", "no actor"),
        ] {
            let run = try Tool.smelt("state", "get", path, what)
            #expect(run.status == 2 && run.errors.contains(complaint), "\(run.errors)")
        }
    }

    @Test func anotherKindOfArchiveIsCalledWhatItIs() throws {
        guard let bundle = sharedData("bundles/builtin-actors-mainnet-v10.car.zst"),
            let old = sharedData("chain/mainnet.car.zst"), let other = sharedData("chain/calibnet.car.zst")
        else { return }
        for (command, complaint) in [(["chain", "head"], "is no chain"), (["state", "ls"], "has no state")] {
            let run = try Tool.run(Tool.binary, command + [bundle])
            #expect(run.status == 2 && run.errors.contains(complaint) && run.errors.contains("bundle"), "\(run.errors)")
        }
        // States whose actors were no WASM are compared all the same.
        let difference = try Tool.smelt("state", "diff", old, other)
        #expect(difference.status == 1 && difference.output.contains("f080"), "\(difference.errors)")
        #expect(try Tool.smelt("state", "diff", old, old).status == 0)
    }

    @Test func whatIsNoArchiveIsBadInput() throws {
        let text = try folder.write("no archive at all", "t.car")
        let empty = try folder.write("", "e.car")
        for path in [text, empty, folder.path("missing"), folder.path("")] {
            for command in [["chain", "head"], ["chain", "verify"], ["state", "ls"]] {
                let run = try Tool.run(Tool.binary, command + [path])
                #expect(
                    run.status == 2 && run.output.isEmpty && !run.errors.isEmpty, "\(command) \(path): \(run.errors)")
            }
        }
        guard let path = sharedData("chain/butterflynet.car.zst") else { return }
        let root = try Tool.smelt("state", "ls", path + "@bafynothing")
        #expect(root.status == 2 && root.errors.contains("is no CID"), "\(root.errors)")
    }
}
