import Crypto
import GasSchedule
import JSON
import Metering
import Primitives
import Syscalls
import WasmFormat

/// What `smelt inspect` says of a WASM module.
struct ModuleReport {
    private let bytes: [UInt8]
    private let profile: NetworkProfile

    init(bytes: [UInt8], profile: NetworkProfile) {
        self.bytes = bytes
        self.profile = profile
    }

    /// The report, and the refusal when the FVM refuses the module.
    func make() -> (JSONValue, Refusal?) {
        var members: [JSONValue.Member] = [
            .init("schema", .string("smelt.inspect.module/1")),
            .init("kind", .string("module")),
            .init("bytes", .integer(bytes.count)),
            .init("cid", .string(Cid.blake2b256(codec: Cid.raw, data: bytes).text)),
        ]
        let module: Module
        do { module = try Module.decode(bytes, profile: .fvm) } catch {
            members.append(.init("verdict", verdict(error)))
            return (.object(members), error)
        }
        members.append(.init("sections", sections(of: module)))
        members.append(.init("imports", imports(of: module)))
        members.append(.init("exports", exports(of: module)))
        do {
            let analyzed = try FrontEnd.analyze(bytes, profile: .fvm, prices: PriceList.named(profile.priceList).wasm)
            members.append(.init("metering", metering(of: analyzed.plan, module: module)))
            members.append(.init("links", links(module)))
            members.append(.init("verdict", .object(["accepted": .bool(true)])))
            return (.object(members), nil)
        } catch {
            members.append(.init("verdict", verdict(error)))
            return (.object(members), error)
        }
    }

    private func verdict(_ refusal: Refusal) -> JSONValue {
        .object([
            "accepted": .bool(false), "stage": .string(refusal.stage.rawValue),
            "function": refusal.function.map { .integer($0) } ?? .null,
            "offset": refusal.offset.map { .integer($0) } ?? .null, "rule": .string(refusal.rule),
        ])
    }

    private func sections(of module: Module) -> JSONValue {
        .object([
            "types": .integer(module.types.count), "imports": .integer(module.imports.count),
            "functions": .integer(module.functions.count), "tables": .integer(module.tables.count),
            "memories": .integer(module.memories.count), "globals": .integer(module.globals.count),
            "exports": .integer(module.exports.count), "start": module.start.map { .integer($0) } ?? .null,
            "element_segments": .integer(module.elements.count), "data_segments": .integer(module.data.count),
            "data_bytes": .integer(module.data.reduce(0) { $0 + $1.bytes.count }),
            "code_bytes": .integer(module.bodies.reduce(0) { $0 + Int($1.length) }),
            "instructions": .integer(module.bodies.reduce(0) { $0 + $1.instructions.count }),
            "memory_pages": module.memories.first.map { .integer($0.minimum) } ?? .null,
            "custom_sections": .array(module.customSections.map { .string($0.name.text) }),
        ])
    }

    private func imports(of module: Module) -> JSONValue {
        .array(
            module.imports.map { entry in
                var syscalls: [String] = []
                var kind = "function"
                switch entry.kind {
                case .function(let type):
                    let type = module.type(type)
                    for (name, set) in [("nv18-20", SyscallSet.v3), ("nv21-29", SyscallSet.v4)]
                    where set.row(module: entry.module.bytes, name: entry.name.bytes)?.type == type {
                        syscalls.append(name)
                    }
                case .table: kind = "table"
                case .memory: kind = "memory"
                case .global: kind = "global"
                }
                return .object([
                    "module": .string(entry.module.text), "name": .string(entry.name.text), "kind": .string(kind),
                    "syscall_of": .string(syscalls.isEmpty ? "none" : syscalls.joined(separator: ", ")),
                ])
            })
    }

    private func exports(of module: Module) -> JSONValue {
        .array(
            module.exports.map { export in
                let type = export.kind == .function ? module.functionType(export.index) : nil
                return .object([
                    "name": .string(export.name.text), "kind": .string("\(export.kind)"),
                    "index": .integer(export.index), "type": .string(type.map(\.text) ?? ""),
                ])
            })
    }

    private func links(_ module: Module) -> JSONValue {
        func answer(_ set: SyscallSet) -> JSONValue {
            do {
                try set.check(module)
                return .string("all imports are syscalls")
            } catch {
                return .string(error.description)
            }
        }
        return .object(["nv18-20": answer(.v3), "nv21-29": answer(.v4)])
    }

    private func metering(of plan: MeteringPlan, module: Module) -> JSONValue {
        let costs = plan.functions.map(\.stackCost)
        let deepest = costs.enumerated().max { $0.element < $1.element }
        return .object([
            "gas_blocks": .integer(plan.functions.reduce(0) { $0 + $1.blocks.count }),
            "linear_charges": .integer(plan.functions.reduce(0) { $0 + $1.linear.count }),
            "trampolines": .integer(plan.trampolines.count { $0 != nil }),
            "largest_stack_cost": .integer(deepest?.element ?? 0),
            "largest_stack_cost_function": deepest.map { .integer($0.offset + module.importedFunctionCount) } ?? .null,
            "stack_limit": .integer(plan.stackLimit),
        ])
    }
}

extension FunctionType {
    /// `(i32, i64) -> i32`
    var text: String {
        let list = { (types: [ValueType]) in types.map { "\($0)" }.joined(separator: ", ") }
        return "(\(list(parameters))) -> " + (results.count == 1 ? list(results) : "(\(list(results)))")
    }
}
