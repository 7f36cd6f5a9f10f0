import Chain
import IPLD
import Kernel
import Primitives
import Replay

/// Reads the headers and messages of tipsets that follow one another, the next one's while one is executed.
final class TipsetReader {
    /// A tipset to execute, with what it is compared with.
    struct Contents: Sendable {
        var tipset: TipSet
        var child: TipSet
        /// Of each block; nil where they cannot be read, which is said when they are needed.
        var messages: [BlockMessages]?
    }

    private let entries: [ChainReplay.Entry]
    private let store: any Blockstore
    /// Opens the same blocks for another thread; nil reads nothing ahead.
    private let ahead: (@Sendable () -> any Blockstore)?
    private var pending: (index: Int, work: BackgroundWork<Contents?>)?
    /// The child of the entry read last.
    private var child: (index: Int, tipset: TipSet)?

    init(_ entries: [ChainReplay.Entry], store: any Blockstore, ahead: (@Sendable () -> any Blockstore)?) {
        self.entries = entries
        self.store = store
        self.ahead = ahead
    }

    /// Reads an entry, and begins to read the one behind it.
    ///
    /// What went wrong while it was read ahead goes wrong again here, and is said here.
    func contents(_ index: Int) throws(ChainError) -> Contents {
        let contents: Contents
        if let taken = taken(index) { contents = taken } else { contents = try read(index) }
        child = (index, contents.child)
        begin(index + 1)
        return contents
    }

    private func taken(_ index: Int) -> Contents? {
        defer { pending = nil }
        guard let pending, pending.index == index else { return nil }
        return pending.work.value ?? nil
    }

    private func read(_ index: Int) throws(ChainError) -> Contents {
        let entry = entries[index]
        let tipset: TipSet
        if let known = known(entry.link.key, before: index) {
            tipset = known
        } else {
            tipset = try TipSet(key: entry.link.key, from: store)
        }
        return Contents(
            tipset: tipset, child: try TipSet(key: entry.child.key, from: store),
            messages: try? tipset.messages(in: store))
    }

    /// A tipset that was the child of the entry before.
    private func known(_ key: [Cid], before index: Int) -> TipSet? {
        guard let child, child.index == index - 1, child.tipset.key == key else { return nil }
        return child.tipset
    }

    private func begin(_ index: Int) {
        guard let ahead, index < entries.count, let tipset = known(entries[index].link.key, before: index) else {
            return
        }
        let key = entries[index].child.key
        let work = BackgroundWork<Contents?> {
            let store = ahead()
            return try? Contents(
                tipset: tipset, child: TipSet(key: key, from: store), messages: tipset.messages(in: store))
        }
        pending = work.map { (index, $0) }
    }
}
