import Drafts
import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// Runs vectors; one value serves all threads.
struct VectorRunner: Sendable {
    var engine: any ActorEngine
    let blocks: SharedBlocks
    /// Only variants of this version run; nil runs all.
    let networkVersion: NetworkVersion?
    /// How often each vector runs, at least 1.
    var rounds = 1
    /// Whether each message is shown as Lotus shows it.
    var lotus = false
    /// Whether an outcome says which blocks were asked for.
    var notesReads = false
    /// Prices in the place of those of the network version.
    var prices: PriceList?

    /// Where the events of a run go.
    private struct Sinks {
        var lines: TraceLines?
        var lotus: LotusTrace?
        var observer: (any MessageObserver)?

        /// All of them as one; nil without any, and without a detour where there is one.
        var all: (any MessageObserver)? {
            let all = [lines, lotus, observer].compactMap { $0 as (any MessageObserver)? }
            return all.count > 1 ? TraceFan(all) : all.first
        }
    }

    /// Where a vector's trace goes, besides comparison.
    typealias TraceOutput = (_ name: String) throws -> TraceFile?

    /// Where a trace to compare with is looked up.
    typealias GoldenTraces = (_ name: String) throws(FileError) -> [UInt8]?

    /// A variant's run.
    struct Outcome {
        var report: VectorReport
        /// What the vector brought and the run wrote; empty where it did not run.
        var blocks: [Cid: [UInt8]] = [:]
        /// Those of them that the run asked for; empty unless that was to be noted.
        var asked: Set<Cid> = []
    }

    /// Runs all variants, each on its own copy of the blocks.
    /// - Parameters:
    ///   - reading: since when the vector is read.
    ///   - golden: the trace of a name to compare with; nil is none.
    ///   - output: opens the file for the trace of a name; nil is none.
    func run(
        _ vector: Vector, file: String, reading: ExecutionClock = ExecutionClock(),
        golden: GoldenTraces = { (_) throws(FileError) in nil },
        output: TraceOutput = { _ in nil }
    ) -> [Outcome] {
        let several = vector.variants.count > 1
        if let reason = vector.unsupported {
            return [Outcome(report: VectorReport(name: vector.name, file: file, status: .skipped(reason)))]
        }
        let blocks: [Cid: [UInt8]]
        do throws(VectorError) {
            blocks = try Self.loadBlocks(of: vector, file: file)
        } catch {
            return [Outcome(report: .unreadable(name: vector.name, file: file, problem: error.description))]
        }
        let read = reading.elapsed.processor.nanoseconds
        return vector.variants.enumerated().map { index, variant in
            let name = several ? "\(vector.name)__\(variant.id)" : vector.name
            var report = VectorReport(name: name, file: file, status: .passed)
            report.readingNanoseconds = index == 0 ? read : 0
            report.networkVersion = variant.networkVersion
            report.epoch = variant.epoch
            if let networkVersion, networkVersion != variant.networkVersion {
                report.status = .skipped("\(variant.networkVersion) is not \(networkVersion)")
                report.isOtherVersion = true
                return Outcome(report: report)
            }
            do throws(FileError) {
                var trace = try golden(name)
                if several, trace == nil, try golden(vector.name) != nil {
                    report.trace = .ignored("the vector has several variants; a trace of this one is called \(name)")
                    trace = nil
                }
                return runRounds(vector, variant, report, blocks, golden: trace, output)
            } catch {
                return Outcome(report: .unreadable(name: name, file: file, problem: error.description))
            }
        }
    }

    /// Runs a variant as often as asked, each time on its own machine: the first failure, or the fastest times. Only
    /// the first run is traced.
    private func runRounds(
        _ vector: Vector, _ variant: Vector.Variant, _ initial: VectorReport, _ blocks: [Cid: [UInt8]],
        golden: [UInt8]?, _ output: TraceOutput
    ) -> Outcome {
        var file: TraceFile?
        do { file = try output(initial.name) } catch {
            var report = initial
            report.fail("no trace written: \(error)", local: error is FileError)
            report.isBadInput = !report.isLocalFailure
            return Outcome(report: report)
        }
        let trace = Sinks(
            lines: golden != nil || file != nil ? TraceLines(golden: golden, file: file) : nil,
            lotus: lotus ? LotusTrace() : nil)
        var first = Outcome(report: initial)
        if let file {
            // A program told to end lets the file become whole or go away.
            first = Drafts.write {
                var outcome = run(vector, variant, initial, blocks, trace)
                do { try file.finish(complete: outcome.report.problem == nil) } catch {
                    outcome.report.fail("no trace written: \(error)", local: true)
                }
                return outcome
            }
        } else {
            first = run(vector, variant, initial, blocks, trace)
        }
        for _ in 1..<max(1, rounds) where first.report.status != .failed {
            let again = run(vector, variant, initial, blocks, Sinks())
            guard again.report.status != .failed else { return again }
            for (index, message) in again.report.messages.enumerated() {
                first.report.messages[index].shorten(message)
            }
        }
        return first
    }

    static func loadBlocks(of vector: Vector, file: String) throws(VectorError) -> [Cid: [UInt8]] {
        let car: Car
        do throws(CarError) {
            car = try Car.read(vector.car)
        } catch {
            throw VectorError(file: file, field: "car", reason: "\(error)")
        }
        guard car.roots.contains(vector.preStateRoot) else {
            throw VectorError(
                file: file, field: "car",
                reason: "pre-state root \(vector.preStateRoot) is not among the roots")
        }
        var blocks: [Cid: [UInt8]] = [:]
        for block in car.blocks { blocks[block.cid] = block.data }
        return blocks
    }

