import BlockFiles
import Chain
import CommandTable
import FVM
import IPLD
import JSON
import Machine
import NativeEngine
import Primitives
import Replay
import StateTree
import Tipsets

/// `smelt chain make` and `smelt chain extend`: small chains.
enum ChainMakeCommand {
    /// A chain on a state.
    static func make(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard let statePath = arguments.value("state"), arguments.has("network") || arguments.has("network-version")
        else { throw CommandFailure(.usage, "chain make needs --state, and --network-version or --network") }
        let output = try output(arguments)
        let progress = Progress(enabled: !arguments.has("quiet"))
        defer { progress.finish() }
        let input = try ArchiveInput(statePath, arguments, progress: progress)
        let start = arguments.integer("genesis-time") ?? 1_735_689_600
        guard let network = try NetworkInput.given(arguments, timestamp: start) else {
            throw CommandFailure(.usage, "chain make needs --network-version or --network")
        }
        guard !arguments.has("genesis-time") || network.genesisTimestamp == start else {
            throw CommandFailure(.usage, "--genesis-time: the network's is \(network.genesisTimestamp)")
        }
        let fee: TokenAmount
        do throws(TokenAmountError) {
            fee =
                try arguments.value("base-fee").map { (text) throws(TokenAmountError) in
                    try TokenAmount(decimal: text)
                } ?? TokenAmount(100_000_000)
        } catch { throw CommandFailure(.badInput, "--base-fee: \(error)") }
        guard fee >= TokenAmount(100), fee.u128 != nil else {
            throw CommandFailure(.badInput, "--base-fee \(fee.decimal): base fees are at least 100")
        }
        let root = try input.stateRoot(progress: progress)
        let store = OverlayBlockstore(base: try base(input, arguments, progress))
        let head: TipSet
        do throws(TipsetError) {
            head = try ChainMaker.genesis(stateRoot: root, network: network, baseFee: fee, store: store)
        } catch { throw failure(error, input.first.path) }
        return try grow(head, network, store, input.first.path, output, arguments, progress)
    }

    /// More of a chain.
    static func extend(
        _ input: ArchiveInput, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        let output = try output(arguments)
        let (head, network) = try NetworkInput.chain(input, arguments, progress: progress)
        let store = OverlayBlockstore(base: try base(input, arguments, progress))
        return try grow(head, network, store, input.first.path, output, arguments, progress)
    }

    private static func output(_ arguments: Parsed) throws(CommandFailure) -> String {
        guard let output = arguments.value("output") else {
            throw CommandFailure(.usage, "chain \(arguments.path.last ?? "make") needs --output")
        }
        if output != "-", let obstacle = Files.obstacle(at: output) { throw CommandFailure(.failure, obstacle) }
        return output
    }

