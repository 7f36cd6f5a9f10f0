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
        var unpacked: UnpackedPieces?
        if Zstandard.isCompressed(bytes) {
            do { unpacked = try UnpackedPieces(bytes, limit: maxSize) } catch { throw BundleError(error) }
        }
        var whole: ArraySlice<UInt8>? = bytes[...]
        do {
            let stream = try CarStream(limit: maxBlockSize) { () throws(CarError) in
                guard let unpacked else {
                    defer { whole = nil }
                    return whole
                }
                do throws(ZstandardError) { return try unpacked.next() } catch {
                    failure = BundleError(error)
                    throw CarError(.source(error.description), at: 0)
                }
            }
            return try Car.read(stream)
        } catch {
            throw failure ?? .car(error)
        }
    }
}

/// What compressed bytes unpack to, piece by piece.
private final class UnpackedPieces {
    private let bytes: [UInt8]
    private let limit: Int
    private let decoder: ZstandardDecoder
    private var position = 0
    private var count = 0

    init(_ bytes: [UInt8], limit: Int) throws(ZstandardError) {
        self.bytes = bytes
        self.limit = limit
        decoder = try ZstandardDecoder()
    }

    func next() throws(ZstandardError) -> ArraySlice<UInt8>? {
        while true {
            let piece = position < bytes.count ? try decoder.decode(bytes, from: &position) : try decoder.rest()
            guard let piece else { return nil }
            guard piece.count <= limit - count else { throw .tooLarge(limit: limit) }
            count += piece.count
            if !piece.isEmpty { return piece }
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

extension BundleError {
    fileprivate init(_ error: ZstandardError) {
        if case .tooLarge(let limit) = error { self = .tooLarge(limit: limit) } else { self = .zstd(error) }
    }
}
