import ArtifactStore
import BlockFiles
import Chain
import CommandTable
import IPLD
import Primitives
import StateTree

/// Archives named on the command line.
struct ArchiveInput {
    let archives: [any BlockArchive]
    let store: ArchiveBlockstore
    /// Of the first archive, or the one asked for.
    let root: Cid?

    var first: any BlockArchive { archives[0] }

    /// The file, and those that `--also` names.
    ///
    /// - Parameter text: `FILE` or `FILE@ROOT`; a file that has such a name as a whole is meant before that.
    init(_ text: String, _ arguments: Parsed, progress: Progress) throws(CommandFailure) {
        var path = text
        var root: Cid?
        if !Files.isFile(text), let at = text.lastIndex(of: "@") {
            path = String(text[..<at])
            let name = String(text[text.index(after: at)...])
            do { root = try Cid(text: name) } catch {
                throw CommandFailure(.badInput, "\(path)@\(name): '\(name)' is no CID: \(error)")
            }
        }
        var archives: [any BlockArchive] = []
        for path in [path] + arguments.all("also") {
            archives.append(try ArchiveInput.open(path, progress: progress))
        }
        self.archives = archives
        self.root = root
        store = ArchiveBlockstore(archives)
    }

    /// Opens an archive or a database; a large archive without an index gets one in the cache.
    static func open(_ path: String, progress: Progress) throws(CommandFailure) -> any BlockArchive {
        if BlockDatabase.isThere(path) {
            do throws(BlockFileError) { return try BlockDatabase(path: path) } catch { throw CommandFailure(error) }
        }
        return try openFile(path, progress: progress)
    }

    /// Opens an archive; a large one without an index gets one in the cache.
    static func openFile(_ path: String, progress: Progress) throws(CommandFailure) -> CarArchive {
        let cache: String
        do { cache = try ArtifactStore.defaultDirectory() + "/archives" } catch {
            throw CommandFailure(.failure, error.description)
        }
        do throws(BlockFileError) {
            return try CarArchive(path: path, cache: cache) { step in
                progress.update("\(path): \(step.operation), \(step.done >> 20) of \(step.total >> 20) MiB")
            }
        } catch { throw CommandFailure(error) }
    }

    private func mustBeChain() throws(CommandFailure) {
        let block = try? store.get(first.roots[0])
        let kind = ArchiveReport.isManifest(block) ? "bundle" : ArchiveReport.kind(block)
        guard kind != "bundle", !kind.hasPrefix("state") else {
            throw CommandFailure(
                .badInput, "\(first.path): is no chain: by its root \(first.roots[0]) it is a \(kind)")
        }
    }

    /// The head of the chain, without a walk through the headers below it.
    func chainHead() throws(CommandFailure) -> TipSet {
        try mustBeChain()
        do throws(ChainError) { return try Snapshot.head(roots: first.roots, store: store) } catch {
            throw CommandFailure(error, first.path)
        }
    }

    /// The chain of the archive's roots.
    func chain(progress: Progress) throws(CommandFailure) -> Snapshot {
        let path = first.path
        try mustBeChain()
        do throws(ChainError) {
            return try Snapshot(roots: first.roots, store: store) { progress.update("\(path): headers, height \($0)") }
        } catch { throw CommandFailure(error, path) }
    }

    /// The root of the state meant: the one asked for, the archive's, or that of the chain's head.
    func stateRoot(progress: Progress) throws(CommandFailure) -> Cid {
        if let root { return root }
        let own = first.roots[0]
        let block = try? store.get(own)
        guard !ArchiveReport.isManifest(block) else {
            throw CommandFailure(.badInput, "\(first.path): has no state: by its root \(own) it is a bundle")
        }
        if (try? StateListing(root: own, store: store)) != nil { return own }
        do throws(ChainError) { return try Snapshot.head(roots: first.roots, store: store).parentStateRoot } catch {
            throw CommandFailure(
                .badInput, "\(first.path): its root \(own) is neither a state nor the head of a chain (\(error))")
        }
    }
}

extension CommandFailure {
    init(_ error: BlockFileError) { self.init(error.isLocal ? .failure : .badInput, error.description) }

    /// - Parameter path: of the file.
    init(_ error: ChainError, _ path: String) {
        let text = error.description
        self.init(.badInput, text.hasPrefix(path) ? text : "\(path): \(text)")
    }

    /// - Parameter path: of the file.
    init(_ error: StateError, _ path: String) {
        let text = error.description
        self.init(error.isLocal ? .failure : .badInput, text.hasPrefix(path) ? text : "\(path): \(text)")
    }
}
