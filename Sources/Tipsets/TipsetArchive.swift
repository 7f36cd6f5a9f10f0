import BlockFiles
import Chain
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// A tipset in a file of its own: every block that its execution reads and nothing else, as Forest's tool exports them
/// (FVM chain layer 4.4). Roots are the key of its child, whose headers hold what it has to come to.
public struct TipsetArchive {
    /// The child's key.
    public let roots: [Cid]
    public let blocks: [Cid: [UInt8]]
    /// As Forest names its files.
    public let name: String

    /// Executes a tipset once more, with nothing in memory, and notes what is read: headers of it, its child and those
    /// that lookups walk through, its messages, the state it touches, and all built-in actors' code.
    ///
    /// - Parameters:
    ///   - store: has all that; nothing is written to it.
    ///   - outcome: what the tipset came to.
    init(
        _ entry: ChainReplay.Entry, _ outcome: TipsetOutcome, _ execution: TipsetExecution, store: any Blockstore
    ) throws(TipsetError) {
        let noting = NotingBlockstore(store)
        let (tipset, child) = try TipsetError.onChain { () throws(ChainError) in
            (try TipSet(key: entry.link.key, from: noting), try TipSet(key: entry.child.key, from: noting))
        }
        let network = execution.network
        let cold = TipsetExecution(
            network: network, rules: execution.rules, line: ChainLine(top: child, store: noting),
            engine: execution.engine)
        cold.refusedProof = outcome.refusedProof
        let again = try cold.execute(tipset, store: noting)
        guard again.stateRoot == outcome.stateRoot, again.receiptsRoot == outcome.receiptsRoot else {
            throw .local("height \(tipset.height) came to other roots when it was executed again")
        }
        if let manifest = again.manifest { try Self.readCode(manifest, noting) }
        roots = entry.child.key
        blocks = noting.read
        name = "\(network.fileName)_\(tipset.height).forest.car.zst"
    }

    /// Forest loads the code of all built-in actors before the first message.
    private static func readCode(_ manifest: Cid, _ store: any Blockstore) throws(TipsetError) {
        let list: ActorManifest
        let block = try TipsetError.onState { () throws(StateError) in try store.block(manifest, BuiltinManifest.title)
        }
        do throws(CborError) { list = try ActorManifest(data: block) } catch {
            throw .state("\(BuiltinManifest.title) \(manifest): \(error)")
        }
        for entry in list.entries {
            _ = try TipsetError.onChain { () throws(ChainError) in
                try store.chainBlock(entry.code, "code of the \(entry.name) actor")
            }
        }
    }

    /// Writes the archive in Forest's form, its sections by their CIDs; it is there whole or not at all.
    public func write(to path: String) throws(BlockFileError) {
        let writer = try ArchiveWriter(path: path, form: .forest, roots: roots)
        for (cid, data) in blocks.sorted(by: { $0.key < $1.key }) { try writer.append(cid, data) }
        try writer.finish()
    }
}

extension ChainReplay {
    /// A tipset as a file of its own.
    ///
    /// - Parameter index: of the entry that was executed last, and has a result.
    public func archive(_ index: Int, _ check: TipsetCheck) throws(ExtractionFailure) -> TipsetArchive {
        do throws(TipsetError) {
            return try TipsetArchive(entries[index], check.outcome, execution, store: written)
        } catch { throw ExtractionFailure(error) }
    }

    /// A message of a tipset alone.
    ///
    /// - Parameters:
    ///   - message: its place among all that were applied.
    ///   - check: of the entry that was executed last, with `keepsStates`.
    ///   - file: the chain's, for reports.
    public func message(
        _ message: Int, of check: TipsetCheck, file: String = ""
    ) throws(ExtractionFailure) -> RetracedMessage {
        do throws(TipsetError) {
            return try RetracedMessage(message, of: check.outcome, execution, store: written, file: file)
        } catch { throw ExtractionFailure(error) }
    }
}

extension ChainNetwork {
    private static let otherNames = ["calibrationnet": "calibnet"]

    /// The name as a part of files' names, as Forest has it.
    public var fileName: String {
        let name = Self.otherNames[name] ?? name
        return String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" ? $0 : "_" })
    }
}
