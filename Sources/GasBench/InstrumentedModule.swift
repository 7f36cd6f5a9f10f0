import GasSchedule
import Metering
import WasmFormat

/// A module as the reference's instrumentation writes it (fvm-wasm-instrument 0.4.0), for engines that do not meter by
/// themselves: an imported counter `gas.gas_counter`, a call in front of every metered block, a height that is counted
/// around calls. Amounts and positions are the plan's; no number of a price list stands here.
public struct InstrumentedModule: Sendable {
    /// The binary.
    public let bytes: [UInt8]

    /// What the counter is imported as.
    static let counter = (module: "gas", name: "gas_counter")

    /// - Throws: when the FVM refuses the module.
    public init(_ wasm: [UInt8], prices: WasmPrices) throws(Refusal) {
        let analyzed = try FrontEnd.analyze(wasm, profile: .fvm, prices: prices)
        bytes = Writer(wasm, analyzed).module.bytes
    }
}

/// Puts charges and heights into the bodies of one module.
private struct Writer {
    private let wasm: [UInt8]
    private let source: Module
    private let plan: MeteringPlan
    private let imported: Int
    private let chargeFunction: Int
    /// Of the height, counted without imported globals, as the reference does it.
    private let height: Int
    private let gas: Int

    init(_ wasm: [UInt8], _ analyzed: AnalyzedModule) {
        self.wasm = wasm
        source = analyzed.module.module
        plan = analyzed.plan
        imported = source.importedFunctionCount
        chargeFunction = source.functionCount + plan.trampolines.count { $0 != nil }
        height = source.globals.count
        gas = source.imports.count { if case .global = $0.kind { true } else { false } }
    }

    var module: WasmModule {
        var module = WasmModule()
        module.types = source.types.map {
            WasmBytes.functionType($0.parameters.map(\.rawValue), $0.results.map(\.rawValue))
        }
        let charge = WasmBytes.functionType([ValueType.i64.rawValue], [])
        let chargeType = module.types.firstIndex(of: charge) ?? module.types.count
        if chargeType == module.types.count { module.types.append(charge) }
        module.imports =
            source.imports.map(encoded)
            + [
                WasmModule.importedGlobal(
                    InstrumentedModule.counter.module, InstrumentedModule.counter.name, type: ValueType.i64.rawValue,
                    mutable: true)
            ]
        module.functions = source.bodies.indices.map(function)
        var trampolines: [UInt32: UInt32] = [:]
        for (index, price) in plan.trampolines.enumerated() {
            guard let price else { continue }
            trampolines[UInt32(index)] = UInt32(imported + module.functions.count)
            module.functions.append(trampoline(of: index, price))
        }
        module.functions.append(.init(type: chargeType, code: chargeBody))
        module.tables = source.tables.map(table)
        module.memories = source.memories.map(limits)
        module.globals =
            source.globals.map { [$0.type.value.rawValue, $0.type.isMutable ? 1 : 0] + expression($0.initializer) }
            + [[ValueType.i32.rawValue, 1] + Opcode.i32Const.encoded + [0] + Opcode.end.encoded]
        func entry(_ index: UInt32) -> UInt32 { trampolines[index] ?? index }
        module.exports = source.exports.map { export in
            let index = export.kind == .function ? entry(export.index) : export.index
            return (String(decoding: export.name.bytes, as: UTF8.self), export.kind.rawValue, Int(index))
        }
        module.start = source.start.map { Int(entry($0)) }
        module.elements = source.elements.map { element($0, entry) }
        module.dataCount = source.dataCount.map(Int.init)
        module.data = source.data.map { segment in
            switch segment.mode {
            case .passive: [1] + WasmBytes.sized(segment.bytes)
            case .active(_, let offset): [0] + expression(offset) + WasmBytes.sized(segment.bytes)
            }
        }
        return module
    }

    // MARK: Bodies

    private func function(_ index: Int) -> WasmModule.Function {
        let body = source.bodies[index]
        let charges = plan.functions[index]
        var locals = body.localGroups.map { (count: Int($0.count), type: $0.type.rawValue) }
        let parameters = source.types[Int(source.functions[index])].parameters.count
        let temporary = locals.reduce(parameters) { $0 + $1.count }
        if !charges.linear.isEmpty { locals.append((1, ValueType.i32.rawValue)) }
        var blocks = charges.blocks[...]
        var linear = charges.linear[...]
        var code: [UInt8] = []
        for (position, instruction) in body.instructions.dropLast().enumerated() {
            if let block = blocks.first, Int(block.position) == position {
                code += pay(block.milligas)
                blocks.removeFirst()
            }
            if let charge = linear.first, Int(charge.position) == position {
                code += Opcode.localTee.encoded + WasmBytes.unsigned(temporary)
                code += Opcode.localGet.encoded + WasmBytes.unsigned(temporary) + Opcode.i64ExtendI32U.encoded
                code += Opcode.i64Const.encoded + WasmBytes.signed(Int64(charge.milligasPerUnit))
                code += Opcode.i64Mul.encoded + Opcode.call.encoded + WasmBytes.unsigned(chargeFunction)
                linear.removeFirst()
            }
            switch instruction.opcode {
            case .globalGet, .globalSet:
                // Every index moves, whatever it refers to.
                code += instruction.opcode.encoded + WasmBytes.unsigned(Int(instruction.index) + 1)
            case .call where Int(instruction.index) >= imported:
                code += guardedCall(Int(instruction.index))
            default:
                let end = body.instructions[position + 1].offset
                code += wasm[Int(instruction.offset)..<Int(end)]
            }
        }
        return .init(type: Int(source.functions[index]), locals: locals, code: code)
    }

