import WasmFormat

/// What the instrumentation passes refuse outside function bodies (fvm-wasm-instrument 0.4.0).
enum SectionRules {
    /// Pass one. That constant expressions are one instruction is already a rule of validation here.
    static func stackLimiter(_ module: Module) throws(Refusal) {
        guard module.hasFunctionSection else {
            throw Refusal(stage: .stackLimiter, rule: "module has no function section")
        }
    }

    /// Pass two.
    static func gas(_ module: Module) throws(Refusal) {
        for entry in module.imports {
            if case .global = entry.kind, entry.module == Name("gas"), entry.name == Name("gas_counter") {
                throw Refusal(stage: .gas, rule: "module imports the gas counter itself")
            }
        }
        for (index, segment) in module.elements.enumerated() {
            if case .expressions(let items) = segment.items, let first = items.first {
                throw Refusal(
                    stage: .gas, offset: first.offset, rule: "element segment \(index) has expressions as items")
            }
        }
        for (index, segment) in module.data.enumerated() {
            guard case .active(_, let offset) = segment.mode else { continue }
            guard offset.instructions.map(\.opcode) == [.i32Const] else {
                throw Refusal(
                    stage: .gas, offset: offset.offset, rule: "offset of data segment \(index) is not an i32.const")
            }
        }
    }
}
