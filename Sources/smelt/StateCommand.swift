import BlockFiles
import CommandTable
import IPLD
import JSON
import Primitives
import Replay
import StateTree

/// `smelt state …`: states in files.
enum StateCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let progress = Progress(enabled: !arguments.has("quiet"))
        defer { progress.finish() }
        switch arguments.path.last {
        case "get": return try get(arguments, progress)
        case "ls": return try list(arguments, progress)
        default: return try diff(arguments, progress)
        }
    }

    // MARK: get

    private static func get(_ arguments: Parsed, _ progress: Progress) throws(CommandFailure) -> ExitStatus {
        let input = try ArchiveInput(arguments.positionals[0], arguments, progress: progress)
        let root = try input.stateRoot(progress: progress)
        let parts = arguments.positionals[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let address = try AddressText.parse(parts[0])
        let path = input.first.path
        let id: UInt64
        let actor: ActorState
        let name: String
        do throws(StateError) {
            let state = try StateListing(root: root, store: input.store)
            guard let found = try state.resolve(address), let entry = try state.actor(found) else {
                throw .invalid("the state \(root) has no actor \(address.text())")
            }
            (id, actor) = (found, entry)
            name = StateListing.name(of: actor.code, try state.codeNames())
        } catch { throw CommandFailure(error, path) }
        progress.finish()
        if parts.count > 1 { return try follow(Array(parts.dropFirst()), from: actor.state, id, input, arguments) }
        let data = try block(actor.state, "state of f0\(id)", input)
        guard !arguments.has("raw") else {
            try Output.data(Hex.encode(data))
            return .success
        }
        try Output.json(
            .object([
                "id": .string("f0\(id)"), "code": .string(actor.code.text), "actor": .string(name),
                "nonce": .integer(actor.sequence), "balance": .string(actor.balance.decimal),
                "delegated_address": actor.delegatedAddress.map { .string($0.text()) } ?? .null,
                "head": .object(["/": .string(actor.state.text)]),
                "state": DagJSON.value(data, codec: actor.state.codec) ?? .string(Hex.encode(data)),
            ]))
        return .success
    }

    private static func block(_ cid: Cid, _ what: String, _ input: ArchiveInput) throws(CommandFailure) -> [UInt8] {
        if cid.hashCode == Cid.identity { return cid.digest }
        let found: [UInt8]?
        do throws(BlockstoreError) { found = try input.store.get(cid) } catch {
            throw CommandFailure(.badInput, error.description)
        }
        guard let found else {
            throw CommandFailure(.badInput, "\(input.first.path): \(what): block \(cid) is missing")
        }
        return found
    }

    /// Goes along a path through blocks, links followed.
    private static func follow(
        _ path: [String], from head: Cid, _ id: UInt64, _ input: ArchiveInput, _ arguments: Parsed
    ) throws(CommandFailure) -> ExitStatus {
        var walked = "f0\(id)"
        var item = CborValue.link(head)
        var bytes: [UInt8]?
        for part in path + [""] {
            bytes = nil
            while case .link(let cid) = item {
                let data = try block(cid, walked, input)
                guard cid.codec == Cid.dagCbor || cid.codec == Cid.cbor else {
                    bytes = data
                    break
                }
                bytes = data
                do throws(CborError) { item = try CborValue(data) } catch {
                    throw CommandFailure(.badInput, "\(input.first.path): \(walked): block \(cid): \(error)")
                }
            }
            guard !part.isEmpty else { break }
            switch item {
            case .array(let elements):
                guard let index = Int(part), elements.indices.contains(index) else {
                    throw CommandFailure(
                        .badInput, "\(walked) is an array of \(elements.count), '\(part)' is no element of it")
                }
                item = elements[index]
            case .map(let entries):
                guard let entry = entries.first(where: { $0.key == part }) else {
                    throw CommandFailure(.badInput, "\(walked) is a map without '\(part)'")
                }
                item = entry.value
            default: throw CommandFailure(.badInput, "\(walked) has nothing below it, '\(part)' least of all")
            }
            walked += "/" + part
        }
        if arguments.has("raw") {
            try Output.data(Hex.encode(bytes ?? item.encoded))
        } else if case .link = item, let bytes {
            try Output.data(Hex.encode(bytes))
        } else {
            try Output.json(DagJSON.value(item) ?? .string(Hex.encode(item.encoded)))
        }
        return .success
    }

    // MARK: ls

    private static func list(_ arguments: Parsed, _ progress: Progress) throws(CommandFailure) -> ExitStatus {
        let input = try ArchiveInput(arguments.positionals[0], arguments, progress: progress)
        let root = try input.stateRoot(progress: progress)
        let format = arguments.value("format") ?? "text"
        var entries: [StateListing.Entry] = []
        let version: UInt64
        let runsWasm: Bool
        let names: [Cid: String]
        do throws(StateError) {
            let state = try StateListing(root: root, store: input.store)
            version = state.version
            runsWasm = state.runsWasm
            names = try state.codeNames()
            try state.visitActors { (entry) throws(StateError) in
                entries.append(entry)
                if entries.count % 1000 == 0 { progress.update("\(input.first.path): \(entries.count) actors") }
            }
        } catch { throw CommandFailure(error, input.first.path) }
        progress.finish()
        entries.sort { $0.id < $1.id }
        let rows = entries.map { entry in
            JSONValue.object([
                "id": .string("f0\(entry.id)"), "actor": .string(StateListing.name(of: entry.actor.code, names)),
                "nonce": .integer(entry.actor.sequence), "balance": .string(entry.actor.balance.decimal),
                "delegated_address": entry.actor.delegatedAddress.map { .string($0.text()) } ?? .null,
                "head": .string(entry.actor.state.text),
            ])
        }
        if format == "ndjson" {
            for row in rows { try Output.data(row.text()) }
            return .success
        }
        try Output.report(
            .object([
                "schema": .string("smelt.state.ls/1"), "root": .string(root.text), "version": .integer(version),
                "runs_wasm": .bool(runsWasm), "actors": .array(rows),
            ]), json: format == "json")
        return .success
    }

    // MARK: diff

    private static func diff(_ arguments: Parsed, _ progress: Progress) throws(CommandFailure) -> ExitStatus {
        var roots: [Cid] = []
        var archives: [any BlockArchive] = []
        for text in arguments.positionals {
            let input = try ArchiveInput(text, arguments, progress: progress)
            roots.append(try input.stateRoot(progress: progress))
            archives += input.archives
        }
        let differences: [StateDifference]
        do throws(StateError) {
            differences = try StateDifference.between(roots[0], roots[1], in: ArchiveBlockstore(archives))
        } catch { throw CommandFailure(error, archives[0].path) }
        progress.finish()
        let rows = differences.flatMap { difference in
            difference.fields.map { field in
                JSONValue.object([
                    "actor": .string("f0\(difference.id)"), "field": .string(field.name),
                    "first": .string(field.first), "second": .string(field.second),
                ])
            }
        }
        try Output.report(
            .object([
                "schema": .string("smelt.state.diff/1"), "first": .string(roots[0].text),
                "second": .string(roots[1].text), "differences": .array(rows),
            ]), json: arguments.value("format") == "json")
        return rows.isEmpty ? .success : .failure
    }
}
