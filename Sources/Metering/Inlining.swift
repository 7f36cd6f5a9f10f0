import WasmFormat

/// Which functions optimised code has in place of the calls of them: those of a few instructions in one straight line
/// that call nothing. Producers that save space leave many, half of all calls lead to them, and a call costs more than
/// what they do.
///
/// What such a call does stays as it is and in the order it has: the callee's height is compared with the limit, its
/// block is charged, then its instructions follow. A property of the WASM and the plan.
public struct Inlining: Sendable {
    /// A function that is lowered in place of calls.
    public struct Callee: Sendable {
        /// Counted elements that a call of it adds to the height.
        public let stackCost: UInt32
        /// Milligas of its one metered block; nil where it has none.
        public let milligas: UInt64?
        /// Whether it accesses memory.
        public let hasAccess: Bool
        /// Whether it shows that its block has been charged: by an access of memory, or by writing to a global.
        public let showsCharge: Bool
        /// The function itself.
        public let body: FunctionBody
    }

    /// Of defined functions; nil for those that are called.
    private let callees: [Callee?]
    private let imported: Int

    /// - Parameters:
    ///   - plan: nil without metering, where every call is one.
    public init(_ module: Module, plan: MeteringPlan?, reserve: StackReserve) {
        imported = module.importedFunctionCount
        // Where reserves are added up, every function tests its own.
        guard let plan, reserve.isBounded else {
            callees = []
            return
        }
        callees = zip(module.bodies, plan.functions).map { body, function in
            guard function.linear.isEmpty, function.blocks.count <= 1, function.blocks.allSatisfy({ $0.position == 0 }),
                function.stackCost <= plan.stackLimit, Self.isShort(body)
            else { return nil }
            let recipes = body.instructions.map(\.opcode.brief.recipe)
            let hasAccess = recipes.contains { $0 == .load || $0 == .store }
            return Callee(
                stackCost: function.stackCost, milligas: function.blocks.first?.milligas, hasAccess: hasAccess,
                showsCharge: recipes.contains { $0.showsCharges }, body: body)
        }
    }

    /// - Parameter function: in the index space.
    /// - Returns: nil if calls of it are calls.
    public func callee(_ function: Int) -> Callee? {
        callees.indices.contains(function - imported) ? callees[function - imported] : nil
    }

    /// The largest reserve of a function that is inlined in `body`, bytes: the frame of who inlines has its room too,
    /// for the chain of calls was counted with both.
    public func reserve(in body: FunctionBody, _ reserve: StackReserve) -> UInt64 {
        body.instructions.lazy.filter { $0.opcode == .call && callee(Int($0.index)) != nil }
            .map { reserve.bytes(ofFunction: Int($0.index) - imported) }.max() ?? 0
    }

    private static func isShort(_ body: FunctionBody) -> Bool {
        body.instructions.count <= mostInstructions
            && body.localGroups.reduce(0) { $0 + Int($1.count) } <= mostLocals
            && body.instructions.dropLast().allSatisfy(\.opcode.brief.recipe.isPlain)
    }

    /// The final `end` included. Bodies of this size are hardly larger than a call with its arguments.
    private static let mostInstructions = 24
    private static let mostLocals = 4
}

extension Recipe {
    /// Whether an instruction neither moves control nor has a service of the runtime do its work.
    fileprivate var isPlain: Bool {
        switch self {
        case .nop, .drop, .select, .localGet, .localSet, .localTee, .globalGet, .globalSet, .constant, .load, .store,
            .isZero, .compare, .binary, .shift, .count, .signExtend, .convert(.wrap), .convert(.extend):
            true
        default: false
        }
    }
}
