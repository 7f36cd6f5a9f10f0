import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// Applies messages to a state in any store, outside of a vector.
public struct StateApplication {
    private let engine: any ActorEngine
    private let environment: Vector.Environment
    private let variant: Vector.Variant

    public init(engine: any ActorEngine, environment: Vector.Environment, variant: Vector.Variant) {
        self.engine = engine
        self.environment = environment
        self.variant = variant
    }

    /// Applies messages one after another and flushes.
    ///
    /// - Parameters:
    ///   - root: of the state before them.
    ///   - store: has the state, and gets what is new.
    ///   - file: for complaints.
    /// - Returns: status `ran` with a receipt for each message and the new state root, or a problem.
    public func apply(
        _ messages: [VectorMessage], root: Cid, store: any Blockstore, file: String
    ) -> VectorReport {
        var report = VectorReport(name: variant.id, file: file, status: .ran)
        report.networkVersion = variant.networkVersion
        report.epoch = variant.epoch
        let externs = ReplayExterns(randomness: [])
        do {
            let machine = try Machine(
                network: try environment.facts(variant),
                stateRoot: root, store: store, engine: engine, externs: externs)
            report.manifest = machine.manifest.cid
            report.priceList = machine.network.prices.id.rawValue
            let executor = Executor(machine)
            for (index, entry) in messages.enumerated() {
                do throws(ApplyError) { report.messages.append(try executor.measured(entry).report) } catch {
                    report.problem = "message \(index)"
                    throw error
                }
            }
            report.stateRoot = try machine.flush()
        } catch {
            report.fail(error)
        }
        report.answered = externs.answered
        return report
    }
}
