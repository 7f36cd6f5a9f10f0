import BlockFiles
import CommandTable
import IPLD
import JSON
import Primitives

/// `smelt chain import`: blocks of archives into a database.
enum ChainImportCommand {
    /// Bytes of blocks that are written at once.
    private static let batch = 64 << 20

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard let target = arguments.value("into") else { throw CommandFailure(.usage, "import needs --into") }
        let progress = Progress(enabled: !arguments.has("quiet"))
        defer { progress.finish() }
        // Opened before the first byte is written: a file that is no archive leaves nothing behind.
        let archives = try arguments.positionals.map { (path) throws(CommandFailure) in
            guard !BlockDatabase.isThere(path) else {
                throw CommandFailure(.badInput, "\(path): is a database already; blocks are imported from archives")
            }
            return try ArchiveInput.openFile(path, progress: progress)
        }
        let database: BlockDatabase
        do throws(BlockFileError) { database = try BlockDatabase(path: target, creates: true) } catch {
            throw CommandFailure(error)
        }
        var (blocks, bytes) = (0, 0)
        for archive in archives {
            var pending: [(cid: Cid, data: [UInt8])] = []
            var size = 0
            do {
                let hear = { (step: CarArchive.Progress) in
                    progress.update("\(archive.path): \(step.done >> 20) of \(step.total >> 20) MiB")
                }
                try archive.forEachSection(progress: hear) { section in
                    guard section.cid.verifies(section.data) != false else {
                        throw BlockFileError.damaged(path: archive.path, section.cid)
                    }
                    pending.append((section.cid, section.data))
                    (blocks, bytes, size) = (blocks + 1, bytes + section.data.count, size + section.data.count)
                    guard size >= batch else { return true }
                    try database.add(pending)
                    pending = []
                    size = 0
                    return true
                }
                try database.add(pending, roots: archive.path == archives[0].path ? archives[0].roots : nil)
            } catch let error as BlockFileError {
                throw CommandFailure(error)
            } catch { throw CommandFailure(.internalError, "\(error)") }
        }
        progress.finish()
        let total: Int
        do throws(BlockFileError) { total = try database.count } catch { throw CommandFailure(error) }
        try Output.report(
            .object([
                "schema": .string("smelt.chain.import/1"), "database": .string(target),
                "blocks": .integer(blocks), "bytes": .integer(bytes), "blocks_in_database": .integer(total),
            ]), json: arguments.value("format") == "json")
        return .success
    }
}
