import CLMDB
import Glibc
import IPLD
import Primitives

/// Blocks in a database of LMDB: what is imported once and used often. Safe to use from several threads, and by several
/// processes as long as one of them writes.
///
/// Keys are binary CIDs. Each block is compared with its CID when it is read.
public final class BlockDatabase: BlockArchive, Blockstore, @unchecked Sendable {
    // Sound to share: LMDB's environments and tables are made for that, and neither changes after `init`.
    private let environment: OpaquePointer
    private let table: MDB_dbi
    public let path: String
    public let roots: [Cid]
    public var formName: String { "lmdb" }

    /// Where the roots are: shorter than any CID.
    private static let rootsKey: [UInt8] = [0]
    /// Address space for the map, not memory and not disk.
    private static let mapSize = 1 << 40

    /// Opens the database in a directory.
    ///
    /// - Parameter creates: whether one is made where there is none.
    public convenience init(path: String, creates: Bool = false) throws(BlockFileError) {
        if creates {
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
                throw .system(path: path, doing: "create", reason: String(cString: strerror(errno)))
            }
        } else if !BlockDatabase.isThere(path) {
            throw .system(path: path, doing: "open", reason: "there is no database in this directory")
        }
        try self.init(opening: path)
    }

    private init(opening path: String) throws(BlockFileError) {
        var made: OpaquePointer?
        try Self.check(mdb_env_create(&made), path, "open")
        guard let environment = made else { throw .system(path: path, doing: "open", reason: "no environment") }
        var table: MDB_dbi = 0
        do throws(BlockFileError) {
            try Self.check(mdb_env_set_mapsize(environment, Self.mapSize), path, "open")
            // Without MDB_NOTLS a thread could read in one transaction only.
            try Self.check(mdb_env_open(environment, path, UInt32(MDB_NOTLS | MDB_NORDAHEAD), 0o644), path, "open")
            let writing = try Transaction(environment, path, writes: true)
            try Self.check(mdb_dbi_open(writing.raw, nil, UInt32(MDB_CREATE), &table), path, "open")
            roots = try Self.cids(try writing.get(Self.rootsKey, in: table) ?? [], path)
            try writing.commit()
        } catch {
            mdb_env_close(environment)
            throw error
        }
        self.environment = environment
        self.table = table
        self.path = path
    }

    deinit { mdb_env_close(environment) }

    /// Whether a directory holds a database.
    public static func isThere(_ path: String) -> Bool { access(path + "/data.mdb", F_OK) == 0 }

    // MARK: Reading

    public func block(_ cid: Cid) throws(BlockFileError) -> [UInt8]? {
        let reading = try Transaction(environment, path, writes: false)
        guard let data = try reading.get(cid.bytes, in: table) else { return nil }
        guard cid.verifies(data) == true else { throw .damaged(path: path, cid) }
        return data
    }

    public func has(_ cid: Cid) throws(BlockFileError) -> Bool {
        try Transaction(environment, path, writes: false).has(cid.bytes, in: table)
    }

    /// Blocks there are.
    public var count: Int {
        get throws(BlockFileError) {
            var numbers = MDB_stat()
            try Self.check(mdb_env_stat(environment, &numbers), path, "read")
            return numbers.ms_entries - (roots.isEmpty ? 0 : 1)
        }
    }

    public var size: Int {
        var about = stat()
        return stat(path + "/data.mdb", &about) == 0 ? Int(about.st_blocks) * 512 : 0
    }

    // MARK: Writing

    /// Keeps blocks: all of them or, where that fails, none.
    ///
    /// - Parameter roots: what the database's roots are from the next opening on; nil leaves them.
    public func add(_ blocks: [(cid: Cid, data: [UInt8])], roots: [Cid]? = nil) throws(BlockFileError) {
        let writing = try Transaction(environment, path, writes: true)
        for block in blocks { try writing.put(block.cid.bytes, block.data, in: table) }
        if let roots { try writing.put(Self.rootsKey, roots.flatMap(\.bytes), in: table) }
        try writing.commit()
    }

    // MARK: Blockstore

    public func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        do throws(BlockFileError) { return try block(cid) } catch { throw .storage(error.description) }
    }

    public func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { try put([(cid, data)]) }

    public func put(_ blocks: [(cid: Cid, data: [UInt8])]) throws(BlockstoreError) {
        do throws(BlockFileError) { try add(blocks) } catch { throw .storage(error.description) }
    }

    // MARK: LMDB

    fileprivate static func check(_ code: Int32, _ path: String, _ what: String) throws(BlockFileError) {
        guard code == 0 else { throw .system(path: path, doing: what, reason: String(cString: mdb_strerror(code))) }
    }

    private static func cids(_ bytes: [UInt8], _ path: String) throws(BlockFileError) -> [Cid] {
        var all: [Cid] = []
        var position = 0
        while position < bytes.count {
            do { all.append(try Cid.read(bytes.span, at: &position)) } catch {
                throw .index(path: path, "its roots are damaged: \(error)")
            }
        }
        return all
    }
}

/// A transaction, undone unless it is committed.
private final class Transaction {
    let raw: OpaquePointer
    private let path: String
    private var isOver = false

    init(_ environment: OpaquePointer, _ path: String, writes: Bool) throws(BlockFileError) {
        var made: OpaquePointer?
        let code = mdb_txn_begin(environment, nil, writes ? 0 : UInt32(MDB_RDONLY), &made)
        try BlockDatabase.check(code, path, writes ? "write" : "read")
        guard let raw = made else { throw .system(path: path, doing: "read", reason: "no transaction") }
        self.raw = raw
        self.path = path
    }

    deinit { if !isOver { mdb_txn_abort(raw) } }

    func commit() throws(BlockFileError) {
        isOver = true
        try BlockDatabase.check(mdb_txn_commit(raw), path, "write")
    }

    func get(_ key: [UInt8], in table: MDB_dbi) throws(BlockFileError) -> [UInt8]? {
        try value(key, table) { value in
            // Sound: the map holds these bytes until the transaction ends.
            Array(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
        }
    }

    func has(_ key: [UInt8], in table: MDB_dbi) throws(BlockFileError) -> Bool {
        try value(key, table) { _ in true } ?? false
    }

    private func value<R>(
        _ key: [UInt8], _ table: MDB_dbi, _ body: (MDB_val) -> R
    ) throws(BlockFileError) -> R? {
        var found = MDB_val()
        var name = key
        let code = name.withUnsafeMutableBytes { bytes in
            var key = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
            return mdb_get(raw, table, &key, &found)
        }
        if code == MDB_NOTFOUND { return nil }
        try BlockDatabase.check(code, path, "read")
        return body(found)
    }

    func put(_ key: [UInt8], _ data: [UInt8], in table: MDB_dbi) throws(BlockFileError) {
        var (name, content) = (key, data)
        let code = name.withUnsafeMutableBytes { name in
            content.withUnsafeMutableBytes { content in
                var key = MDB_val(mv_size: name.count, mv_data: name.baseAddress)
                var value = MDB_val(mv_size: content.count, mv_data: content.baseAddress)
                return mdb_put(raw, table, &key, &value, 0)
            }
        }
        try BlockDatabase.check(code, path, "write")
    }
}
