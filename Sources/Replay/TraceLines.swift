import Kernel
import Machine
import Primitives
import Syscalls

/// Follows the messages of a vector while they run.
public protocol MessageObserver: TraceSink {
    /// The vector's state is open; `names` tells what its actors are called.
    func begin(names: ActorNames)
    /// - Parameter index: of the message in its vector.
    func begin(message index: Int)
    /// The message has its receipt; what follows is not part of it.
    func stop()
    /// - Parameter report: what came of the message stopped last.
    func end(message index: Int, _ report: MessageReport)
}

extension MessageObserver {
    public func begin(names: ActorNames) {}
    public func stop() {}
    public func end(message index: Int, _ report: MessageReport) {}
}

/// What the actors of a state are called.
public struct ActorNames {
    let manifest: BuiltinManifest
    let actors: Int

    /// Of the actors of a machine's state.
    public init(_ machine: Machine) {
        manifest = machine.manifest
        actors = BuiltinMethods.actorsVersion(machine.manifest, machine.network.profile.version)
    }

    /// The manifest's name of the actor with this code; nil for one that is not built in.
    public func actor(_ code: Cid) -> String? { manifest.name(of: code) }

    /// What an actor with this code calls a method; nil where nobody knows.
    public func method(_ number: UInt64, of code: Cid) -> String? {
        BuiltinMethods.name(number, kind: manifest.name(of: code), actors: actors)
    }
}

/// Hands on all that it is told to several observers.
public final class TraceFan: MessageObserver {
    private let observers: [any MessageObserver]

    public init(_ observers: [any MessageObserver]) { self.observers = observers }

    public func begin(names: ActorNames) { for observer in observers { observer.begin(names: names) } }
    public func begin(message index: Int) { for observer in observers { observer.begin(message: index) } }
    public func stop() { for observer in observers { observer.stop() } }
    public func end(message index: Int, _ report: MessageReport) {
        for observer in observers { observer.end(message: index, report) }
    }
    public func record(_ event: TraceEvent) { for observer in observers { observer.record(event) } }
    public func begin(_ stage: ExecutionStage) { for observer in observers { observer.begin(stage) } }
    public func enter(_ syscall: Syscall) { for observer in observers { observer.enter(syscall) } }
    public func ranOut(taken: UInt64) { for observer in observers { observer.ranOut(taken: taken) } }
}

/// Takes the events of a vector's messages as the lines of a golden trace: compared with one as they come, written to a
/// file, or both. It keeps one line.
public final class TraceLines: MessageObserver {
    private var comparison: TraceComparison?
    private let file: TraceFile?
    private var line: [UInt8] = []

    public init(golden: [UInt8]?, file: TraceFile?) {
        comparison = golden.map { TraceComparison(golden: $0) }
        self.file = file
    }

    /// Starts the trace of a message.
    public func begin(message index: Int) {
        line.removeAll(keepingCapacity: true)
        TraceFormat.append(message: index, to: &line)
        comparison?.begin(message: index, line: line)
        file?.append(line)
    }

    public func record(_ event: TraceEvent) {
        if file == nil, comparison?.difference != nil { return }
        line.removeAll(keepingCapacity: true)
        TraceFormat.append(event, to: &line)
        comparison?.compare(line, event)
        file?.append(line)
    }

    /// How the trace compares, now that it has ended; nil where there was nothing to compare with.
    func status() -> VectorReport.TraceStatus? {
        guard comparison != nil else { return nil }
        comparison?.finish()
        return comparison?.difference.map { .different($0) } ?? .equal
    }
}

/// A file that a trace is written to as it comes. It gets its name when it is whole.
public final class TraceFile {
    private var draft: Files.Draft
    private var buffer: [UInt8] = []
    /// The first failure; what comes after it is dropped.
    private var failure: FileError?

    public init(path: String) throws(FileError) { draft = try Files.Draft(path: path) }

    func append(_ bytes: [UInt8]) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { write() }
    }

    private func write() {
        if failure == nil { do throws(FileError) { try draft.append(buffer) } catch { failure = error } }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Ends the file, which stays only when the trace is complete.
    public func finish(complete: Bool) throws(FileError) {
        write()
        guard failure == nil, complete else {
            draft.discard()
            if let failure { throw failure }
            return
        }
        try draft.commit()
    }
}
