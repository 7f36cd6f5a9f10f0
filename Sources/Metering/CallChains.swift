import WasmFormat

/// A bound of what the functions of any chain of calls reserve together that the counted height allows.
///
/// Every call of a metered module adds the callee's stack cost to the height, and no chain is longer than the limit.
/// So for every price λ of one counted element, a chain's reserves are at most λ times the limit plus the largest sum
/// of (reserve − λ · cost) along any path of the call graph; that sum is finite when no cycle reserves more than λ for
/// each element it costs. Indirect calls are taken to reach every function of their type that can be in a table.
struct CallChains {
    private let limit: Int64
    private let costs: [Int64]
    private let reserves: [Int64]
    /// Callees by caller: functions, then, from `functionCount` on, one node for each type of indirect calls.
    private var callees: [[Int32]]
    private let functionCount: Int
    /// Whether functions may be reached without the cost: by references that lead past the trampolines, or that come
    /// from outside.
    private var hasUncountedCalls: Bool

    /// - Parameter reserves: in units.
    init(_ module: Module, plan: MeteringPlan, reserves: [UInt32]) {
        limit = Int64(plan.stackLimit)
        costs = plan.functions.map { Int64($0.stackCost) }
        self.reserves = reserves.map(Int64.init)
        functionCount = module.bodies.count
        let imported = module.importedFunctionCount
        let types = module.functionTypeIndices
        let canonical = module.canonicalTypeIDs
        hasUncountedCalls = CallChains.hasReferences(module)

        // Nodes of types: which functions an indirect call may reach. References come from segments, which lead
        // through trampolines; all others are uncounted.
        var nodes: [UInt32: Int] = [:]
        var targets: [[Int32]] = []
        for index in CallChains.tableFunctions(module, imported) {
            let type = canonical[Int(types[imported + index])]
            if let node = nodes[type] {
                targets[node].append(Int32(index))
            } else {
                nodes[type] = targets.count
                targets.append([Int32(index)])
            }
        }
        callees = []
        callees.reserveCapacity(functionCount + targets.count)
        // The last caller that was seen to call a node: each edge once.
        var callers = [Int](repeating: -1, count: functionCount + targets.count)
        for (caller, body) in module.bodies.enumerated() {
            var found: [Int32] = []
            func add(_ node: Int) {
                guard callers[node] != caller else { return }
                callers[node] = caller
                found.append(Int32(node))
            }
            for instruction in body.instructions {
                switch instruction.opcode {
                case .call:
                    if Int(instruction.index) >= imported { add(Int(instruction.index) - imported) }
                case .callIndirect:
                    if let node = nodes[canonical[Int(instruction.index)]] { add(functionCount + node) }
                case .refFunc: hasUncountedCalls = true
                default: break
                }
            }
            callees.append(found)
        }
        callees += targets
    }

    /// The defined functions that segments put into tables, each once.
    private static func tableFunctions(_ module: Module, _ imported: Int) -> [Int] {
        var isListed = [Bool](repeating: false, count: module.bodies.count)
        for segment in module.elements {
            guard case .functions(let items) = segment.items else { continue }
            for item in items where Int(item) >= imported { isListed[Int(item) - imported] = true }
        }
        return isListed.indices.filter { isListed[$0] }
    }

    private static func hasReferences(_ module: Module) -> Bool {
        for entry in module.imports {
            switch entry.kind {
            case .table: return true
            case .global(let type) where type.value == .funcref: return true
            case .global, .function, .memory: break
            }
        }
        for segment in module.elements {
            if case .expressions = segment.items { return true }
        }
        return module.globals.contains { global in
            global.initializer.instructions.contains { $0.opcode == .refFunc }
        }
    }

    /// Bytes, the lowest bound found; nil when none is found that the budget allows.
    func bound() -> UInt64? {
        guard !hasUncountedCalls, limit > 0 else { return nil }
        let budget = Int64(StackReserve.budgetUnits)
        // Prices by what they leave of the budget for the paths, in eighths.
        for eighths: Int64 in [1, 2, 4, 5, 6, 7] {
            let price = budget * eighths / 8 / limit
            if let path = longestPath(price: price, most: budget - price * limit) {
                return UInt64(price * limit + path) * StackReserve.unit
            }
        }
        return nil
    }

    /// The largest sum of (reserve − price · cost) along a path; nil when it is above `most` or not found in time.
    private func longestPath(price: Int64, most: Int64) -> Int64? {
        let weights =
            (0..<functionCount).map { reserves[$0] - price * costs[$0] }
            + [Int64](
                repeating: 0, count: callees.count - functionCount)
        // Of paths that begin at a node, among those that have been looked at: grows until nothing is longer.
        var longest = weights
        for round in 0..<256 {
            var hasChanged = false
            for step in callees.indices {
                // Callees come later or earlier in most modules: every second round goes backwards.
                let node = round % 2 == 0 ? callees.count - 1 - step : step
                var best: Int64 = 0
                for callee in callees[node] { best = max(best, longest[Int(callee)]) }
                let sum = weights[node] + best
                guard sum > longest[node] else { continue }
                guard sum <= most else { return nil }
                longest[node] = sum
                hasChanged = true
            }
            if !hasChanged {
                let path = longest.reduce(0, max)
                return path <= most ? path : nil
            }
        }
        return nil
    }
}
