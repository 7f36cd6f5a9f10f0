import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// Runs vectors; one value serves all threads.
struct VectorRunner: Sendable {
    let engine: any ActorEngine
    let blocks: SharedBlocks
    /// Only variants of this version run; nil runs all.
    let networkVersion: NetworkVersion?
    /// Whether traces are wanted even where there is no golden one.
    let writesTraces: Bool
    /// How often each vector runs, at least 1.
    var rounds = 1

    /// What a run leaves behind.
    struct Run {
        var report: VectorReport
        /// The trace as text; nil when it was not asked for or there was no execution.
        var trace: [UInt8]?
    }

    /// Runs all variants, each on its own copy of the blocks.
    /// - Parameter golden: the trace to compare with; used for vectors with a single variant.
    func run(_ vector: Vector, file: String, golden: [UInt8]?) -> [Run] {
        let several = vector.variants.count > 1
        if let reason = vector.unsupported {
            return [Run(report: VectorReport(name: vector.name, file: file, status: .skipped(reason)))]
        }
        let blocks: [Cid: [UInt8]]
        do throws(VectorError) {
            blocks = try Self.loadBlocks(of: vector, file: file)
        } catch {
            return [Run(report: .unreadable(name: vector.name, file: file, problem: error.description))]
        }
        return vector.variants.map { variant in
            let name = several ? "\(vector.name)__\(variant.id)" : vector.name
            var report = VectorReport(name: name, file: file, status: .passed)
            report.networkVersion = variant.networkVersion
            report.epoch = variant.epoch
            if let networkVersion, networkVersion != variant.networkVersion {
                report.status = .skipped("\(variant.networkVersion) is not \(networkVersion)")
                report.isOtherVersion = true
                return Run(report: report)
            }
            return runRounds(vector, variant, report, blocks, golden: several ? nil : golden)
        }
    }

    /// Runs a variant as often as asked, each time on its own machine: the first failure, or the fastest times.
    private func runRounds(
        _ vector: Vector, _ variant: Vector.Variant, _ initial: VectorReport, _ blocks: [Cid: [UInt8]],
        golden: [UInt8]?
    ) -> Run {
        var fastest = run(vector, variant, initial, blocks, golden: golden)
        for _ in 1..<max(1, rounds) where fastest.report.status == .passed {
            let again = run(vector, variant, initial, blocks, golden: golden)
            guard again.report.status == .passed else { return again }
            for (index, message) in again.report.messages.enumerated() {
                fastest.report.messages[index].shorten(message)
            }
        }
        return fastest
    }

    private static func loadBlocks(of vector: Vector, file: String) throws(VectorError) -> [Cid: [UInt8]] {
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

    private func run(
        _ vector: Vector, _ variant: Vector.Variant, _ initial: VectorReport, _ blocks: [Cid: [UInt8]],
        golden: [UInt8]?
    ) -> Run {
        var run = Run(report: initial)
        let profile: NetworkProfile
        do throws(NetworkProfileError) {
            profile = try NetworkProfile.executable(variant.networkVersion)
        } catch {
            if case .notExecutable = error {
                run.report.status = .skipped(error.description)
            } else {
                run.report.fail(error.description)
            }
            return run
        }
        do {
            let machine = try Machine(
                network: NetworkFacts(
                    profile: profile, epoch: variant.epoch,
                    timestamp: vector.environment.timestamp
                        ?? UInt64(clamping: variant.epoch).multipliedSaturating(by: 30),
                    baseFee: vector.environment.baseFee,
                    circulatingSupply: vector.environment.circulatingSupply,
                    chainID: vector.environment.chainID),
                stateRoot: vector.preStateRoot, store: ReplayBlockstore(blocks, shared: self.blocks),
                engine: engine, externs: ReplayExterns(randomness: vector.randomness),
                traces: writesTraces || golden != nil)
            try execute(vector, on: machine, golden: golden, &run)
        } catch StateError.missingBlock(let cid, BuiltinManifest.title) {
            run.report.fail("\(BuiltinManifest.title) \(cid) is neither in the vector nor in a bundle named")
        } catch let error as StateError {
            run.report.fail(error.description, local: error.isLocal)
        } catch let error as ApplyError {
            if case .local = error { run.report.isLocalFailure = true }
            run.report.fail(error.description, local: run.report.isLocalFailure)
        } catch {
            run.report.fail("\(error)")
        }
        return run
    }

    private func execute(_ vector: Vector, on machine: Machine, golden: [UInt8]?, _ run: inout Run) throws {
        let executor = Executor(machine)
        var comparison = golden.map { TraceComparison(golden: $0) }
        if writesTraces { run.trace = [] }

        for (index, entry) in vector.messages.enumerated() {
            let loadedBefore = machine.codeLoading
            let clock = ExecutionClock()
            let result: ApplyResult
            do throws(ApplyError) {
                result = try executor.apply(entry.message, kind: entry.kind, chainLength: entry.chainLength)
            } catch {
                run.report.problem = "message \(index)"
                throw error
            }
            let time = clock.elapsed - (machine.codeLoading - loadedBefore)
            run.report.messages.append(
                MessageReport(
                    exitCode: result.receipt.exitCode, gasUsed: result.receipt.gasUsed,
                    nanoseconds: time.wall.nanoseconds, processorNanoseconds: time.processor.nanoseconds,
                    failure: result.failure))

            var compared = ReceiptComparison(message: index)
            compared.compare(vector.receipts[index], result.receipt)
            if let events = vector.events { compared.compare(events[index], result.events) }
            if let outputs = vector.gasOutputs { compared.compare(outputs[index], result.gas) }
            run.report.mismatches += compared.mismatches

            comparison?.begin(message: index)
            for event in result.trace { comparison?.compare(event) }
            if writesTraces {
                run.trace?.append(contentsOf: TraceFormat.message(index))
                for event in result.trace { TraceFormat.append(event, to: &run.trace!) }
            }
        }

        let root = try machine.flush()
        if root != vector.postStateRoot {
            run.report.mismatches.append(
                Mismatch(
                    message: nil, field: "state root", expected: vector.postStateRoot.text, got: root.text))
        }
        comparison?.finish()
        if let comparison {
            run.report.trace = comparison.difference.map { .different($0) } ?? .equal
        }
        if !run.report.mismatches.isEmpty || comparison?.difference != nil { run.report.status = .failed }
    }
}

extension VectorReport {
    /// Notes why a run could not come to its end; an earlier note says where it was.
    mutating func fail(_ reason: String, local: Bool = false) {
        status = .failed
        problem = problem.map { "\($0): \(reason)" } ?? reason
        isLocalFailure = local
    }
}

extension Duration {
    /// Whole nanoseconds, 0 for negative durations.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds).multipliedSaturating(by: 1_000_000_000)
            .addingSaturating(UInt64(clamping: attoseconds / 1_000_000_000))
    }
}
