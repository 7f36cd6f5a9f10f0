import ArtifactFormat
import Crypto
import Primitives

/// An object in the store as `ls` and `verify` show it.
public struct StoreEntry: Sendable {
    public enum State: Sendable {
        case sound(Manifest, StoreOrigin)
        /// What is wrong with it.
        case unsound(StoreError)
    }

    public var path: String
    /// Bytes.
    public var size: UInt64
    public var state: State
}

/// What became of a file given to `import`.
public struct StoreImport: Sendable {
    public enum Outcome: Sendable {
        case taken(Manifest)
        /// Already there, sound and equal.
        case known(Manifest)
        case refused(String)
    }

    public var path: String
    public var outcome: Outcome
}

/// What `prune` removed.
public struct StorePruning: Sendable, Hashable {
    public var files = 0
    /// Bytes.
    public var size: UInt64 = 0
}

extension ArtifactStore {
    /// Every object with the result of its full check, in the order of the paths. An object without an entry is what
    /// a writer left that was stopped, and counts as absent.
    public func entries() throws(StoreError) -> [StoreEntry] {
        var entries: [StoreEntry] = []
        let all = try paths(under: layout.currentObjects)
        let entryPaths = Set(all.filter { $0.hasSuffix(".entry") })
        for path in all where path.hasSuffix(".so") && entryPaths.contains(layout.entry(ofObject: path)) {
            do throws(StoreError) {
                // Objects for other versions and processors are sound, just of no use here.
                let object = try describe(path)
                guard path == layout.object(object.manifest.inputs) else {
                    throw StoreError.damaged(path: path, reason: "is not the place of an object with its key")
                }
                let state = StoreEntry.State.sound(object.manifest, object.origin)
                entries.append(StoreEntry(path: path, size: UInt64(object.size), state: state))
            } catch {
                entries.append(StoreEntry(path: path, size: size(of: path), state: .unsound(error)))
            }
        }
        return entries
    }

    /// Checks every object, refusal and WASM binary, and moves to quarantine what is not sound.
    ///
    /// - Returns: what was not sound, and the number of files checked.
    public func verify() throws(StoreError) -> (checked: Int, unsound: [StoreError]) {
        var unsound: [StoreError] = []
        var checked = 0
        for entry in try entries() {
            checked += 1
            guard case .unsound(let error) = entry.state else { continue }
            unsound.append(error)
            try quarantine(entry.path)
        }
        let others: [(String, String, (String) throws(StoreError) -> Void)] = [
            (layout.currentRefusals, ".refusal", checkRefusal), (layout.wasm, ".wasm", checkWasm),
        ]
        for (directory, suffix, check) in others {
            for path in try paths(under: directory) where path.hasSuffix(suffix) {
                checked += 1
                do throws(StoreError) {
                    try check(path)
                } catch {
                    unsound.append(error)
                    try quarantine(path)
                }
            }
        }
        return (checked, unsound)
    }

    private func checkRefusal(_ path: String) throws(StoreError) {
        guard let record = StoreRecord(try readOwn(path)), record.refusal != nil,
            layout.refusal(record.inputs) == path
        else { throw .damaged(path: path, reason: "the record is malformed") }
        try check(record, at: path)
    }

    private func checkWasm(_ path: String) throws(StoreError) {
        let name = path.split(separator: "/").last.map { String($0.dropLast(5)) } ?? ""
        guard let cid = try? Cid(text: name), cid.verifies(try readOwn(path)) == true else {
            throw .damaged(path: path, reason: "the content does not have this CID")
        }
    }

