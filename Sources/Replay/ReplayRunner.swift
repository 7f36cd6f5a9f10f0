import Bundle
import Engine
import GasSchedule
import Primitives
import Synchronization

/// What a replay is asked to do.
public struct ReplayOptions: Sendable {
    /// Vectors, directories of vectors, `.ndjson` files, or `-` for standard input.
    public var paths: [String]
    /// Threads that run vectors, at least 1.
    public var jobs: Int
    /// How often each vector runs, at least 1; times are the fastest.
    public var rounds: Int
    /// Only variants of this network version; nil is all.
    public var networkVersion: NetworkVersion?
    /// Where traces are written as `NAME.trace.jsonl`; nil is nowhere.
    public var traceDirectory: String?
    /// Where golden traces lie, apart from beside their vectors.
    public var goldenDirectory: String?
    /// Whether the first failure ends the replay.
    public var failFast: Bool
    /// The part of the vectors that runs; nil is all.
    public var shard: Shard?
    /// Whether each message is shown as Lotus shows it.
    public var lotus = false
    /// Whether a vector that was skipped counts as a failure.
    public var requireAll = false
    /// Where vectors are written with what came of them: a file for a file of one vector, else a folder.
    public var blessOutput: String?
    /// Where each message is written as a vector of its own.
    public var extractDirectory: String?

    public init(
        paths: [String], jobs: Int = 1, rounds: Int = 1, networkVersion: NetworkVersion? = nil,
        traceDirectory: String? = nil,
        goldenDirectory: String? = nil, failFast: Bool = false
    ) {
        self.paths = paths
        self.jobs = jobs
        self.rounds = rounds
        self.networkVersion = networkVersion
        self.traceDirectory = traceDirectory
        self.goldenDirectory = goldenDirectory
        self.failFast = failFast
    }
}

/// Why a replay could not be made at all; a vector that fails is no such error.
public enum ReplayError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the user named is not there or not what it should be.
    case input(String)
    /// What the user asked for cannot be meant.
    case usage(String)
    /// A failure of this machine.
    case local(String)

    public var description: String {
        switch self {
        case .input(let text), .usage(let text), .local(let text): text
        }
    }
}

/// Replays vectors: finds, runs and compares them, several at once, and reports in their order.
public struct ReplayRunner: Sendable {
    private let options: ReplayOptions
    private let sources: [VectorSource]
    /// Places of `sources` among all that were named.
    private let positions: [Int]
    /// How many vectors were named, those of other shards too.
    public let total: Int
    private let runner: VectorRunner
    private let written = WrittenTraces()
    private let blessed: VectorOutput?
    private let extracted: VectorOutput?

    /// Names under which traces were written: a second one of a name would replace the first.
    private final class WrittenTraces: Sendable {
        let names = Mutex<Set<String>>([])
    }

    /// Finds the vectors and reads the bundles.
    /// - Parameters:
    ///   - bundles: contents of the actor bundles named, in the order in which later ones win.
    ///   - codeProvider: gives the WASM of a code CID that neither vector nor bundles have.
    public init(
        _ options: ReplayOptions, engine: any ActorEngine, bundles: [ActorBundle],
        codeProvider: @escaping @Sendable (Cid) -> [UInt8]? = { _ in nil }
    ) throws(ReplayError) {
        var blocks = SharedBlocks(codeProvider: codeProvider)
        for bundle in bundles {
            blocks.add(bundle.blocks)
        }
        if let version = options.networkVersion {
            do throws(NetworkProfileError) {
                _ = try NetworkProfile.forVersion(version)
            } catch { throw .input(error.description) }
        }
        self.options = options
        let all = try VectorSource.discover(options.paths)
        total = all.count
        positions = all.indices.filter { options.shard?.contains($0) ?? true }
        let sources = positions.map { all[$0] }
        self.sources = sources
        blessed = try options.blessOutput.map { (path) throws(ReplayError) in
            try VectorOutput(
                path, option: "--bless", sources: sources, mayBeFile: VectorSource.isOne(options.paths, sources))
        }
        extracted = try options.extractDirectory.map { (path) throws(ReplayError) in
            try VectorOutput(path, option: "--extract", sources: sources, mayBeFile: false)
        }
        runner = VectorRunner(
            engine: engine, blocks: blocks, networkVersion: options.networkVersion, rounds: options.rounds,
            lotus: options.lotus)
        if let directory = options.goldenDirectory {
            let kind: Files.Kind
            do throws(FileError) { kind = try Files.kind(of: directory) } catch { throw .input(error.description) }
            guard kind == .directory else { throw .input("\(directory): not a directory") }
        }
        if let directory = options.traceDirectory {
            do throws(FileError) { try Files.makeDirectory(directory) } catch { throw .local(error.description) }
        }
    }

