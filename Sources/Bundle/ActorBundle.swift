import IPLD
import Primitives
import Zstandard

/// A bundle of built-in actors: a CAR archive, plain or compressed with zstd, whose one root is the manifest.
public struct ActorBundle: Sendable {
    /// The CID of the manifest's root block, which names the bundle.
    public let root: Cid
    /// The CID of the manifest's data block, as the system actor of a state has it.
    public let manifestData: Cid
    /// Names and code CIDs in order.
    public let manifest: ActorManifest
    /// Every block of the archive.
    public let blocks: [Cid: [UInt8]]

    /// Names and code CIDs in the manifest's order; element n is actor type n + 1.
    public var codes: [(name: String, cid: Cid)] { manifest.entries.map { ($0.name, $0.code) } }

    /// The WASM of the actor with code `cid`.
    public func code(_ cid: Cid) -> [UInt8]? { blocks[cid] }

    /// The most bytes an archive may have, unpacked or not. The largest mainnet bundle has about 8 MiB.
    public static let maxSize = 128 << 20
    /// The most bytes a block of it may have. The largest actor has less than 1 MiB.
    public static let maxBlockSize = 32 << 20

    /// Opens the bundle at `path`; what kind of file it is is seen from its first bytes, not from its name.
    public static func open(path: String) throws(BundleError) -> ActorBundle {
        try ActorBundle(bytes: try BundleFile.read(path, limit: maxSize))
    }

    /// The bundle in `bytes`, a CAR archive or one compressed with zstd.
    ///
    /// - Throws: a `BundleError`; the manifest, its data and every actor's code have to be there and right.
    public init(bytes: [UInt8]) throws(BundleError) {
        let car = try ActorBundle.archive(bytes)
        guard car.roots.count == 1 else { throw .roots(car.roots.count) }
        root = car.roots[0]
        var blocks: [Cid: [UInt8]] = [:]
        for block in car.blocks { blocks[block.cid] = block.data }
        self.blocks = blocks
        guard let rootBlock = blocks[root] else { throw .missing(root, "manifest") }
        do { manifestData = try ActorManifest.dataCid(root: rootBlock) } catch { throw .manifest(root, error) }
        guard let dataBlock = blocks[manifestData] else { throw .missing(manifestData, "manifest data") }
        do { manifest = try ActorManifest(data: dataBlock) } catch { throw .manifest(manifestData, error) }
        for entry in manifest.entries where blocks[entry.code] == nil {
            throw .missing(entry.code, "code of actor \(entry.name)")
        }
    }
}

extension ActorBundle {
    /// Unpacks and reads in one go: what is wrong is seen when it comes, and nothing is in memory twice.
    private static func archive(_ bytes: [UInt8]) throws(BundleError) -> Car {
        var failure: BundleError?
        let pieces = try pieces(bytes)
        do {
            let stream = try CarStream(limit: maxBlockSize) { () throws(CarError) in
                do throws(BundleError) { return try pieces() } catch {
                    failure = error
                    throw CarError(.source(error.description), at: 0)
                }
            }
            return try Car.read(stream)
        } catch {
            throw failure ?? .car(error)
        }
    }

    /// The archive in `bytes`, unpacked as far as it is asked for.
    private static func pieces(
        _ bytes: [UInt8]
    ) throws(BundleError) -> () throws(BundleError) -> ArraySlice<UInt8>? {
        var whole: [UInt8]? = bytes
        func more() throws(BundleError) -> [UInt8]? {
            defer { whole = nil }
            return whole
        }
        guard Zstandard.isCompressed(bytes) else { return { () throws(BundleError) in try more()?[...] } }
        let decoder: ZstandardDecoder
        do { decoder = try ZstandardDecoder() } catch { throw .zstd(error) }
        let unpacked = decoder.pieces(of: more) { .zstd($0) }
        var count = 0
        return { () throws(BundleError) in
            guard let piece = try unpacked() else { return nil }
            guard piece.count <= maxSize - count else { throw .tooLarge(limit: maxSize) }
            count += piece.count
            return piece
        }
    }
}

/// Why a file is not an actor bundle.
public enum BundleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The system's words.
    case file(String)
    case tooLarge(limit: Int)
    case zstd(ZstandardError)
    case car(CarError)
    case roots(Int)
    case missing(Cid, String)
    case manifest(Cid, CborError)

    public var description: String {
        switch self {
        case .file(let why): why
        case .tooLarge(let limit): "bundle is larger than \(limit) bytes"
        case .zstd(let error): error.description
        case .car(let error): error.description
        case .roots(let count): "bundle has \(count) roots, exactly one is needed"
        case .missing(let cid, let what): "block \(cid) (\(what)) is not in the bundle"
        case .manifest(let cid, let error): "manifest block \(cid): \(error)"
        }
    }
}
