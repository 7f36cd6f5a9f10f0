import ArtifactStore
import BlockFiles
import CSmelt
import IPLD

extension StoreHandle {
    /// Reads archives, the first that has a block.
    ///
    /// - Parameter cache: where those without an index get one; nil is the place that the environment says.
    convenience init(archives paths: [String], cache: String?) throws(Failure) {
        var archives: [any BlockArchive] = []
        for path in paths {
            do throws(BlockFileError) {
                if BlockDatabase.isThere(path) {
                    archives.append(try BlockDatabase(path: path))
                } else {
                    // Without a place only an archive that needs an index is an error.
                    let cache = cache ?? (try? ArtifactStore.defaultDirectory()).map { $0 + "/archives" }
                    archives.append(try CarArchive(path: path, cache: cache))
                }
            } catch let bad {
                throw Failure(bad.isLocal ? SMELT_HOST_FAULT : SMELT_BAD_STATE, bad.description)
            }
        }
        let overlay = OverlayBlockstore(base: ArchiveBlockstore(archives))
        self.init(SerialBlockstore(overlay), root: archives.first?.roots.first)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_store_open_archives(
    _ paths: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int, _ given: UnsafePointer<smelt_archive_options>!,
    _ store: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let place = try required(store, "store")
        place.pointee = nil
        let rows = UnsafeBufferPointer(start: try required(paths, "paths"), count: count)
        guard count > 0 else { throw .misuse("no paths") }
        let chosen = given == nil ? smelt_archive_options() : try options(given, smelt_archive_options(), "options")
        let cache = chosen.cache_directory.map { String(cString: $0) }
        guard cache != "" else { throw .misuse("cache_directory is empty") }
        var names: [String] = []
        for path in rows { names.append(String(cString: try required(path, "a path"))) }
        place.pointee = try StoreHandle(archives: names, cache: cache).handedOut()
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_store_open(
    _ paths: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int, _ store: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    smelt_store_open_archives(paths, count, nil, store, error)
}
