/// Function bodies and constant expressions. Nesting is counted, not recursed into: a body of a million
/// nested blocks takes no more stack than an empty one.
extension Decoder {
    mutating func codeSection() throws(Refusal) {
        module.hasCodeSection = true
        let count = try reader.count("function bodies")
        module.bodies.reserveCapacity(count)
        let imported = module.importedFunctionCount
        for index in 0..<count {
            do {
                module.bodies.append(try functionBody())
            } catch {
                throw Refusal(
                    stage: error.stage, function: UInt32(truncatingIfNeeded: imported + index), offset: error.offset,
                    rule: error.rule)
            }
        }
    }

    private mutating func functionBody() throws(Refusal) -> FunctionBody {
        let size = try reader.u32()
        let outer = try reader.enter(size: size, "function body")
        let offset = reader.offset
        let groupCount = try reader.count("local groups")
        var groups: [LocalGroup] = []
        groups.reserveCapacity(groupCount)
        var total: UInt64 = 0
        for _ in 0..<groupCount {
            let count = try reader.u32()
            total += UInt64(count)
            guard total <= UInt64(UInt32.max) else { throw reader.malformed("too many locals: \(total)") }
            groups.append(LocalGroup(count: count, type: try valueType()))
        }
        var body = FunctionBody(
            offset: offset, length: size, localGroups: groups, instructions: [], branchTables: [])
        // Two bytes an instruction is what compiled code has on average.
        body.instructions.reserveCapacity(reader.remaining / 2 + 1)
        var depth = 0
        while true {
            let instruction = try instruction(&body.branchTables)
            body.instructions.append(instruction)
            switch instruction.opcode {
            case .block, .loop, .if: depth += 1
            case .end:
                if depth == 0 {
                    try reader.leave(to: outer, "function body")
                    return body
                }
                depth -= 1
            default: break
            }
        }
    }

    /// A constant expression up to its `end`. Whatever cannot be constant under the FVM's features is refused.
    mutating func constantExpression() throws(Refusal) -> ConstantExpression {
        let offset = reader.offset
        var instructions: [Instruction] = []
        var tables: [[UInt32]] = []
        while true {
            let instruction = try instruction(&tables)
            switch instruction.opcode {
            case .end: return ConstantExpression(instructions: instructions, offset: offset)
            case .i32Const, .i64Const, .f32Const, .f64Const, .globalGet, .refNull, .refFunc:
                instructions.append(instruction)
            default:
                throw Refusal(
                    stage: .validate, offset: instruction.offset,
                    rule: "constant expression required, found \(instruction.opcode.name)")
            }
        }
    }

    private mutating func opcode(at start: UInt32) throws(Refusal) -> Opcode {
        let byte = try reader.byte()
        if byte == 0xFC {
            let number = try reader.u32()
            if number < 0x100, let opcode = Opcode(rawValue: 0xFC00 | UInt16(number)) { return opcode }
            throw Self.refusedCode("0xfc \(number)", RefusedCodes.feature(ofNumber: number), at: start)
        }
        if let opcode = Opcode(rawValue: UInt16(byte)) { return opcode }
        throw Self.refusedCode("0x" + String(byte, radix: 16), RefusedCodes.feature(ofCode: byte), at: start)
    }

    private static func refusedCode(_ code: String, _ feature: StaticString?, at offset: UInt32) -> Refusal {
        guard let feature else { return Refusal(stage: .decode, offset: offset, rule: "illegal opcode \(code)") }
        return Refusal(stage: .validate, offset: offset, rule: "opcode \(code) (\(feature)) is not enabled")
    }

    private mutating func instruction(_ tables: inout [[UInt32]]) throws(Refusal) -> Instruction {
        let start = reader.offset
        var result = Instruction(opcode: try opcode(at: start), offset: start)
        switch result.opcode.immediates {
        case .none: break
        case .label, .function, .local, .global, .table, .element, .memory:
            result.index = try reader.u32()
        case .data:
            result.index = try reader.u32()
            noteDataUse(at: start)
        case .dataAndMemory:
            result.index = try reader.u32()
            result.second = try reader.u32()
            noteDataUse(at: start)
        case .typeAndTable, .elementAndTable, .twoTables, .twoMemories:
            result.index = try reader.u32()
            result.second = try reader.u32()
        case .zeroByte:
            guard try reader.byte() == 0 else {
                throw Refusal(stage: .decode, offset: start, rule: "zero byte expected after \(result.opcode.name)")
            }
        case .memoryArgument:
            result.index = try reader.u32()
            guard result.index < 32 else {
                throw Refusal(stage: .decode, offset: start, rule: "malformed alignment 2^\(result.index)")
            }
            result.bits = UInt64(try reader.u32())
        case .i32: result.bits = UInt64(UInt32(truncatingIfNeeded: try reader.signed(bits: 32)))
        case .i64: result.bits = UInt64(bitPattern: try reader.signed(bits: 64))
        case .f32: result.bits = try reader.littleEndian(bytes: 4)
        case .f64: result.bits = try reader.littleEndian(bytes: 8)
        case .blockType: result.index = try blockType()
        case .referenceType: result.index = UInt32(try referenceType().rawValue)
        case .selectTypes:
            let count = try reader.u32()
            guard count == 1 else {
                throw Refusal(stage: .validate, offset: start, rule: "select has \(count) types, must have 1")
            }
            result.index = UInt32(try valueType().rawValue)
        case .branchTable:
            result.index = UInt32(truncatingIfNeeded: tables.count)
            tables.append(try branchTable(at: start))
        }
        return result
    }

    private mutating func noteDataUse(at offset: UInt32) {
        guard firstDataUse == nil else { return }
        let function = UInt32(truncatingIfNeeded: module.importedFunctionCount + module.bodies.count)
        firstDataUse = Refusal(
            stage: .decode, function: function, offset: offset, rule: "data count section required")
    }

    /// Either one byte that is a value type or 0x40, or a type index as a positive s33.
    private mutating func blockType() throws(Refusal) -> UInt32 {
        let start = reader.offset
        let byte = try reader.peek()
        if byte & 0xC0 == 0x40 {
            if byte == 0x40 {
                _ = try reader.byte()
            } else {
                _ = try valueType()
            }
            return Instruction.encode(blockTypeByte: byte)
        }
        let index = try reader.signed(bits: 33)
        guard index >= 0 else { throw Refusal(stage: .decode, offset: start, rule: "malformed block type") }
        guard index < Int64(Limits.types) else {
            throw Refusal(stage: .validate, offset: start, rule: "unknown type \(index)")
        }
        return UInt32(truncatingIfNeeded: index)
    }

    private mutating func branchTable(at start: UInt32) throws(Refusal) -> [UInt32] {
        let count = try reader.u32()
        guard UInt64(count) <= Limits.branchTargets else {
            throw Refusal(
                stage: .validate, offset: start, rule: "br_table has \(count) targets, limit \(Limits.branchTargets)")
        }
        guard Int(count) < reader.remaining else { throw reader.malformed("unexpected end") }
        var labels: [UInt32] = []
        labels.reserveCapacity(Int(count) + 1)
        for _ in 0...count { labels.append(try reader.u32()) }
        return labels
    }
}
