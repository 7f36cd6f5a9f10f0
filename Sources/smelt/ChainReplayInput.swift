import BlockFiles
import Chain
import CommandTable
import Engine
import IPLD
import Primitives
import Tipsets

/// The tipsets of a chain that a command line names.
struct ChainReplayInput {
    /// Options that mean something for tipsets alone.
    static let options = ["height", "from", "to", "last", "like", "network", "also", "chain-id"]

    let path: String
    let archives: [any BlockArchive]
    let store: ArchiveBlockstore
    let replay: ChainReplay

    /// - Parameter readsAhead: whether headers and messages of the next tipset are read while one is executed.
    init(
        _ arguments: Parsed, engine: any ActorEngine, readsAhead: Bool, progress: Progress
    ) throws(CommandFailure) {
        guard let path = arguments.value("chain") else {
            throw CommandFailure(.usage, "\(arguments.path.last ?? "this command") needs --chain")
        }
        let range = try Self.range(arguments)
        let input = try ArchiveInput(path, arguments, progress: progress)
        let code = try arguments.all("bundle").map { (path) throws(CommandFailure) in
            try ArchiveInput.open(path, progress: progress)
        }
        let archives = input.archives + code
        let store = ArchiveBlockstore(archives)
        let (head, network) = try NetworkInput.chain(input, arguments, progress: progress)
        let rules = NodeRules.all.first { $0.name == arguments.value("like") } ?? .lotus
        var ahead: (@Sendable () -> any Blockstore)?
        if readsAhead { ahead = { ArchiveBlockstore(archives) } }
        do throws(ChainError) {
            replay = try ChainReplay(
                head: head, store: store, range, network: network, rules: rules, engine: engine,
                ahead: ahead)
        } catch { throw CommandFailure(error, path) }
        self.path = path
        self.archives = archives
        self.store = store
        try tellHindrances()
    }

    /// Says before anything runs what will not; nothing runs at height 0.
    private func tellHindrances() throws(CommandFailure) {
        let hindered = replay.entries.compactMap { entry in replay.hindrance(entry).map { (entry, $0) } }
        guard let (entry, reason) = hindered.first else { return }
        let text = "\(path): height \(entry.link.height) cannot be executed: \(reason)"
        guard replay.entries.count(where: { $0.link.height > 0 }) > hindered.count else {
            throw CommandFailure(
                .badInput, hindered.count == 1 ? text : "\(text); nor can the \(hindered.count - 1) tipsets above it")
        }
        Output.note("smelt: \(text); of \(replay.entries.count) tipsets \(hindered.count) are skipped")
    }

    private static func range(_ arguments: Parsed) throws(CommandFailure) -> ChainReplay.Range {
        let heights = ["height", "from", "to"].filter { arguments.has($0) }
        if let count = arguments.integer("last") {
            guard heights.isEmpty else {
                throw CommandFailure(.usage, "--last excludes --height, --from and --to")
            }
            return .last(Int(clamping: count))
        }
        return heights.isEmpty ? .complete : .heights(try ChainCommand.range(arguments))
    }
}
