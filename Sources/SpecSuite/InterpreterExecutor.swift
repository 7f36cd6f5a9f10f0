import Engine
import Metering
import WasmFormat
import WasmReference

/// Runs scripts with the reference interpreter.
public final class InterpreterExecutor: SuiteExecutor {
    public let name = "interpreter"

    private var store: Store?
    private var instances: [LinkedInstance] = []
    private var registered: [Name: LinkedInstance] = [:]

    public init() {}

    public func begin() throws(SuiteFailure) {
        instances = []
        registered = [:]
        do { store = try Store(limiter: ResourceLimiter(limit: UInt64.max), limits: .suite) } catch {
            throw SuiteFailure("\(error)")
        }
        try Spectest.define(in: self)
    }

    public func instantiate(_ module: AnalyzedModule, bytes: [UInt8]) -> InstantiationOutcome {
        guard let store else { return .failed("no script was begun") }
        let code: FlatCode
        do throws(TranslationFault) { code = try FlatCode(module.module, plan: module.plan) } catch {
            return .failed(error.description)
        }
        let imports: [ExternalValue]
        do throws(LinkFailure) {
            imports = try store.resolve(code) { module, name in
                registered[module]?.export(name)
            }
        } catch {
            return .unlinkable(error.module, error.description)
        }
        do {
            let (instance, outcome) = try store.instantiate(code, imports: imports, gas: Int64.max)
            instances.append(instance)
            switch outcome {
            case .returned: return .instance(instances.count - 1)
            case .trapped(let trap, _): return .trapped(trap)
            case .endedByHost: return .failed("the host ended the start function")
            }
        } catch { return .failed("\(error)") }
    }

    public func register(_ name: Name, instance: Int) { registered[name] = instances[instance] }

    public func invoke(_ field: Name, arguments: [UInt64], instance: Int) -> ActionOutcome {
        let instance = instances[instance]
        instance.gasCounter = Int64.max
        do {
            switch try instance.call(field, arguments) {
            case nil: return .missing
            case .returned(let slots): return .returned(slots, spent: Int64.max - instance.gasCounter)
            case .trapped(let trap, _): return .trapped(trap, spent: Int64.max - instance.gasCounter)
            case .endedByHost: return .failed("the host ended the call")
            }
        } catch { return .failed("\(error)") }
    }

    public func global(_ field: Name, instance: Int) -> ActionOutcome {
        guard case .global(let global) = instances[instance].export(field) else { return .missing }
        return .returned([global.value], spent: 0)
    }
}
