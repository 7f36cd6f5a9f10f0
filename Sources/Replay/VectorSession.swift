import Bundle
import Engine
import GasSchedule
import IPLD
import Machine
import Primitives

/// One variant of a vector, read once and run as often as one likes, changed or not: what measures and what asks
/// "what if" stand on it.
public struct VectorSession: Sendable {
    /// What reports call it.
    public let name: String
    /// Where it came from, as the user named it.
    public let file: String
    public let networkVersion: NetworkVersion
    /// Its messages.
    public var messages: [VectorMessage] { vector.messages }

    /// Bytes of the blocks it keeps in memory.
    public var bytes: Int { blocks.values.reduce(0) { $0 + $1.count } }

    private(set) var vector: Vector
    let variant: Vector.Variant
    let blocks: [Cid: [UInt8]]
    private(set) var runner: VectorRunner

    init(
        name: String, file: String, _ vector: Vector, _ variant: Vector.Variant, _ blocks: [Cid: [UInt8]],
        _ runner: VectorRunner
    ) {
        self.name = name
        self.file = file
        networkVersion = variant.networkVersion
        self.vector = vector
        self.variant = variant
        self.blocks = blocks
        self.runner = runner
    }

    /// The same on another engine.
    public func with(engine: any ActorEngine) -> VectorSession {
        var changed = self
        changed.runner.engine = engine
        return changed
    }

    /// The same under other prices than its network version has; they must have a price for each of its syscalls, and
    /// what compiled code is charged is decided by the engine.
    public func with(prices: PriceList) -> VectorSession {
        var changed = self
        changed.runner.prices = prices
        return changed
    }

    /// The same without demands.
    public var demandingNothing: VectorSession {
        var changed = self
        changed.vector.postconditions = nil
        return changed
    }

    /// Runs it as it stands and compares with what it demands.
    public func run(observer: (any MessageObserver)? = nil) -> VectorReport {
        runner.run(vector, variant, name: name, file: file, blocks, observer: observer).report
    }

    /// Runs its messages up to one of them, that one with another gas limit; nothing is compared.
    /// - Parameter limit: whole gas. The bytes charged for inclusion change with the length of its encoding.
    public func run(message index: Int, gasLimit limit: UInt64) throws(MessageError) -> VectorReport {
        var changed = vector
        changed.postconditions = nil
        changed.unreadableMessage = nil
        changed.messages = Array(vector.messages[...index])
        changed.messages[index] = try vector.messages[index].limited(to: limit)
        return runner.run(changed, variant, name: name, file: file, blocks, observer: nil).report
    }
}

extension VectorMessage {
    /// The same message with another gas limit; the bytes charged for inclusion change with its encoding's length.
    public func limited(to limit: UInt64) throws(MessageError) -> VectorMessage {
        var changed = message
        changed.gasLimit = limit
        let before = UInt64(try message.encoded().count)
        let after = UInt64(try changed.encoded().count)
        return try VectorMessage(changed, kind: kind, chainLength: chainLength &- before &+ after)
    }
}

/// The vectors a user named, opened one by one.
public struct VectorSessions: Sendable {
    private let sources: [VectorSource]
    private let runner: VectorRunner

    /// What came of opening a vector.
    public enum Opened: Sendable {
        case session(VectorSession)
        /// It cannot be run: unreadable, unsupported, or of another network version than the one asked for.
        case report(VectorReport)
    }

    /// Finds the vectors.
    /// - Parameters:
    ///   - paths: vectors, directories of vectors, `.ndjson` files, or `-` for standard input.
    ///   - networkVersion: only variants of this version; nil is all.
    ///   - bundles: actors' code that vectors lack; later ones win.
    public init(
        _ paths: [String], networkVersion: NetworkVersion? = nil, engine: any ActorEngine, bundles: [ActorBundle]
    ) throws(ReplayError) {
        var blocks = SharedBlocks(codeProvider: { _ in nil })
        for bundle in bundles { blocks.add(bundle.blocks) }
        sources = try VectorSource.discover(paths)
        runner = VectorRunner(engine: engine, blocks: blocks, networkVersion: networkVersion)
    }

    /// How many vectors were found.
    public var count: Int { sources.count }

    /// Reads vector `index`: its variants, each ready to run.
    public func open(_ index: Int) -> [Opened] {
        let source = sources[index]
        let vector: Vector
        let blocks: [Cid: [UInt8]]
        do {
            vector = try Vector(json: try source.read(), file: source.title, name: source.name)
            if let reason = vector.unsupported {
                return [.report(VectorReport(name: vector.name, file: source.title, status: .skipped(reason)))]
            }
            blocks = try VectorRunner.loadBlocks(of: vector, file: source.title)
        } catch {
            return [
                .report(.unreadable(name: source.name ?? source.title, file: source.title, problem: "\(error)"))
            ]
        }
        let several = vector.variants.count > 1
        return vector.variants.map { variant in
            let name = several ? "\(vector.name)__\(variant.id)" : vector.name
            if let wanted = runner.networkVersion, wanted != variant.networkVersion {
                var report = VectorReport(
                    name: name, file: source.title, status: .skipped("\(variant.networkVersion) is not \(wanted)"))
                report.isOtherVersion = true
                return .report(report)
            }
            return .session(
                VectorSession(name: name, file: source.title, vector, variant, blocks, runner))
        }
    }
}