    /// Removes what this build cannot use: objects of other formats and runtime interfaces, objects that another
    /// compiler than the one given made here (imported ones stay), unsound ones, the quarantine, what stopped writers
    /// left, and locks nobody holds.
    ///
    /// - Parameter all: removes all objects, refusals and WASM binaries too.
    public func prune(all: Bool, compiler: CompilerIdentity?) throws(StoreError) -> StorePruning {
        var pruning = StorePruning()
        for entry in try entries() {
            if !all, case .sound(let manifest, let origin) = entry.state,
                isUsable(manifest.inputs, origin == .imported ? nil : compiler)
            {
                continue
            }
            try remove(layout.entry(ofObject: entry.path), &pruning)
            try remove(entry.path, &pruning)
        }
        try removeHalves(&pruning)
        for (folder, current) in [
            (layout.objects, layout.currentObjects), (layout.refusals, layout.currentRefusals),
        ] {
            for path in try paths(under: folder) where !path.hasPrefix(current + "/") { try remove(path, &pruning) }
        }
        for path in try paths(under: layout.quarantine) { try remove(path, &pruning) }
        for folder in [layout.objects, layout.refusals, layout.wasm] {
            for path in try paths(under: folder) where path.hasSuffix(".new") { try remove(path, &pruning) }
        }
        for folder in all ? [layout.refusals, layout.wasm] : [] {
            for path in try paths(under: folder) { try remove(path, &pruning) }
        }
        for path in try paths(under: layout.locks) {
            do {
                guard let lock = try files.lock(path, wait: false) else { continue }
                defer { withExtendedLifetime(lock) {} }
                try files.remove(path)
            } catch {
                throw .file(error)
            }
        }
        return pruning
    }

    /// Objects without entries and entries without objects.
    private func removeHalves(_ pruning: inout StorePruning) throws(StoreError) {
        let all = try paths(under: layout.currentObjects)
        let known = Set(all)
        for path in all {
            let isHalf =
                path.hasSuffix(".so")
                ? !known.contains(layout.entry(ofObject: path))
                : path.hasSuffix(".entry") && !known.contains(path.dropLast(6) + ".so")
            if isHalf { try remove(path, &pruning) }
        }
    }

    private func isUsable(_ inputs: ArtifactInputs, _ compiler: CompilerIdentity?) -> Bool {
        guard inputs.formatVersion == ArtifactInputs.currentFormatVersion else { return false }
        return compiler == nil || inputs.compiler == compiler
    }

    /// Takes the objects (`*.so`) of a directory after the full check; from then on they count as made here.
    ///
    /// An object is native code: the check shows that it is whole, self-contained and runs nothing at load, not that
    /// it does what its WASM says. So import only what comes from someone you trust.
    public func importObjects(from directory: String) throws(StoreError) -> [StoreImport] {
        var results: [StoreImport] = []
        for path in try paths(under: directory) where path.hasSuffix(".so") {
            results.append(StoreImport(path: path, outcome: try importObject(path)))
        }
        return results
    }

    private func importObject(_ path: String) throws(StoreError) -> StoreImport.Outcome {
        let bytes: [UInt8]
        do {
            let file = try files.open(path)
            let status = try files.status(of: file)
            guard status.isRegular else { return .refused("\(path): is no regular file") }
            bytes = try files.read(file, size: status.size)
        } catch {
            return .refused(error.description)
        }
        let manifest: Manifest
        do {
            manifest = try ArtifactFormat.verify(bytes, expecting: .runnable)
        } catch {
            return .refused("\(path): \(error.description)")
        }
        if let known = try? load(manifest.inputs) {
            // Objects of one key are equal, byte for byte: one of the two is not what it says.
            guard known.object.bytes == bytes else {
                return .refused(
                    "\(path): differs from \(layout.object(manifest.inputs)), which has the same key; objects of one "
                        + "key are equal, so compile again and compare, or remove the other first")
            }
            // What was compiled here is from now on also used beside other compilers.
            if known.origin == .compiled { try publish(bytes, manifest.inputs, origin: .imported) }
            return .known(manifest)
        }
        try publish(bytes, manifest.inputs, origin: .imported)
        return .taken(manifest)
    }

    // MARK: Directories

    /// The files below a directory, in order of their paths.
    private func paths(under directory: String) throws(StoreError) -> [String] {
        var found: [String] = []
        let names: [String]
        do { names = try files.list(directory) } catch { throw .file(error) }
        for name in names {
            let path = directory + "/" + name
            if files.isDirectory(path) { found += try paths(under: path) } else { found.append(path) }
        }
        return found
    }

    private func size(of path: String) -> UInt64 {
        guard let file = try? files.open(path), let status = try? files.status(of: file) else { return 0 }
        return UInt64(status.size)
    }

    private func remove(_ path: String, _ pruning: inout StorePruning) throws(StoreError) {
        let size = size(of: path)
        do { try files.remove(path) } catch { throw .file(error) }
        pruning.files += 1
        pruning.size += size
    }
}
