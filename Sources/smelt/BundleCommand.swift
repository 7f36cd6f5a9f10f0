import Bundle
import CommandTable
import GasSchedule
import JSON
import Metering
import Primitives
import Syscalls
import WasmFormat

/// `smelt bundle`: what bundles of actors contain, whether they are sound, and how two differ.
enum BundleCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let json = arguments.value("format") == "json"
        switch arguments.path.last {
        case "ls": return try list(arguments.positionals, json: json)
        case "verify": return try verify(arguments.positionals, json: json)
        default: return try difference(arguments.positionals, json: json)
        }
    }

    // MARK: ls

    private static func list(_ paths: [String], json: Bool) throws(CommandFailure) -> ExitStatus {
        var reports: [JSONValue] = []
        for path in paths {
            let bundle = try open(path)
            var actors: [JSONValue] = []
            for actor in bundle.codes {
                let code = bundle.code(actor.cid) ?? []
                let module = try decode(code, "\(path): actor \(actor.name)")
                actors.append(
                    .object([
                        "name": .string(actor.name), "bytes": .integer(code.count),
                        "functions": .integer(module.bodies.count), "cid": .string(actor.cid.text),
                        "syscalls": .array(syscalls(module).map { .string($0) }),
                    ]))
            }
            reports.append(.object(summary(bundle, path) + [.init("actors", .array(actors))]))
        }
        if json {
            try Output.json(.object(["schema": .string("smelt.bundle.ls/1"), "bundles": .array(reports)]))
        } else {
            try Output.data(reports.map(ReportText.render).joined(separator: "\n\n"))
        }
        return .success
    }

    /// What a bundle is, without its actors.
    private static func summary(_ bundle: ActorBundle, _ path: String) -> [JSONValue.Member] {
        let release = ReleasedBundles.release(root: bundle.root)
        return [
            .init("file", .string(path)), .init("root", .string(bundle.root.text)),
            .init("manifest", .string(bundle.manifestData.text)),
            .init(
                "release", .string(release.map { "builtin-actors \($0.tag), \($0.network)" } ?? "not known")),
            .init("network_versions", .array((release?.networkVersions ?? []).map { .integer($0) })),
            .init("blocks", .integer(bundle.blocks.count)),
        ]
    }

    /// The imports of a module that are functions, as `module::name`, in their order.
    private static func syscalls(_ module: Module) -> [String] {
        module.imports.compactMap { entry in
            guard case .function = entry.kind else { return nil }
            return "\(entry.module.text)::\(entry.name.text)"
        }
    }

    private static func open(_ path: String) throws(CommandFailure) -> ActorBundle {
        let bytes = try Files.read(path)
        do { return try ActorBundle(bytes: bytes) } catch {
            throw CommandFailure(.badInput, "\(path): no sound bundle: \(error.description)")
        }
    }

    private static func decode(_ code: [UInt8], _ what: String) throws(CommandFailure) -> Module {
        do { return try Module.decode(code, profile: .fvm) } catch {
            throw CommandFailure(.badInput, "\(what): \(error.diagnostic)")
        }
    }

    // MARK: verify

    private static func verify(_ paths: [String], json: Bool) throws(CommandFailure) -> ExitStatus {
        var reports: [JSONValue] = []
        var faults = 0
        for path in paths {
            let bundle: ActorBundle
            do { bundle = try open(path) } catch {
                faults += 1
                Output.note("smelt: \(error.message)")
                reports.append(
                    .object([
                        "file": .string(path), "sound": .bool(false), "fault": .string(error.message),
                    ]))
                continue
            }
            let complaints = check(bundle)
            for (actor, complaint) in complaints { Output.note("smelt: \(path): actor \(actor): \(complaint)") }
            faults += complaints.count
            let actors = bundle.codes.map { actor -> JSONValue in
                let complaint = complaints.first { $0.actor == actor.name }?.complaint
                return .object([
                    "name": .string(actor.name), "accepted": .bool(complaint == nil),
                    "reason": complaint.map { .string($0) } ?? .null,
                ])
            }
            reports.append(
                .object(
                    summary(bundle, path) + [
                        .init("sound", .bool(complaints.isEmpty)), .init("actors", .array(actors)),
                    ]))
            if !json && complaints.isEmpty {
                try Output.data(
                    "\(path): sound; \(bundle.blocks.count) blocks have their hashes, "
                        + "\(actors.count) actors are accepted by the FVM's rules")
            }
        }
        if json { try Output.json(.object(["schema": .string("smelt.bundle.verify/1"), "bundles": .array(reports)])) }
        return faults == 0 ? .success : .badInput
    }

    /// What is wrong with actors of a bundle whose blocks are all right. A known release has to link at each of its
    /// network versions; another bundle at one of all, with all its actors.
    private static func check(_ bundle: ActorBundle) -> [(actor: String, complaint: String)] {
        var complaints: [(actor: String, complaint: String)] = []
        let names = bundle.codes.map(\.name)
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            complaints.append((name, "the manifest names it twice"))
        }
        let known = ReleasedBundles.release(root: bundle.root)?.networkVersions ?? []
        let profiles = NetworkProfile.table.filter { known.isEmpty || known.contains($0.version.rawValue) }
        func refusals(_ profile: NetworkProfile) -> [(actor: String, complaint: String)] {
            bundle.codes.compactMap { actor -> (actor: String, complaint: String)? in
                do throws(Refusal) {
                    _ = try FrontEnd.analyze(
                        bundle.code(actor.cid) ?? [], profile: .fvm, prices: PriceList.named(profile.priceList).wasm,
                        stackLimit: profile.limits.wasmStack, syscalls: .of(profile.syscalls))
                    return nil
                } catch { return (actor.name, error.diagnostic) }
            }
        }
        // Versions of one price list have the same rules for modules.
        var byRules: [PriceListID: [(actor: String, complaint: String)]] = [:]
        for profile in profiles where byRules[profile.priceList] == nil {
            byRules[profile.priceList] = refusals(profile)
            if known.isEmpty && byRules[profile.priceList]?.isEmpty == true { return complaints }
        }
        let worst =
            known.isEmpty ? byRules.values.min { $0.count < $1.count } : byRules.values.max { $0.count < $1.count }
        return complaints + (worst ?? [])
    }

    // MARK: diff

    private static func difference(_ paths: [String], json: Bool) throws(CommandFailure) -> ExitStatus {
        let bundles = [try open(paths[0]), try open(paths[1])]
        var rows: [JSONValue] = []
        for (name, codes) in matched(bundles[0], bundles[1]) {
            rows.append(try row(name, codes, bundles, paths, lists: json))
        }
        let same = rows.count { $0["status"]?.string == "same" }
        let report = JSONValue.object([
            "schema": .string("smelt.bundle.diff/1"), "first": .object(summary(bundles[0], paths[0])),
            "second": .object(summary(bundles[1], paths[1])), "same_actors": .integer(same),
            "actors": .array(json ? rows : rows.filter { $0["status"]?.string != "same" }),
        ])
        try Output.report(report, json: json)
        return .success
    }

    /// Names in the order of the first manifest, then those only the second has, with the code on each side.
    private static func matched(_ first: ActorBundle, _ second: ActorBundle) -> [(String, [Cid?])] {
        var names: [String] = []
        for name in first.codes.map(\.name) + second.codes.map(\.name) where !names.contains(name) {
            names.append(name)
        }
        return names.map { ($0, [first.manifest.code(named: $0), second.manifest.code(named: $0)]) }
    }

    private static func row(
        _ name: String, _ codes: [Cid?], _ bundles: [ActorBundle], _ paths: [String], lists: Bool
    ) throws(CommandFailure) -> JSONValue {
        var wasm: [[UInt8]?] = []
        var modules: [Module] = []
        for (index, code) in codes.enumerated() {
            let bytes = code.flatMap { bundles[index].code($0) }
            wasm.append(bytes)
            modules.append(
                try bytes.map { (bytes) throws(CommandFailure) in
                    try decode(bytes, "\(paths[index]): actor \(name)")
                } ?? Module())
        }
        let status =
            codes[0] == nil ? "added" : codes[1] == nil ? "removed" : codes[0] == codes[1] ? "same" : "changed"
        let (before, after) = (syscalls(modules[0]), syscalls(modules[1]))
        let functions = FunctionDifference(modules[0], modules[1])
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("status", .string(status)),
            .init("bytes", .string("\(wasm[0]?.count ?? 0) → \(wasm[1]?.count ?? 0)")),
            .init("unchanged", .integer(functions.unchanged)), .init("changed", .integer(functions.changed.count)),
            .init("added", .integer(functions.added.count)), .init("removed", .integer(functions.removed.count)),
            .init("matched_by", .string(functions.byName ? "name" : "body")),
            .init("syscalls_gained", .array(after.filter { !before.contains($0) }.map { .string($0) })),
            .init("syscalls_lost", .array(before.filter { !after.contains($0) }.map { .string($0) })),
        ]
        guard lists else { return .object(members) }
        members[2].value = .array(wasm.map { $0.map { .integer($0.count) } ?? .null })
        members.append(.init("cids", .array(codes.map { $0.map { .string($0.text) } ?? .null })))
        members.append(
            .init(
                "functions",
                .object([
                    "changed": .array(functions.changed.map { .array([value($0.first), value($0.second)]) }),
                    "added": .array(functions.added.map(value)), "removed": .array(functions.removed.map(value)),
                ])))
        return .object(members)
    }

    private static func value(_ function: FunctionIdentity) -> JSONValue {
        .object([
            "index": .integer(function.index), "name": function.name.map { .string($0) } ?? .null,
            "bytes": .integer(function.bytes),
        ])
    }
}
