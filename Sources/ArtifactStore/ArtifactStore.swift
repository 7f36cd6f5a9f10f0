import ArtifactFormat
import Crypto
import Primitives
import Synchronization

/// An object out of the store, checked in full.
public struct StoredObject: Sendable {
    public var object: LoadableObject
    public var manifest: Manifest
    public var origin: StoreOrigin

    /// - Parameter manifest: the object's.
    public init(object: LoadableObject, manifest: Manifest, origin: StoreOrigin = .compiled) {
        self.object = object
        self.manifest = manifest
        self.origin = origin
    }
}

/// What the store knows of a compilation.
public enum StoredResult: Sendable {
    case object(StoredObject)
    /// The FVM refuses the module; stage, place and rule.
    case refused(String)
}

/// Compiled actors and their WASM by content, on disk, shared by all processes of one user.
///
/// Everything read is checked before it is believed: objects and refusals by an authentication code whose key only
/// this user can read, objects then by `ArtifactFormat.open` for everything that is not a digest; WASM by its CID.
/// Everything written appears whole or not at all. What turns out damaged is moved to quarantine and counts as absent,
/// so it is compiled again.
public final class ArtifactStore: Sendable {
    /// The directory.
    public var directory: String { layout.root }

    let layout: StoreLayout
    let files: Files
    private let warn: @Sendable (String) -> Void
    private let warned = Mutex<Set<String>>([])
    private let secret = Mutex<[UInt8]?>(nil)

    /// `smelt` in the XDG cache directory.
    public static func defaultDirectory() throws(StoreError) -> String {
        try defaultDirectory(Files.environment)
    }

    /// (XDG base directory specification: a relative path in the variable is ignored.)
    static func defaultDirectory(_ environment: (String) -> String?) throws(StoreError) -> String {
        if let cache = environment("XDG_CACHE_HOME"), cache.hasPrefix("/") { return cache + "/smelt" }
        if let home = environment("HOME"), home.hasPrefix("/") { return home + "/.cache/smelt" }
        throw .noDirectory
    }

    /// Opens the store in a directory, which is made when something is first written.
    ///
    /// - Parameter warn: told once of each kind of trouble that does not stop the work.
    public convenience init(directory: String, warn: @escaping @Sendable (String) -> Void) {
        self.init(directory: directory, warn: warn, fault: nil)
    }

    init(
        directory: String, warn: @escaping @Sendable (String) -> Void,
        fault: (@Sendable (FileCall, String) -> Int32)?
    ) {
        layout = StoreLayout(root: directory)
        self.warn = warn
        files = Files(fault: fault)
    }

    /// Passes on a warning, once for each `topic`.
    public func warnOnce(_ topic: String, _ text: String) {
        if warned.withLock({ $0.insert(topic).inserted }) { warn(text) }
    }

    /// Takes the right to compile for a key; nil when another process or thread has it.
    public func lock(_ key: ArtifactKey, wait: Bool) throws(StoreError) -> FileLock? {
        do {
            try files.makeDirectories(layout.locks)
            return try files.lock(layout.lock(key), wait: wait)
        } catch {
            throw .file(error)
        }
    }

    // MARK: WASM

    /// The WASM binary with this CID; nil when it is not there, or not sound.
    public func wasm(_ cid: Cid) -> [UInt8]? {
        let path = layout.wasm(cid)
        do throws(StoreError) {
            let bytes = try readOwn(path)
            guard cid.verifies(bytes) == true else {
                throw StoreError.damaged(path: path, reason: "the content does not have this CID")
            }
            return bytes
        } catch .file(let error) where error.isMissing {
            return nil
        } catch {
            reject(path, error)
            return nil
        }
    }

    /// Keeps a WASM binary.
    public func publishWasm(_ bytes: [UInt8], _ cid: Cid) throws(StoreError) {
        let path = layout.wasm(cid)
        if (try? readOwn(path)) == bytes { return }
        try writeOwn(bytes, to: path)
    }

    // MARK: Files

    /// Reads a file that nobody but this user can have written; a private one nobody else can have read either.
    func readOwn(_ path: String, isPrivate: Bool = false) throws(StoreError) -> [UInt8] {
        let reason: String
        do {
            let file = try files.open(path)
            let status = try files.status(of: file)
            guard let found = distrust(status, isPrivate) else { return try files.read(file, size: status.size) }
            reason = found
        } catch {
            throw error.isSymbolicLink ? .unsafe(path: path, reason: "is a symbolic link") : .file(error)
        }
        throw .unsafe(path: path, reason: reason)
    }