    /// How many vectors were found.
    public var count: Int { sources.count }

    /// The order in which vectors are begun: the longest files first, so that threads end together.
    private var order: [Int] {
        guard options.jobs > 1, !options.failFast else { return Array(sources.indices) }
        let sizes = sources.map(\.size)
        return sources.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    }

    /// Runs all; `report` gets each result in the order of the vectors, on the calling thread.
    public func run(_ report: (VectorReport) -> Void) throws(ReplayError) -> ReplaySummary {
        var summary = ReplaySummary()
        try WorkerThreads.run(order: order, threads: options.jobs, work: replay) { reports in
            for result in reports {
                summary.add(result)
                report(result)
            }
            return !(options.failFast && summary.failed > 0)
        }
        return summary
    }

    private func replay(_ index: Int) -> [VectorReport] {
        var reports = reports(of: sources[index])
        guard options.shard != nil else { return reports }
        for at in reports.indices { reports[at].position = positions[index] }
        return reports
    }

    private func reports(of source: VectorSource) -> [VectorReport] {
        let clock = ExecutionClock()
        let json: [UInt8]
        let vector: Vector
        do {
            json = try source.read()
            vector = try Vector(json: json, file: source.title, name: source.name)
        } catch {
            return [.unreadable(name: source.name ?? source.title, file: source.title, problem: "\(error)")]
        }
        var outcomes = runner.run(
            vector, file: source.title, reading: clock,
            golden: { (name) throws(FileError) in try goldenTrace(name, source) }, output: traceFile)
        if let extracted {
            for index in outcomes.indices where outcomes[index].report.postconditions != nil {
                do {
                    for message in try runner.extract(vector, vector.variants[index], outcomes[index].report) {
                        try extracted.write(try message.encoded(), name: message.name)
                    }
                } catch { outcomes[index].report.fail(writing: "messages not extracted", error) }
            }
        }
        if let blessed, outcomes.contains(where: { $0.report.postconditions != nil }) {
            do {
                let vector = try vector.withResults(of: outcomes)
                try blessed.write(try vector.encoded(into: json, file: source.title), name: vector.name)
            } catch {
                for index in outcomes.indices { outcomes[index].report.fail(writing: "vector not written", error) }
            }
        }
        return outcomes.map(\.report)
    }

    /// The trace of a name in the directory of golden traces, else beside the vector.
    private func goldenTrace(_ name: String, _ source: VectorSource) throws(FileError) -> [UInt8]? {
        let baseName = name.split(separator: "/").last.map(String.init) ?? name
        let places = [
            (options.goldenDirectory, name), (source.directory, baseName),
        ]
        for (directory, name) in places {
            guard let directory, Self.isPathBelow(name) else { continue }
            let path = "\(directory)/\(name).trace.jsonl"
            if Files.exists(path) { return try Files.read(path) }
        }
        return nil
    }

    /// Opens the file for the trace of a vector; nil where none is wanted.
    private func traceFile(_ name: String) throws -> TraceFile? {
        guard let directory = options.traceDirectory else { return nil }
        guard Self.isPathBelow(name) else { throw TraceNameError(reason: "\"\(name)\" cannot be the name of a file") }
        guard written.names.withLock({ $0.insert(name).inserted }) else {
            throw TraceNameError(reason: "another vector is called \"\(name)\" too")
        }
        let path = "\(directory)/\(name).trace.jsonl"
        if let slash = path.lastIndex(of: "/") { try Files.makeDirectory(String(path[..<slash])) }
        return try TraceFile(path: path)
    }

    private struct TraceNameError: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }

    /// Names come from files of strangers: one that leads upwards could point anywhere.
    static func isPathBelow(_ name: String) -> Bool {
        name.utf8.count <= 1000 && !name.utf8.contains(0)
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.utf8.count <= 200 && !part.hasPrefix(".")
            }
    }
}

extension VectorReport {
    /// Notes why something was not written; a run that failed or was skipped stays what it was.
    fileprivate mutating func fail(writing what: String, _ error: any Error) {
        guard problem == nil, postconditions != nil else { return }
        fail("\(what): \(error)", local: error is FileError)
    }
}
