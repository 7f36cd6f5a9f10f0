import Chain
import CommandTable
import GasSchedule
import Primitives
import Tipsets

/// The network of a chain named on the command line.
enum NetworkInput {
    private static let otherNames = ["calibnet": "calibrationnet"]

    /// What `--network` or `--network-version` says; nil where the chain's genesis has to.
    ///
    /// - Parameters:
    ///   - timestamp: of height 0, Unix seconds, where a version alone is given.
    static func given(_ arguments: Parsed, timestamp: UInt64) throws(CommandFailure) -> ChainNetwork? {
        let version = try NetworkVersionInput.version(arguments)
        let chainID = arguments.integer("chain-id")
        guard let name = arguments.value("network") else {
            guard let version else { return nil }
            return .local(version, genesisTimestamp: timestamp, chainID: chainID ?? 31_415_926)
        }
        guard version == nil, chainID == nil else {
            throw CommandFailure(.usage, "--network says what versions a network runs and what its chain id is")
        }
        if let known = ChainNetwork.table.first(where: { $0.name == otherNames[name] ?? name }) { return known }
        guard Files.isFile(name) else {
            let names = ChainNetwork.table.map(\.name).joined(separator: ", ")
            throw CommandFailure(.badInput, "--network '\(name)': neither a file nor one of \(names)")
        }
        do throws(NetworkFile.Failure) { return try NetworkFile.read(try read(name), file: name) } catch {
            throw CommandFailure(.badInput, error.description)
        }
    }

    private static func read(_ path: String) throws(NetworkFile.Failure) -> [UInt8] {
        do throws(CommandFailure) { return try Files.read(path) } catch {
            throw NetworkFile.Failure(description: error.message)
        }
    }

    /// The head of a chain in a file, and its network: what the options say, else that of its genesis.
    static func chain(
        _ input: ArchiveInput, _ arguments: Parsed, progress: Progress
    ) throws(CommandFailure) -> (head: TipSet, network: ChainNetwork) {
        let path = input.first.path
        let head = try input.chainHead()
        let elapsed = ChainNetwork.blockDelay.multipliedReportingOverflow(by: UInt64(head.height))
        guard !elapsed.overflow, elapsed.partialValue <= head.timestamp else {
            throw CommandFailure(
                .badInput, "\(path): timestamp \(head.timestamp) is too early for height \(head.height)")
        }
        let start = head.timestamp - elapsed.partialValue
        let network: ChainNetwork
        if let given = try given(arguments, timestamp: start) {
            network = given
        } else {
            let snapshot = try input.chain(progress: progress)
            guard let known = snapshot.network else {
                let what =
                    snapshot.genesis.map { "its genesis \($0.key[0]) is of no known network" }
                    ?? "its headers end at height \(snapshot.oldestHeight), so its network is not known"
                throw CommandFailure(.badInput, "\(path): \(what); --network or --network-version says what it is")
            }
            network = known
        }
        guard network.genesisTimestamp == start else {
            throw CommandFailure(
                .badInput,
                "\(path): height \(head.height) has timestamp \(head.timestamp), of \(network.name) it would be "
                    + "\(network.genesisTimestamp &+ elapsed.partialValue)")
        }
        return (head, network)
    }
}
