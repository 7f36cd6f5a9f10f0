import Crypto
import Foundation
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

/// Bundles listed, checked and compared. The modules are made here, byte by byte.
@Suite struct BundleCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A module `invoke(i32) -> i32` with further functions of no type that each give a constant to nothing.
    /// - Parameters:
    ///   - constants: one for each further function.
    ///   - names: a name section for all functions.
    private func module(_ constants: [UInt8], syscall: String? = nil, names: [String] = []) -> [UInt8] {
        func section(_ id: UInt8, _ body: [UInt8]) -> [UInt8] { [id, UInt8(body.count)] + body }
        func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
        let imported = UInt8(syscall == nil ? 0 : 1)
        // charge(name, length, i64) -> i32 and available(address) -> i32, as in the table of syscalls.
        let type: UInt8 = syscall == "charge" ? 2 : 3
        var out: [UInt8] = [0, 0x61, 0x73, 0x6D, 1, 0, 0, 0]
        out += section(
            1,
            [4, 0x60, 1, 0x7F, 1, 0x7F, 0x60, 0, 0, 0x60, 3, 0x7F, 0x7F, 0x7E, 1, 0x7F, 0x60, 1, 0x7F, 1, 0x7F])
        if let syscall { out += section(2, [1] + text("gas") + text(syscall) + [0, type]) }
        out += section(3, [UInt8(constants.count + 1), 0] + constants.map { _ in 1 })
        out += section(5, [1, 0, 1])
        out += section(7, [2] + text("invoke") + [0, imported] + text("memory") + [2, 0])
        let bodies = [[0, 0x20, 0, 0x0B]] + constants.map { [0, 0x41, $0, 0x1A, 0x0B] }
        out += section(10, [UInt8(bodies.count)] + bodies.flatMap { [UInt8($0.count)] + $0 })
        if !names.isEmpty {
            let map = names.enumerated().flatMap { [UInt8($0.offset) + imported] + text($0.element) }
            let subsection = [1, UInt8(map.count + 1), UInt8(names.count)] + map
            out += section(0, text("name") + subsection)
        }
        return out
    }

    private func bundle(_ actors: [(String, [UInt8])], _ file: String) throws -> String {
        func block(_ codec: UInt64, _ data: [UInt8]) -> Car.Block {
            Car.Block(cid: .blake2b256(codec: codec, data: data), data: data)
        }
        let modules = actors.map { block(Cid.raw, $0.1) }
        var data = CborWriter()
        data.array(actors.count)
        for (actor, module) in zip(actors, modules) {
            data.array(2)
            data.text(actor.0)
            data.link(module.cid)
        }
        let list = block(Cid.dagCbor, data.bytes)
        var root = CborWriter()
        root.array(2)
        root.unsigned(UInt64(1))
        root.link(list.cid)
        let top = block(Cid.dagCbor, root.bytes)
        return try folder.write(Car(roots: [top.cid], blocks: [top, list] + modules).write(), file)
    }

    private func json(_ arguments: String...) throws -> JSONValue {
        let run = try Tool.run(Tool.binary, ["bundle"] + arguments + ["--format", "json"])
        #expect(run.status == 0, "\(run.errors)")
        return try JSON.parse(Array(run.output.utf8))
    }

    @Test func lsShowsActorsSizesFunctionsAndSyscalls() throws {
        let path = try bundle([("one", module([1, 2])), ("two", module([], syscall: "charge"))], "b.car")
        let report = try #require(try json("ls", path, path)["bundles"]?.array)
        #expect(report.count == 2 && report[0]["release"]?.string == "not known")
        let actors = try #require(report[0]["actors"]?.array)
        #expect(actors.map { $0["functions"] } == [.integer(3), .integer(1)])
        #expect(actors.map { $0["syscalls"] } == [.array([]), .array([.string("gas::charge")])])
        #expect(actors[0]["bytes"] == .integer(module([1, 2]).count))
        let text = try Tool.smelt("bundle", "ls", path)
        #expect(text.status == 0 && text.output.contains("gas::charge") && text.output.contains("bafk"))
    }

    @Test func aReleasedBundleIsKnownWithItsNetworkVersions() throws {
        for (version, networks) in [("v11", [19, 20]), ("v16", [25, 26]), ("v18", [28])] {
            guard let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst") else { return }
            let report = try #require(try json("ls", path)["bundles"]?.array?.first)
            #expect(report["release"]?.string?.hasPrefix("builtin-actors \(version).0.") == true)
            #expect(report["network_versions"] == .array(networks.map { .integer($0) }))
            #expect(report["actors"]?.array?.count == 16)
        }
    }

    @Test func verifySaysWhatIsSound() throws {
        let path = try bundle([("one", module([1]))], "b.car")
        let run = try Tool.smelt("bundle", "verify", path)
        #expect(run.status == 0 && run.output.contains("sound; 3 blocks") && run.output.contains("1 actors"), "\(run)")
        guard let released = sharedData("bundles/builtin-actors-mainnet-v14.car.zst") else { return }
        #expect(try Tool.smelt("bundle", "verify", released).status == 0)
    }

    @Test func verifyNamesEachFault() throws {
        let sound = try bytes(ofFile: try bundle([("one", module([1]))], "sound.car"))
        var flipped = sound
        flipped[flipped.count - 2] ^= 1
        var broken = module([1])
        broken[broken.count - 2] = 0x0B
        let faults = [
            (try folder.write(flipped, "flipped.car"), "has another hash", "hash"),
            (try folder.write(Array(sound.dropLast(3)), "short.car"), "short.car", "left"),
            (try folder.write("no bundle", "text.car"), "text.car", "car at"),
            (try bundle([("bad", broken)], "bad.car"), "actor bad", "function"),
            (try bundle([("odd", module([], syscall: "no_such_call"))], "odd.car"), "actor odd", "no_such_call"),
            (try bundle([("a", module([1])), ("a", module([2]))], "twice.car"), "actor a", "twice"),
            (folder.path("none.car"), "none.car", "No such file"),
        ]
        for (path, _, word) in faults {
            // A fault of one file hides none of another.
            let run = try Tool.smelt("bundle", "verify", path, folder.path("sound.car"))
            #expect(run.status == 2 && run.errors.contains(word), "\(path): \(run.status) \(run.errors)")
            #expect(run.output.contains("sound.car: sound"), "\(run.output)")
            let shown = try Tool.smelt("bundle", "verify", path, "--format", "json")
            let report = try JSON.parse(Array(shown.output.utf8))["bundles"]?.array?.first
            #expect(shown.status == 2 && report?["sound"] == .bool(false))
        }
        for (path, _, _) in faults.prefix(3) {
            #expect(try Tool.smelt("bundle", "ls", path).status == 2)
            #expect(try Tool.smelt("bundle", "diff", path, folder.path("sound.car")).status == 2)
        }
        #expect(try Tool.smelt("bundle", "diff", folder.path("sound.car")).status == 64)
    }

    @Test func diffFindsActorsFunctionsAndSyscalls() throws {
        let old = try bundle(
            [("gone", module([])), ("same", module([7])), ("other", module([1, 2, 2], syscall: "charge"))], "old.car")
        let new = try bundle(
            [("same", module([7])), ("other", module([2, 3], syscall: "available")), ("new", module([]))], "new.car")
        let actors = try #require(try json("diff", old, new)["actors"]?.array)
        #expect(actors.map { $0["name"]?.string } == ["gone", "same", "other", "new"])
        #expect(actors.map { $0["status"]?.string } == ["removed", "same", "changed", "added"])
        let other = actors[2]
        // invoke and the constant 2 are there again; 1 has become 3; one 2 is gone.
        #expect(other["unchanged"] == .integer(2) && other["changed"] == .integer(1))
        #expect(other["removed"] == .integer(1) && other["added"] == .integer(0))
        #expect(other["matched_by"]?.string == "body")
        #expect(other["syscalls_gained"] == .array([.string("gas::available")]))
        #expect(other["syscalls_lost"] == .array([.string("gas::charge")]))
        #expect(other["functions"]?["removed"]?.array?.count == 1)
        let text = try Tool.smelt("bundle", "diff", old, new)
        #expect(text.status == 0 && text.output.contains("same actors: 1"), "\(text.output)")
        #expect(text.output.contains("gas::available") && !text.output.contains("\n  same  "))
    }

    @Test func functionsWithNamesAreMatchedByThem() throws {
        let hash = ["17h0123456789abcdefE", "17hfedcba9876543210E"]
        let old = try bundle(
            [("a", module([1, 2], names: ["invoke", "_ZN1x\(hash[0])", "old"]))], "old.car")
        let new = try bundle(
            [("a", module([2, 9], names: ["invoke", "_ZN1x\(hash[1])", "new"]))], "new.car")
        let actor = try #require(try json("diff", old, new)["actors"]?.array?.first)
        #expect(actor["matched_by"]?.string == "name")
        // By body the constant 2 would be the same function under another name.
        #expect(actor["changed"] == .integer(1) && actor["unchanged"] == .integer(1))
        #expect(actor["added"] == .integer(1) && actor["removed"] == .integer(1))
        let changed = actor["functions"]?["changed"]?.array?.first?.array
        #expect(changed?.map { $0["name"]?.string } == ["_ZN1xE", "_ZN1xE"])
    }

    @Test func releasesOfTwoVersionsDiffer() throws {
        guard let old = sharedData("bundles/builtin-actors-mainnet-v14.car.zst"),
            let new = sharedData("bundles/builtin-actors-mainnet-v16.car.zst")
        else { return }
        let report = try json("diff", old, new)
        let miner = report["actors"]?.array?.first { $0["name"]?.string == "storageminer" }
        #expect(miner?["status"]?.string == "changed")
        for count in ["unchanged", "changed", "added", "removed"] {
            #expect((miner?[count]?.integer(Int.self) ?? 0) > 0, "\(count)")
        }
        let same = try json("diff", new, new)
        #expect(same["same_actors"] == .integer(16))
    }
}