    /// Why a file is not to be believed, by its status alone.
    private func distrust(_ status: Files.Status, _ isPrivate: Bool) -> String? {
        guard status.isRegular else { return "is no regular file" }
        guard status.owner == Files.user else {
            return "belongs to user \(status.owner), not to user \(Files.user)"
        }
        guard status.mode & 0o022 == 0 else { return "mode \(String(status.mode, radix: 8)) lets others write it" }
        guard isPrivate, status.mode & 0o077 != 0 else { return nil }
        return "mode \(String(status.mode, radix: 8)) lets others read it"
    }

    func writeOwn(_ bytes: [UInt8], to path: String) throws(StoreError) {
        do {
            try files.makeDirectories(parent(of: path))
            try files.write(bytes, to: path, mode: 0o644)
        } catch {
            throw .file(error)
        }
    }

    /// Reports something unsound and moves it away, so that it is made again.
    func reject(_ path: String, _ error: StoreError) {
        switch error {
        case .unsafe(let place, _) where place == layout.secret, .damaged(let place, _) where place == layout.secret:
            // Says nothing about the object.
            warnOnce(place, "\(error); the store is not used")
        case .file, .noDirectory:
            warnOnce(path, "\(error); it is made again")
        case .unsafe, .damaged:
            warnOnce(path, "\(error); it is made again")
            try? quarantine(path)
        }
    }

    func quarantine(_ path: String) throws(StoreError) {
        do {
            try files.makeDirectories(layout.quarantine)
            let name = path.split(separator: "/").last.map(String.init) ?? "unnamed"
            try files.rename(path, to: "\(layout.quarantine)/\(name)")
        } catch {
            throw .file(error)
        }
    }

    // MARK: Authentication

    /// The authentication code of bytes and an object's behind them; `kind` keeps codes of one kind of file from serving
    /// for another.
    func authenticate(
        _ kind: String, _ bytes: [UInt8], _ object: [UInt8] = [], makingSecret: Bool = false
    ) throws(StoreError) -> Digest {
        let key = try loadSecret(making: makingSecret)
        let code = Sha2.hmac256(key: key) { pieces in
            for piece in [Array("smelt \(kind)\n".utf8), bytes, object] { pieces.add(piece.span) }
        }
        guard let digest = Digest(bytes: code) else {
            throw .damaged(path: layout.secret, reason: "the authentication code has \(code.count) bytes")
        }
        return digest
    }

    /// The record with its authentication code, over itself and an object's bytes.
    func sign(_ record: StoreRecord, _ object: [UInt8] = []) throws(StoreError) -> StoreRecord {
        record.with(code: try authenticate(StoreRecord.kind(record), record.signed, object, makingSecret: true))
    }

    /// Checks a record's authentication code.
    ///
    /// - Parameter path: of the file to blame.
    func check(_ record: StoreRecord, _ object: [UInt8] = [], at path: String) throws(StoreError) {
        try check(record.code, StoreRecord.kind(record), record.signed, object, at: path)
    }

    /// Checks an authentication code.
    func check(
        _ code: String, _ kind: String, _ bytes: [UInt8], _ object: [UInt8] = [], at path: String
    ) throws(StoreError) {
        guard matches(code, try authenticate(kind, bytes, object)) else {
            throw .damaged(path: path, reason: "the authentication code does not match")
        }
    }

    /// Compares in a time that does not depend on where the difference is.
    private func matches(_ text: String, _ code: Digest) -> Bool {
        guard let given = Digest(hex: text) else { return false }
        return zip(given.bytes, code.bytes).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func loadSecret(making: Bool) throws(StoreError) -> [UInt8] {
        if let known = secret.withLock({ $0 }) { return known }
        let path = layout.secret
        let found: [UInt8]
        do {
            found = try readOwn(path, isPrivate: true)
        } catch .file(let error) where error.isMissing && making {
            guard let fresh = SecureRandom.bytes(32) else {
                throw .damaged(path: path, reason: "this system gives no random bytes for a key")
            }
            do {
                try files.makeDirectories(layout.root)
                // Linked, not renamed: when two processes make one, both must end up with the same.
                try files.write(fresh, to: path, mode: 0o600, replace: false)
            } catch {
                guard error.isCollision else { throw .file(error) }
            }
            found = try readOwn(path, isPrivate: true)
        }
        guard found.count == 32 else {
            throw .damaged(path: path, reason: "the key has \(found.count) bytes, expected 32")
        }
        secret.withLock { $0 = found }
        return found
    }
}