    private static func base(
        _ input: ArchiveInput, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ArchiveBlockstore {
        let code = try arguments.all("bundle").map { (path) throws(CommandFailure) in
            try ArchiveInput.open(path, progress: progress)
        }
        return ArchiveBlockstore(input.archives + code)
    }

    private static func failure(_ error: TipsetError, _ path: String) -> CommandFailure {
        CommandFailure(error.isLocal ? .localFailure : .badInput, "\(path): \(error)")
    }

    // MARK: Making

    private static func grow(
        _ head: TipSet, _ network: ChainNetwork, _ store: OverlayBlockstore, _ path: String, _ output: String,
        _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        let state: StateListing
        do throws(StateError) { state = try StateListing(root: head.parentStateRoot, store: store) } catch {
            throw CommandFailure(error, path)
        }
        guard state.runsWasm else {
            throw CommandFailure(
                .badInput,
                "\(path): state \(state.root) has version \(state.version): its actors are no WASM, tipsets cannot be "
                    + "executed on it")
        }
        let drafts = try ChainScript.drafts(arguments, state, path)
        let rules = NodeRules.all.first { $0.name == arguments.value("like") } ?? .lotus
        let engine = NativeEngine(source: ActorObjects(pool: try WorkerSetup.pool(arguments)))
        let maker = ChainMaker(head: head, network: network, rules: rules, engine: engine, store: store)
        var counts = (messages: 0, dropped: 0, failed: 0)
        do throws(TipsetError) {
            for (index, draft) in drafts.enumerated() {
                progress.update("height \(maker.head.height), \(index) of \(drafts.count) tipsets")
                try maker.append(draft.blocks, nullRounds: draft.nullRounds)
                // Executed now, so that what cannot be is said, and the head's result is known.
                let outcome = try maker.headOutcome()
                counts.messages += outcome.receipts.count
                counts.dropped += outcome.dropped.count
                counts.failed += outcome.receipts.count { $0.exitCode != .ok }
            }
        } catch { throw failure(error, "\(path): tipset above height \(maker.head.height)") }
        let written = try write(maker.head, store, output, path, arguments, progress)
        progress.finish()
        guard output != "-" else { return .success }
        let outcome: TipsetOutcome
        do throws(TipsetError) { outcome = try maker.headOutcome() } catch { throw failure(error, path) }
        try Output.report(
            .object([
                "schema": .string("smelt.chain.make/1"), "network": .string(network.name),
                "height": .integer(maker.head.height), "key": .array(maker.head.key.map { .string($0.text) }),
                "made_tipsets": .integer(drafts.count), "messages": .integer(counts.messages),
                "failed_messages": .integer(counts.failed), "dropped_messages": .integer(counts.dropped),
                "state_root_after_head": .string(outcome.stateRoot.text), "tipsets": .integer(written.tipsets),
                "blocks": .integer(written.blocks),
            ]), json: arguments.value("format") == "json")
        return .success
    }

    private static func write(
        _ head: TipSet, _ store: OverlayBlockstore, _ output: String, _ path: String, _ arguments: Parsed,
        _ progress: Progress
    ) throws(CommandFailure) -> ChainExport.Summary {
        let form = arguments.value("form").flatMap(CarArchive.Form.init(rawValue:)) ?? .plain
        do {
            let snapshot = try Snapshot(roots: head.key, store: store)
            return try ChainExport(snapshot, .init(receipts: !arguments.has("no-receipts"))).run(
                0...head.height, progress: { progress.update("writing, height \($0)") },
                make: { roots throws(BlockFileError) in try ArchiveWriter(path: output, form: form, roots: roots) })
        } catch let error as BlockFileError {
            throw CommandFailure(error)
        } catch let error as ChainError {
            throw CommandFailure(error, path)
        } catch { throw CommandFailure(.internalError, "\(error)") }
    }
}

/// What the tipsets of a chain in the making hold.
private struct ChainScript {
    struct Draft {
        var nullRounds: Int64
        var blocks: [ChainMaker.Block]
    }

    static func drafts(
        _ arguments: Parsed, _ state: StateListing, _ path: String
    ) throws(CommandFailure) -> [Draft] {
        var miners = try arguments.all("miner").map { (text) throws(CommandFailure) in try AddressText.parse(text) }
        if miners.isEmpty { miners = try Self.miners(state, path) }
        guard let script = arguments.value("script") else { return try dealt(arguments, miners, path) }
        for option in ["message", "tipsets", "blocks", "null"] where arguments.has(option) {
            throw CommandFailure(.usage, "--\(option) has no place beside --script")
        }
        return try read(script, miners)
    }

    /// Miners in the state, ascending.
    private static func miners(_ state: StateListing, _ path: String) throws(CommandFailure) -> [Address] {
        var miners: [UInt64] = []
        do throws(StateError) {
            let names = try state.codeNames()
            try state.visitActors { (entry) throws(StateError) in
                if StateListing.name(of: entry.actor.code, names) == "storageminer" { miners.append(entry.id) }
            }
        } catch { throw CommandFailure(error, path) }
        return miners.sorted().map { .id($0) }
    }

    // MARK: Options

