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
    private var spectest: [Name: ExternalValue] = [:]

    public init() {}

    public func begin() throws(SuiteFailure) {
        instances = []
        registered = [:]
        do {
            let store = try Store(limiter: ResourceLimiter(limit: UInt64.max), limits: .suite)
            spectest = try Self.makeSpectest(in: store)
            self.store = store
        } catch { throw SuiteFailure("\(error)") }
    }

    public func instantiate(_ module: AnalyzedModule, bytes: [UInt8]) -> InstantiationOutcome {
        guard let store else { return .failed("no script was begun") }
        let code = FlatCode(module.module, plan: module.plan)
        let imports: [ExternalValue]
        do throws(LinkFailure) {
            imports = try store.resolve(code) { module, name in
                if let instance = registered[module] { return instance.export(name) }
                return module == Name("spectest") ? spectest[name] : nil
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

    // MARK: The suite's host module

    private static func makeSpectest(in store: Store) throws(EngineError) -> [Name: ExternalValue] {
        let handler = PrintHandler()
        var exports: [Name: ExternalValue] = [:]
        for (name, parameters) in Spectest.functions {
            exports[name] = store.hostFunction(
                handler, index: 0, type: FunctionType(parameters: parameters, results: []))
        }
        for (name, type, bits) in Spectest.globals {
            exports[name] = store.hostGlobal(GlobalType(value: type, isMutable: false), value: bits)
        }
        exports[Name("table")] = try store.hostTable(Spectest.table)
        exports[Name("memory")] = try store.hostMemory(Spectest.memory)
        return exports
    }
}

/// `spectest`'s print functions print nothing.
private final class PrintHandler: ImportHandler {
    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
        .result(0)
    }
}

/// What the module `spectest` offers (test/core/README of the specification).
enum Spectest {
    static let functions: [(Name, [ValueType])] = [
        (Name("print"), []), (Name("print_i32"), [.i32]), (Name("print_i64"), [.i64]), (Name("print_f32"), [.f32]),
        (Name("print_f64"), [.f64]), (Name("print_i32_f32"), [.i32, .f32]), (Name("print_f64_f64"), [.f64, .f64]),
    ]
    static let globals: [(Name, ValueType, UInt64)] = [
        (Name("global_i32"), .i32, 666), (Name("global_i64"), .i64, 666),
        (Name("global_f32"), .f32, UInt64(Float(666.6).bitPattern)),
        (Name("global_f64"), .f64, Double(666.6).bitPattern),
    ]
    static let table = SizeLimits(minimum: 10, maximum: 20)
    static let memory = SizeLimits(minimum: 1, maximum: 2)
}
