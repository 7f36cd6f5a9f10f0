import WasmFormat

/// What a guest's native frames may take, computed from the WASM alone: the same on every machine, in every tier and
/// in the interpreter, whatever the code generator makes of the functions.
///
/// Every defined function has a reserve, an upper bound of its native frame. The reserves of an entry's live frames
/// are added up as calls are made, and a call with which the sum exceeds `budget` ends the entry with the trap "call
/// stack exhausted", after the comparison of the counted height and before the function's first charge. Where the
/// counted height ends every chain of calls first, nothing needs to be added up; the outcome is the same.
public struct StackReserve: Sendable, Equatable {
    /// Bytes that the frames of one entry may have reserved together.
    public static let budget: UInt64 = 16 << 20
    /// Bytes of one unit, in which reserves are counted.
    public static let unit: UInt64 = 16
    /// The budget in units.
    public static let budgetUnits = UInt32(budget / unit)

    /// Units of each function the module defines, at most one more than the budget: such a function cannot be called.
    public let functions: [UInt32]
    /// Whether the counted height keeps every chain of calls below the budget, so that no reserve has to be added up.
    public let isBounded: Bool
    /// The most bytes of native stack that one entry's frames take, that of the function which finds out included:
    /// it has its frame when it compares.
    public let entryBytes: UInt64

    /// - Parameters:
    ///   - plan: nil when nothing is metered; reserves are then added up always.
    ///   - isLinked: whether other modules' functions may be called without an entry in between; they are then also.
    public init(_ module: Module, plan: MeteringPlan?, isLinked: Bool = false) {
        // A plan of another module is found out by whoever goes by it.
        let plan = plan.flatMap { $0.functions.count == module.bodies.count ? $0 : nil }
        let types = module.functionTypeIndices
        let imported = module.importedFunctionCount
        let bytes = module.bodies.indices.map { index in
            let parameters = module.type(types[imported + index])?.parameters.count ?? 0
            return FrameRule.bytes(
                module.bodies[index], parameters: parameters, plan: plan?.functions[index],
                arguments: { module.argumentCount(of: $0, types) })
        }
        let units = bytes.map { UInt32(min(($0 + Self.unit - 1) / Self.unit, UInt64(Self.budgetUnits) + 1)) }
        functions = units
        var chains: UInt64?
        if let plan, !isLinked { chains = CallChains(module, plan: plan, reserves: units).bound() }
        isBounded = chains != nil
        // A function that cannot be called has no frame.
        let largest = isLinked ? Self.budget : min(UInt64(units.max() ?? 0) * Self.unit, Self.budget)
        entryBytes = (chains ?? Self.budget) + largest
    }

    /// Bytes a function of the module may take, its entries from outside included.
    public func bytes(ofFunction index: Int) -> UInt64 { UInt64(functions[index]) * Self.unit }

    /// Whether a function's reserve alone exceeds the budget.
    public func isCallable(_ index: Int) -> Bool { functions[index] <= Self.budgetUnits }
}

/// The reserve of one function. What a frame can have at worst is what the code generator makes without optimisation:
/// a slot of its own for every value that lives across a call or the end of a basic block. So there is one for every
/// instruction, some for what the lowering adds to it, and slots for what the function's entries copy.
///
/// The numbers are checked, not believed: an object with a frame above its reserve is refused when it is compiled.
/// They may be too small for a code generator that nobody has seen yet, but not for the chain.
enum FrameRule {
    /// Saved registers, alignment, return addresses: of the function, its trampoline and its entry from the host.
    static let base: UInt64 = 384
    /// A parameter on the stack, in a slot, and the same in the trampoline and in the entry from the host.
    static let parameter: UInt64 = 56
    /// A local: a slot in memory form; one and the copy at a join as a value.
    static let local: UInt64 = 16
    /// An argument of the largest call: where it is passed.
    static let argument: UInt64 = 8
    /// Any instruction: its value.
    static let instruction: UInt64 = 8
    /// A charge: the counter, and its copy at a join.
    static let charge: UInt64 = 16

    /// What the lowering keeps besides the value, across the basic blocks that it makes of the instruction.
    static func extra(_ instruction: Instruction) -> UInt64 {
        switch instruction.opcode {
        // Position, element, type number, code; the counter that comes back, and its copy.
        case .callIndirect: return 48
        case .call: return 16
        // The copy of the result at the end.
        case .block, .loop, .if: return instruction.blockType == .empty ? 0 : 8
        // Operands are compared before they are divided.
        case .i32DivS, .i32DivU, .i32RemS, .i32RemU, .i64DivS, .i64DivU, .i64RemS, .i64RemU: return 8
        // Both operands are compared and chosen from, in blocks of their own.
        case .f32Min, .f32Max, .f64Min, .f64Max: return 72
        default: break
        }
        let row = instruction.opcode.row
        // The extended address.
        if row.accessWidth > 0 { return 8 }
        // Bounds of conversions are compared first, and what is not a number is replaced afterwards.
        guard let types = row.types else { return 0 }
        return (types.operands + types.results).contains { $0 == .f32 || $0 == .f64 } ? 24 : 0
    }

    static func bytes(
        _ body: FunctionBody, parameters: Int, plan: MeteringPlan.Function?, arguments: (Instruction) -> Int
    ) -> UInt64 {
        var sum = base + UInt64(parameters) * parameter
        sum += body.localGroups.reduce(0) { $0 + UInt64($1.count) } * local
        var most = 0
        for instruction in body.instructions {
            sum += Self.instruction + extra(instruction)
            most = max(most, arguments(instruction))
        }
        sum += UInt64(most) * argument
        if let plan { sum += UInt64(plan.blocks.count + plan.linear.count) * charge }
        return sum
    }
}

extension Module {
    /// Arguments that a call passes; 0 for what is no call.
    fileprivate func argumentCount(of instruction: Instruction, _ types: [UInt32]) -> Int {
        switch instruction.opcode {
        case .call: type(types[Int(instruction.index)])?.parameters.count ?? 0
        case .callIndirect: type(instruction.index)?.parameters.count ?? 0
        default: 0
        }
    }
}
