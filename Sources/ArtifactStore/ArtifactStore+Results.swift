import ArtifactFormat
import Primitives

/// Objects and refusals: found by their key, or by the WASM binary they were made from.
extension ArtifactStore {
    /// What is known for these inputs; nil when nothing is, or nothing sound.
    public func find(_ inputs: ArtifactInputs) -> StoredResult? {
        if let object = findObject(inputs, at: layout.object(inputs)) { return .object(object) }
        return findRefusal(inputs, at: layout.refusal(inputs)).map { .refused($0) }
    }

    /// What any compiler made of a WASM binary, as far as `accept` takes it; of several, what came here last.
    ///
    /// - Parameter accept: asked with what the store's records say; what is returned agrees with it.
    public func find(wasm: Cid, accept: (ArtifactInputs, StoreOrigin) -> Bool) -> StoredResult? {
        let objects = layout.objects(of: wasm)
        for (inputs, path) in candidates(in: objects, ".entry", wasm, accept) {
            guard path == layout.entry(ofObject: layout.object(inputs)) else { continue }
            if let object = findObject(inputs, at: layout.object(inputs)), accept(inputs, object.origin) {
                return .object(object)
            }
        }
        for (inputs, path) in candidates(in: layout.refusals(of: wasm), ".refusal", wasm, accept) {
            if let text = findRefusal(inputs, at: path) { return .refused(text) }
        }
        return nil
    }

    /// What the records in a directory say, unchecked, newest first.
    private func candidates(
        in directory: String, _ suffix: String, _ wasm: Cid, _ accept: (ArtifactInputs, StoreOrigin) -> Bool
    ) -> [(inputs: ArtifactInputs, path: String)] {
        // A directory that cannot be listed has nothing to offer.
        let names = (try? files.list(directory)) ?? []
        var found: [(record: StoreRecord, path: String)] = []
        for name in names where name.hasSuffix(suffix) {
            let path = "\(directory)/\(name)"
            guard let bytes = try? readOwn(path), let record = StoreRecord(bytes), record.inputs.wasm == wasm,
                accept(record.inputs, record.origin)
            else { continue }
            found.append((record, path))
        }
        return found.sorted { ($0.record.time, $0.path) > ($1.record.time, $1.path) }.map {
            ($0.record.inputs, $0.path)
        }
    }

    private func findObject(_ inputs: ArtifactInputs, at path: String) -> StoredObject? {
        do {
            return try load(inputs, at: path)
        } catch .file(let error) where error.isMissing {
            // The usual case of a first compilation.
        } catch {
            reject(path, error)
        }
        return nil
    }

    private func findRefusal(_ inputs: ArtifactInputs, at path: String) -> String? {
        do {
            return try loadRefusal(inputs, at: path)
        } catch .file(let error) where error.isMissing {
            return nil
        } catch {
            reject(path, error)
            return nil
        }
    }

    /// The object for these inputs, after all checks.
    public func load(_ inputs: ArtifactInputs) throws(StoreError) -> StoredObject {
        try load(inputs, at: layout.object(inputs))
    }

    private func load(_ inputs: ArtifactInputs, at path: String) throws(StoreError) -> StoredObject {
        let (found, record) = try load(at: path) { (bytes) throws(ArtifactError) in
            // By the entry's code these are the bytes that were published, and only what was verified is.
            try ArtifactFormat.open(bytes, expecting: .key(inputs.key), isAuthentic: true)
        }
        try check(record, isOf: found.manifest, at: path)
        return StoredObject(object: found.object, manifest: found.manifest, origin: record.origin)
    }

    /// What the object at a path of the store is, be it one that this build or processor cannot run; and its bytes.
    func describe(_ path: String) throws(StoreError) -> (manifest: Manifest, origin: StoreOrigin, size: Int) {
        var size = 0
        let (manifest, record) = try load(at: path) { (bytes) throws(ArtifactError) in
            size = bytes.count
            return try ArtifactFormat.verify(bytes, expecting: .sound)
        }
        try check(record, isOf: manifest, at: path)
        return (manifest, record.origin, size)
    }

    private func check(_ record: StoreRecord, isOf manifest: Manifest, at path: String) throws(StoreError) {
        guard manifest.inputs == record.inputs else {
            throw .damaged(path: layout.entry(ofObject: path), reason: "the entry belongs to another object")
        }
    }

    /// What `check` makes of an object's bytes, after the entry was found right about them.
    private func load<Found>(
        at path: String, _ check: ([UInt8]) throws(ArtifactError) -> Found
    ) throws(StoreError) -> (Found, StoreRecord) {
        let recordPath = layout.entry(ofObject: path)
        let bytes = try readOwn(path)
        guard let record = StoreRecord(try readOwn(recordPath)), record.refusal == nil else {
            throw .damaged(path: recordPath, reason: "the entry is malformed")
        }
        try self.check(record, bytes, at: path)
        do { return (try check(bytes), record) } catch { throw .damaged(path: path, reason: error.description) }
    }

    /// Puts an object where `find` will see it: whole or not at all.
    ///
    /// - Parameter bytes: an object that `ArtifactFormat.verify` accepts.
    public func publish(
        _ bytes: [UInt8], _ inputs: ArtifactInputs, origin: StoreOrigin = .compiled
    ) throws(StoreError) {
        let path = layout.object(inputs)
        let record = try sign(StoreRecord(inputs: inputs, origin: origin, time: Files.time), bytes)
        // The object last: an entry without one is no object yet, for `find`, `entries` and `verify` alike, whenever
        // this process is killed or the disk is full.
        try writeOwn(record.encoded, to: layout.entry(ofObject: path))
        try writeOwn(bytes, to: path)
    }

    /// Remembers that the FVM refuses a module.
    public func publishRefusal(_ text: String, _ inputs: ArtifactInputs) throws(StoreError) {
        let record = StoreRecord(inputs: inputs, origin: .compiled, time: Files.time, refusal: text)
        try writeOwn(try sign(record).encoded, to: layout.refusal(inputs))
    }

    private func loadRefusal(_ inputs: ArtifactInputs, at path: String) throws(StoreError) -> String {
        guard let record = StoreRecord(try readOwn(path)), let text = record.refusal, record.inputs == inputs else {
            throw .damaged(path: path, reason: "the record is malformed")
        }
        try check(record, at: path)
        return text
    }
}
