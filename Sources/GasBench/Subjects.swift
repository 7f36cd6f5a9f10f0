import CompilePool
import Engine
import Measuring
import NativeEngine

extension NativeModule {
    /// A module without imports, compiled as `smelt run` does it.
    static func compiled(_ wasm: [UInt8], _ pool: CompilePool) throws(BenchError) -> NativeModule {
        let input = CompileInput(name: "kernels", wasm: wasm)
        switch pool.load(code: input.cid, wasm: { wasm }) {
        case .compiled(let actor)?:
            if let reason = actor.baselineReason { throw .notCompiled("not optimised, because \(reason)") }
            do { return try NativeModule(object: actor.object) } catch { throw .engine(error) }
        case .refused(let reason)?: throw .notCompiled("refused: \(reason)")
        case .failed(let failure)?: throw .notCompiled(failure.description)
        case nil: throw .notCompiled("its bytes were lost")
        }
    }

    /// An instance after its start function.
    func started() throws(BenchError) -> any ActorInstance {
        let outcome: GuestOutcome
        let instance: any ActorInstance
        do {
            instance = try makeInstance(handler: NoImports(), limiter: ResourceLimiter(limit: 2 << 30))
            instance.gasCounter = .max
            outcome = try instance.instantiate()
        } catch { throw .engine(error) }
        guard case .returned = outcome else { throw .trapped("start function", outcome.text) }
        return instance
    }
}

extension ActorInstance {
    /// Calls an export with all the gas there is: time of this thread, milligas, result.
    func timed(
        _ export: String, _ arguments: [UInt64]
    ) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64) {
        gasCounter = .max
        let outcome: GuestOutcome
        let start = ThreadClock.now
        do { outcome = try call(export, arguments) } catch { throw .engine(error) }
        let end = ThreadClock.now
        guard case .returned(let results) = outcome else { throw .trapped(export, outcome.text) }
        return (end - start, .max - gasCounter, results.first ?? 0)
    }
}

extension GuestOutcome {
    /// How it ended, for people.
    var text: String {
        switch self {
        case .returned: "returned"
        case .trapped(let trap, _): trap.description
        case .endedByHost: "ended by the host"
        }
    }
}

/// Kernels import nothing.
private final class NoImports: ImportHandler {
    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome { .end }
}