    private static func dealt(
        _ arguments: Parsed, _ miners: [Address], _ path: String
    ) throws(CommandFailure) -> [Draft] {
        let tipsets = Int(arguments.integer("tipsets") ?? 1)
        let blocks = Int(arguments.integer("blocks") ?? 1)
        guard Set(miners).count >= blocks, Set(miners).count == miners.count else {
            throw CommandFailure(
                .badInput,
                "\(path): \(blocks) blocks need as many miners, there are \(Set(miners).count); --miner names them")
        }
        var messages = try arguments.all("message").map { (file) throws(CommandFailure) in
            try message(try Files.read(file), file)
        }[...]
        let share = (messages.count + tipsets * blocks - 1) / (tipsets * blocks)
        var next = 0
        return (0..<tipsets).map { _ in
            Draft(
                nullRounds: Int64(arguments.integer("null") ?? 0),
                blocks: (0..<blocks).map { _ in
                    var block = ChainMaker.Block(miner: miners[next % miners.count])
                    next += 1
                    for message in messages.prefix(share) { block.add(message.message, signature: message.signature) }
                    messages = messages.dropFirst(share)
                    return block
                })
        }
    }

    private static func message(
        _ bytes: [UInt8], _ file: String
    ) throws(CommandFailure) -> (message: Message, signature: [UInt8]?) {
        do throws(VectorError) { return try LotusMessage.readSigned(bytes, file: file) } catch {
            throw CommandFailure(.badInput, error.description)
        }
    }

    // MARK: Scripts

    private static func read(_ path: String, _ miners: [Address]) throws(CommandFailure) -> [Draft] {
        var drafts: [Draft] = []
        let lines = try Files.read(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            let place = "\(path), line \(index + 1)"
            let json: JSONValue
            do throws(JSONError) { json = try JSON.parse(Array(line)) } catch {
                throw CommandFailure(.badInput, "\(place): not JSON: \(error)")
            }
            drafts.append(try draft(json, place, miners))
        }
        guard !drafts.isEmpty else { throw CommandFailure(.badInput, "\(path): has no tipsets") }
        return drafts
    }

    private static func draft(
        _ json: JSONValue, _ place: String, _ miners: [Address]
    ) throws(CommandFailure) -> Draft {
        func bad(_ text: String) -> CommandFailure { CommandFailure(.badInput, "\(place): \(text)") }
        func members(_ value: JSONValue, _ known: [String], _ what: String) throws(CommandFailure) {
            guard let members = value.members else { throw bad("\(what) is no object") }
            if let other = members.first(where: { !known.contains($0.name) }) {
                throw bad("\(what) has no member '\(other.name)'")
            }
        }
        try members(json, ["null", "blocks"], "a tipset")
        var nulls: Int64 = 0
        if let member = json["null"] {
            guard let count = member.integer(Int64.self), (0...10_000).contains(count) else {
                throw bad("null is no number from 0 to 10000")
            }
            nulls = count
        }
        guard let rows = json["blocks"]?.array, !rows.isEmpty else { throw bad("blocks is no array of blocks") }
        var blocks: [ChainMaker.Block] = []
        for (index, row) in rows.enumerated() {
            try members(row, ["miner", "win_count", "messages"], "block \(index)")
            var miner: Address
            if let text = row["miner"] {
                guard let text = text.string else { throw bad("block \(index): miner is no address") }
                miner = try AddressText.parse(text)
            } else {
                guard index < miners.count else {
                    throw bad("block \(index) has no miner, and the state has \(miners.count)")
                }
                miner = miners[index]
            }
            guard miner.id != nil else { throw bad("block \(index): miners have f0 addresses") }
            var wins: Int64 = 1
            if let member = row["win_count"] {
                guard let count = member.integer(Int64.self) else {
                    throw bad("block \(index): win_count is no number")
                }
                wins = count
            }
            var block = ChainMaker.Block(miner: miner, winCount: wins)
            for value in row["messages"]?.array ?? [] {
                let (message, signature) = try message(Array(value.text(.compact).utf8), place)
                block.add(message, signature: signature)
            }
            blocks.append(block)
        }
        return Draft(nullRounds: nulls, blocks: blocks)
    }
}