    private func pay(_ milligas: UInt64) -> [UInt8] {
        Opcode.i64Const.encoded + WasmBytes.signed(Int64(bitPattern: milligas)) + Opcode.call.encoded
            + WasmBytes.unsigned(chargeFunction)
    }

    private func guardedCall(_ function: Int) -> [UInt8] {
        let cost = WasmBytes.signed(Int64(Int32(bitPattern: plan.functions[function - imported].stackCost)))
        let get = Opcode.globalGet.encoded + WasmBytes.unsigned(height + 1)
        let set = Opcode.globalSet.encoded + WasmBytes.unsigned(height + 1)
        let constant = Opcode.i32Const.encoded
        return get + constant + cost + Opcode.i32Add.encoded + set
            + get + constant + WasmBytes.signed(Int64(plan.stackLimit)) + Opcode.i32GtU.encoded
            + Opcode.if.encoded + [0x40] + Opcode.unreachable.encoded + Opcode.end.encoded
            + Opcode.call.encoded + WasmBytes.unsigned(function)
            + get + constant + cost + Opcode.i32Sub.encoded + set
    }

    private func trampoline(of index: Int, _ price: UInt64) -> WasmModule.Function {
        let type = source.types[Int(source.functionTypeIndices[index])]
        var code = price == 0 ? [] : pay(price)
        for parameter in type.parameters.indices { code += Opcode.localGet.encoded + WasmBytes.unsigned(parameter) }
        // The first equal type, as the reference takes it.
        let first = source.types.firstIndex(of: type) ?? 0
        return .init(type: first, code: code + guardedCall(index))
    }

    private var chargeBody: [UInt8] {
        let get = Opcode.globalGet.encoded + WasmBytes.unsigned(gas)
        let amount = Opcode.localGet.encoded + [0] + Opcode.i64Sub.encoded
        let isSpent = Opcode.i64Const.encoded + [0] + Opcode.i64LtS.encoded
        return get + amount + Opcode.globalSet.encoded + WasmBytes.unsigned(gas) + get + isSpent
            + Opcode.if.encoded + [0x40] + Opcode.unreachable.encoded + Opcode.end.encoded
    }

    // MARK: Other sections

    private func encoded(_ entry: Import) -> [UInt8] {
        let names = WasmBytes.sized(entry.module.bytes) + WasmBytes.sized(entry.name.bytes)
        return names
            + {
                switch entry.kind {
                case .function(let type): [0] + WasmBytes.unsigned(Int(type))
                case .table(let type): [1] + table(type)
                case .memory(let size): [2] + limits(size)
                case .global(let type): [3, type.value.rawValue, type.isMutable ? 1 : 0]
                }
            }()
    }

    private func table(_ type: TableType) -> [UInt8] { [type.element.rawValue] + limits(type.limits) }

    private func limits(_ limits: SizeLimits) -> [UInt8] {
        let minimum = WasmBytes.unsigned(Int(limits.minimum))
        guard let maximum = limits.maximum else { return [0] + minimum }
        return [1] + minimum + WasmBytes.unsigned(Int(maximum))
    }

    /// Only its one instruction; what instrumentation accepts has no other form.
    private func expression(_ expression: ConstantExpression) -> [UInt8] {
        expression.instructions.flatMap { instruction -> [UInt8] in
            let immediate: [UInt8] =
                switch instruction.opcode {
                case .i32Const: WasmBytes.signed(Int64(Int32(truncatingIfNeeded: instruction.bits)))
                case .i64Const: WasmBytes.signed(Int64(bitPattern: instruction.bits))
                case .f32Const: (0..<4).map { UInt8(truncatingIfNeeded: instruction.bits >> (8 * $0)) }
                case .f64Const: (0..<8).map { UInt8(truncatingIfNeeded: instruction.bits >> (8 * $0)) }
                case .refNull: [ValueType.funcref.rawValue]
                default: WasmBytes.unsigned(Int(instruction.index))
                }
            return instruction.opcode.encoded + immediate
        } + Opcode.end.encoded
    }

    private func element(_ segment: ElementSegment, _ entry: (UInt32) -> UInt32) -> [UInt8] {
        let (isExpressions, items): (Bool, [[UInt8]]) =
            switch segment.items {
            case .functions(let functions): (false, functions.map { WasmBytes.unsigned(Int(entry($0))) })
            case .expressions(let expressions): (true, expressions.map(expression))
            }
        let bit: UInt8 = isExpressions ? 4 : 0
        let kind: [UInt8] = isExpressions ? [segment.type.rawValue] : [0]
        switch segment.mode {
        case .active(let table, let offset):
            return [2 | bit] + WasmBytes.unsigned(Int(table)) + expression(offset) + kind + WasmBytes.vector(items)
        case .passive: return [1 | bit] + kind + WasmBytes.vector(items)
        case .declarative: return [3 | bit] + kind + WasmBytes.vector(items)
        }
    }
}
