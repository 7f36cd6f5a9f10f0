import BlockFiles
import Chain
import CommandTable
import IPLD
import JSON
import Primitives

/// `smelt chain …`: what a file holds of a chain.
enum ChainCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        if arguments.path.last == "make" { return try ChainMakeCommand.make(arguments) }
        if arguments.path.last == "import" { return try ChainImportCommand.run(arguments) }
        let progress = Progress(enabled: !arguments.has("quiet"))
        defer { progress.finish() }
        let input = try ArchiveInput(arguments.positionals[0], arguments, progress: progress)
        switch arguments.path.last {
        case "ls": return try list(input, arguments, progress)
        case "head": return try head(input, arguments, progress)
        case "verify": return try verify(input, arguments, progress)
        case "extend": return try ChainMakeCommand.extend(input, arguments, progress)
        default: return try export(input, arguments, progress)
        }
    }

    static func range(_ arguments: Parsed) throws(CommandFailure) -> ClosedRange<Int64> {
        if let height = arguments.integer("height") {
            guard !arguments.has("from"), !arguments.has("to") else {
                throw CommandFailure(.usage, "--height excludes --from and --to")
            }
            return Int64(height)...Int64(height)
        }
        let from = arguments.integer("from").map { Int64($0) } ?? 0
        let to = arguments.integer("to").map { Int64($0) } ?? Int64.max
        guard from <= to else { throw CommandFailure(.usage, "--from \(from) is above --to \(to)") }
        return from...to
    }

    // MARK: ls

    private static func list(
        _ input: ArchiveInput, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        let range = try range(arguments)
        let snapshot = try input.chain(progress: progress)
        let format = arguments.value("format") ?? "text"
        var rows: [JSONValue] = []
        var lines: [String] = []
        do {
            try snapshot.forEachTipset(range) { (tipset) throws(ChainError) in
                progress.update("\(input.first.path): height \(tipset.height)")
                let row = try row(tipset, snapshot)
                if format == "ndjson" { lines.append(row.text()) } else { rows.append(row) }
                return true
            }
        } catch { throw CommandFailure(error, input.first.path) }
        progress.finish()
        switch format {
        case "ndjson": for line in lines { try Output.data(line) }
        default:
            guard !rows.isEmpty else {
                throw CommandFailure(
                    .badInput,
                    "\(input.first.path): no tipset has such a height; "
                        + "heights go from \(snapshot.oldestHeight) to \(snapshot.head.height)")
            }
            try Output.report(
                .object(["schema": .string("smelt.chain.ls/1"), "tipsets": .array(rows)]), json: format == "json")
        }
        return .success
    }

    private static func row(_ tipset: TipSet, _ snapshot: Snapshot) throws(ChainError) -> JSONValue {
        var bls = 0
        var secp = 0
        var hasMessages = true
        for header in tipset.blocks {
            guard try snapshot.has(header.messages) else {
                hasMessages = false
                continue
            }
            let counts = try BlockMessages.counts(header.messages, in: snapshot.store)
            bls += counts.bls
            secp += counts.secp
        }
        return .object([
            "height": .integer(tipset.height), "blocks": .integer(tipset.blocks.count),
            "bls": hasMessages ? .integer(bls) : .null, "secp": hasMessages ? .integer(secp) : .null,
            "base_fee": .string(tipset.baseFee.decimal), "state": .bool(try snapshot.has(tipset.parentStateRoot)),
            "network_version": snapshot.network?.version(at: tipset.height).map { .integer($0.rawValue) } ?? .null,
            "parent_state_root": .string(tipset.parentStateRoot.text),
            "key": .array(tipset.key.map { .string($0.text) }),
        ])
    }

    // MARK: head

    private static func head(
        _ input: ArchiveInput, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        let snapshot = try input.chain(progress: progress)
        let head = snapshot.head
        let hasState: Bool
        let hasReceipts: Bool
        do throws(ChainError) {
            hasState = try snapshot.has(head.parentStateRoot)
            hasReceipts = try snapshot.has(head.parentMessageReceipts)
        } catch { throw CommandFailure(error, input.first.path) }
        progress.finish()
        try Output.report(
            .object([
                "schema": .string("smelt.chain.head/1"), "file": .string(input.first.path),
                "form": .string(input.first.formName), "bytes": .integer(input.first.size),
                "snapshot_version": .integer(snapshot.metadata?.version ?? 1),
                "f3_data": snapshot.metadata?.f3Data.map { .string($0.text) } ?? .null,
                "network": .string(snapshot.network?.name ?? (snapshot.genesis == nil ? "no genesis" : "not known")),
                "genesis": snapshot.genesis.map { .string($0.key[0].text) } ?? .null,
                "heights": .string("\(snapshot.oldestHeight) to \(head.height)"),
                "tipsets": .integer(snapshot.tipsetCount),
                "head": .object([
                    "height": .integer(head.height), "key": .array(head.key.map { .string($0.text) }),
                    "key_cid": .string(head.keyCid.text), "timestamp": .integer(head.timestamp),
                    "network_version": snapshot.network?.version(at: head.height).map { .integer($0.rawValue) }
                        ?? .null,
                    "base_fee": .string(head.baseFee.decimal), "weight": .string(head.parentWeight.decimal),
                    "parents": .array(head.parents.map { .string($0.text) }),
                    "parent_state_root": .string(head.parentStateRoot.text), "has_state": .bool(hasState),
                    "parent_message_receipts": .string(head.parentMessageReceipts.text),
                    "has_receipts": .bool(hasReceipts),
                    "miners": .array(head.blocks.map { .string($0.miner.text()) }),
                ]),
            ]), json: arguments.value("format") == "json")
        return .success
    }

    // MARK: verify

    private static func verify(
        _ input: ArchiveInput, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        let snapshot = try input.chain(progress: progress)
        var verification = ChainVerification(snapshot, walksStates: !arguments.has("no-states"))
        let found: ChainVerification.Summary
        do throws(ChainError) {
            found = try verification.run { progress.update("\(input.first.path): height \($0)") }
        } catch { throw CommandFailure(error, input.first.path) }
        progress.finish()
        func height(_ from: Int64?) -> JSONValue { from.map { .integer($0) } ?? .string("none") }
        try Output.report(
            .object([
                "schema": .string("smelt.chain.verify/1"), "file": .string(input.first.path),
                "tipsets": .integer(found.tipsets), "blocks": .integer(found.blocks),
                "null_rounds": .integer(found.nullRounds), "headers_from": .integer(snapshot.oldestHeight),
                "message_lists": .integer(found.messageLists), "messages": .integer(found.messages),
                "messages_from": height(found.messagesFrom), "base_fees": .integer(found.baseFees),
                "states": .integer(found.states), "states_from": height(found.statesFrom),
                "state_blocks": arguments.has("no-states") ? .null : .integer(found.stateBlocks),
                "faults": .array(
                    found.faults.map { .object(["height": .integer($0.height), "fault": .string($0.text)]) }),
            ]), json: arguments.value("format") == "json")
        return found.faults.isEmpty ? .success : .failure
    }

    // MARK: export

    private static func export(
        _ input: ArchiveInput, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        guard let output = arguments.value("output") else {
            throw CommandFailure(.usage, "chain export needs --output")
        }
        if output != "-", let obstacle = Files.obstacle(at: output) { throw CommandFailure(.failure, obstacle) }
        let range = try range(arguments)
        let form = arguments.value("form").flatMap(CarArchive.Form.init(rawValue:)) ?? .plain
        let snapshot = try input.chain(progress: progress)
        let options = ChainExport.Options(
            messages: !arguments.has("no-messages"), states: !arguments.has("no-states"))
        let written: ChainExport.Summary
        do {
            written = try ChainExport(snapshot, options).run(
                range, progress: { progress.update("\(input.first.path): height \($0)") },
                make: { roots throws(BlockFileError) in try ArchiveWriter(path: output, form: form, roots: roots) })
        } catch let error as BlockFileError {
            throw CommandFailure(error)
        } catch let error as ChainError {
            throw CommandFailure(error, input.first.path)
        } catch { throw CommandFailure(.internalError, "\(error)") }
        progress.finish()
        guard output != "-" else { return .success }
        try Output.report(
            .object([
                "schema": .string("smelt.chain.export/1"), "tipsets": .integer(written.tipsets),
                "states": .integer(written.states), "blocks": .integer(written.blocks),
            ]), json: arguments.value("format") == "json")
        return .success
    }
}