    /// The machine a variant's messages run on, at a state of the vector's.
    func machine(
        _ vector: Vector, _ variant: Vector.Variant, stateRoot: Cid, _ store: ReplayBlockstore,
        _ externs: ReplayExterns,
        trace: (any TraceSink)? = nil
    ) throws -> Machine {
        var network = try vector.environment.facts(variant)
        if let prices { network.prices = prices }
        return try Machine(
            network: network,
            stateRoot: stateRoot, store: store, engine: engine, externs: externs, trace: trace)
    }

    /// Runs a vector whose blocks are at hand, and its archive not looked at.
    func run(_ vector: Vector, _ variant: Vector.Variant, _ blocks: [Cid: [UInt8]]) -> Outcome {
        run(vector, variant, VectorReport(name: vector.name, file: vector.name, status: .passed), blocks, Sinks())
    }

    /// The same with somebody who follows it.
    func run(
        _ vector: Vector, _ variant: Vector.Variant, name: String, file: String, _ blocks: [Cid: [UInt8]],
        observer: (any MessageObserver)?
    ) -> Outcome {
        run(vector, variant, VectorReport(name: name, file: file, status: .passed), blocks, Sinks(observer: observer))
    }

    private func run(
        _ vector: Vector, _ variant: Vector.Variant, _ initial: VectorReport, _ blocks: [Cid: [UInt8]],
        _ sinks: Sinks
    ) -> Outcome {
        var report = initial
        let store = ReplayBlockstore(blocks, shared: self.blocks)
        if notesReads { store.asked = [] }
        let externs = ReplayExterns(vector)
        let observer = sinks.all
        do {
            let machine = try machine(
                vector, variant, stateRoot: vector.preStateRoot, store, externs, trace: observer)
            observer?.begin(names: ActorNames(machine))
            report.manifest = machine.manifest.cid
            report.priceList = machine.network.prices.id.rawValue
            try execute(vector, on: machine, store, sinks, observer, &report)
        } catch {
            report.fail(error)
        }
        report.answered = externs.answered
        report.missing = .init(blocks: store.missed, randomness: externs.unrecorded)
        return Outcome(report: report, blocks: store.own, asked: store.asked ?? [])
    }

    private func execute(
        _ vector: Vector, on machine: Machine, _ store: any Blockstore, _ sinks: Sinks,
        _ observer: (any MessageObserver)?, _ report: inout VectorReport
    ) throws {
        let executor = Executor(machine)
        for (index, entry) in vector.messages.enumerated() {
            observer?.begin(message: index)
            let message: MessageReport
            let result: ApplyResult
            do throws(ApplyError) {
                (message, result) = try executor.measured(entry) { observer?.stop() }
            } catch {
                report.problem = "message \(index)"
                throw error
            }
            observer?.end(message: index, message)
            report.messages.append(message)
            if let lotus = sinks.lotus {
                report.lotus.append(
                    lotus.result(entry.message, cid: entry.cid, result, nanoseconds: message.nanoseconds))
            }

            var compared = ReceiptComparison(message: index)
            if let demanded = vector.postconditions {
                compared.compare(demanded.receipts[index], result.receipt)
                if let events = demanded.events { compared.compare(events[index], result.events) }
                if let outputs = demanded.gasOutputs { compared.compare(outputs[index], result.gas) }
            }
            report.mismatches += compared.mismatches
        }

        if let unreadable = vector.unreadableMessage {
            report.fail(unreadable.description)
            report.isBadInput = true
            return
        }
        let root = try machine.flush()
        report.stateRoot = root
        if let demanded = vector.postconditions?.stateRoot, root != demanded {
            report.mismatches += Self.differences(demanded, root, store)
            report.mismatches.append(
                Mismatch(message: nil, field: "state root", expected: demanded.text, got: root.text))
        }
        if vector.postconditions == nil { report.status = .ran }
        if let status = sinks.lines?.status() { report.trace = status }
        if case .different = report.trace { report.status = .failed }
        if !report.mismatches.isEmpty { report.status = .failed }
    }

    /// Where the state differs from the one demanded, by actor and field; nothing where the vector does not have enough
    /// of that one to tell.
    private static func differences(_ expected: Cid, _ got: Cid, _ store: any Blockstore) -> [Mismatch] {
        let differences = try? StateDifference.between(expected, got, in: store)
        return (differences ?? []).flatMap { difference in
            difference.fields.map { field in
                Mismatch(
                    message: nil, field: "actor f0\(difference.id), \(field.name)", expected: field.first,
                    got: field.second)
            }
        }
    }
}

extension VectorReport {
    /// Notes what a run ended with instead of its end.
    mutating func fail(_ error: any Error) {
        switch error {
        case StateError.missingBlock(let cid, BuiltinManifest.title):
            fail("\(BuiltinManifest.title) \(cid) is neither in the vector nor in a bundle named")
            isBadInput = true
        case let error as StateError:
            fail(error.description, local: error.isLocal)
            isBadInput = !error.isLocal
        case let error as NetworkProfileError:
            fail(error.description)
            isBadInput = true
        case ApplyError.state(let reason):
            fail(ApplyError.state(reason).description)
            isBadInput = true
        case let error as ApplyError:
            if case .local = error { fail(error.description, local: true) } else { fail(error.description) }
        default: fail("\(error)")
        }
    }

    /// Notes why a run could not come to its end; an earlier note says where it was.
    mutating func fail(_ reason: String, local: Bool = false) {
        status = .failed
        problem = problem.map { "\($0): \(reason)" } ?? reason
        isLocalFailure = local
    }
}

extension Duration {
    /// Whole nanoseconds, 0 for negative durations.
    public var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds).multipliedSaturating(by: 1_000_000_000)
            .addingSaturating(UInt64(clamping: attoseconds / 1_000_000_000))
    }
}
