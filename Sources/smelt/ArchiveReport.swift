import BlockFiles
import Chain
import IPLD
import JSON
import Primitives
import StateTree

/// What `smelt inspect` says of an archive that is no bundle. It looks at the file's ends and at its root, so that the
/// size of a snapshot does not matter.
enum ArchiveReport {
    /// nil for what is no archive of this kind: standard input, modules, objects, bundles, and files that others say
    /// what is wrong with.
    static func make(_ path: String) throws(CommandFailure) -> JSONValue? {
        guard path != "-", Files.isFile(path), let outline = try? CarArchive.outline(path: path) else { return nil }
        let root = outline.roots[0]
        var block = outline.firstBlock.flatMap { $0.cid == root ? $0.data : nil }
        let small = 32 << 20
        if block == nil, outline.size <= small || outline.form == .forest {
            let progress = Progress(enabled: false)
            block = try? ArchiveInput.open(path, progress: progress).block(root)
        }
        guard !isManifest(block) else { return nil }
        return .object([
            "schema": .string("smelt.inspect.archive/1"), "kind": .string(kind(block)),
            "form": .string(outline.form.rawValue), "bytes": .integer(outline.size),
            "roots": .array(outline.roots.map { .string($0.text) }), "height": height(block),
        ])
    }

    /// A pair of a version and a link is a bundle's.
    static func isManifest(_ block: [UInt8]?) -> Bool {
        guard let block else { return false }
        return (try? ActorManifest.dataCid(root: block)) != nil
    }

    static func kind(_ block: [UInt8]?) -> String {
        guard let block, let item = try? CborValue(block) else { return "archive" }
        switch item {
        case .map(let entries) where entries.contains { $0.key == "HeadTipsetKey" }: return "snapshot, version 2"
        case .array(let fields):
            if let header = try? BlockHeader(cbor: block) { return header.height == 0 ? "genesis" : "chain" }
            switch (fields.count, fields.first) {
            case (3, .unsigned(let version)?): return "state, version \(version)"
            case (2, .bytes?): return "state, version 0, or a map"
            default: return "archive"
            }
        default: return "archive"
        }
    }

    private static func height(_ block: [UInt8]?) -> JSONValue {
        guard let block, let header = try? BlockHeader(cbor: block) else { return .null }
        return .integer(header.height)
    }
}
