import CActorRuntime
import LLVMKit
import Metering
import Validator
import WasmFormat

/// What LLVM has of an open construct; all else about it is in the side table.
struct Frame {
    /// Where a branch to the construct's label goes: a loop's head, or what follows the `end`; nil where nothing comes
    /// to the `end`.
    var target: Block?
    /// The second arm of an `if` that has not begun.
    var otherwise: Block?
    /// Values that branches to `target` bring, when they carry one.
    var incoming: [(Value, Block)] = []
    /// Where the variables of branches to `target` meet, when they are values.
    var region: Int?
}

extension FunctionLowering {
    func lowerControl(_ recipe: Recipe) throws(LoweringError) {
        switch recipe {
        case .unreachable:
            raise(SMELT_RT_TRAP_UNREACHABLE)
            fallsThrough = false
        case .block:
            cursor.open()
            openForward()
        case .loop: openLoop()
        case .if: try lowerIf()
        case .else: try lowerElse()
        case .end: try lowerEnd()
        case .branch, .return:
            let construct = structure.lastTarget(of: cursor.branch(in: structure))
            try leave(to: construct, from: build.block)
            build.branch(try target(construct))
            fallsThrough = false
        case .branchIf:
            let condition = try popCondition()
            let construct = structure.lastTarget(of: cursor.branch(in: structure))
            try leave(to: construct, from: build.block)
            let rest = newBlock()
            build.branch(condition, try target(construct), rest)
            build.position(rest)
        case .branchTable: try lowerBranchTable()
        default: break
        }
    }

    /// Opens the construct that is the body itself.
    func openFunction() {
        frames = Array(repeating: nil, count: structure.constructs.count)
        openForward()
    }

    /// Notes the innermost construct, whose label is its end.
    private func openForward() {
        let target = structure.constructs[cursor.innermost].isEndReachable ? module.ir.makeBlock() : nil
        frames[cursor.innermost] = Frame(
            target: target,
            region: withValues { variables in
                variables.open()
                return target.map { variables.makeRegion($0) }
            } ?? nil)
    }

    private func openLoop() {
        let entry = build.block
        let head = newBlock()
        build.branch(head)
        build.position(head)
        cursor.open()
        var assigned: [Int] = []
        structure.forEachLocal(assignedIn: structure.constructs[cursor.innermost].inside) { assigned.append(Int($0)) }
        assigned.append(gasVariable)
        frames[cursor.innermost] = Frame(
            target: head, region: withValues { $0.openLoop(head, from: entry, assigned: assigned) })
    }

    private func target(_ construct: Int) throws(LoweringError) -> Block {
        guard let target = frames[construct]?.target else { throw fail("construct \(construct) has no label") }
        return target
    }

    /// Notes a branch from `block` to a construct's label; the value it carries stays on the stack.
    private func leave(to construct: Int, from block: Block) throws(LoweringError) {
        guard let region = frames[construct]?.region else { throw fail("construct \(construct) has no label") }
        withValues { $0.addEdge(from: block, to: region) }
        let row = structure.constructs[construct]
        guard row.kind != .loop else { return }
        if row.carried != nil {
            guard let operand = stack.popLast() else { throw fail("a branch has no value") }
            let value = value(of: operand)
            push(value)
            frames[construct]?.incoming.append((value, block))
        }
    }

    private func lowerIf() throws(LoweringError) {
        let condition = try popCondition()
        let then = newBlock()
        cursor.open()
        openForward()
        let otherwise = module.ir.makeBlock()
        frames[cursor.innermost]?.otherwise = otherwise
        build.branch(condition, then, otherwise)
        build.position(then)
    }

    /// Falls out of a construct that is no loop.
    private func fallOut(of construct: Int) throws(LoweringError) {
        try leave(to: construct, from: build.block)
        build.branch(try target(construct))
    }

    private func beginOtherwise(of construct: Int) throws(LoweringError) {
        guard let otherwise = frames[construct]?.otherwise else { throw fail("else without if") }
        frames[construct]?.otherwise = nil
        module.ir.append(otherwise, to: function)
        build.position(otherwise)
        withValues { $0.restart() }
        cut(to: structure.constructs[construct].height)
    }

    private func cut(to height: Int) { stack.removeLast(stack.count - height) }

    private func lowerElse() throws(LoweringError) {
        if fallsThrough { try fallOut(of: cursor.innermost) }
        try beginOtherwise(of: cursor.innermost)
        fallsThrough = true
    }

    private func lowerEnd() throws(LoweringError) {
        let construct = cursor.close(in: structure)
        let row = structure.constructs[construct]
        if row.kind == .loop {
            // A loop's result stays where it is: nothing else reaches its end.
            guard stack.count == row.height + row.resultCount else { throw fail("a loop leaves operands") }
            return close(construct)
        }
        if fallsThrough { try fallOut(of: construct) }
        if frames[construct]?.otherwise != nil {
            // An `if` without `else`: its second arm is empty.
            try beginOtherwise(of: construct)
            try fallOut(of: construct)
        }
        guard let frame = frames[construct], let target = frame.target else {
            throw fail("an end that nothing comes to")
        }
        cut(to: row.height)
        close(construct)
        module.ir.append(target, to: function)
        build.position(target)
        fallsThrough = true
        if let result = row.result {
            let phi = build.phi(module.type(result))
            for (value, block) in frame.incoming { build.addIncoming(phi, value, from: block) }
            push(phi)
        }
        if row.kind == .function { lowerReturn() }
    }

    /// Takes a construct off that ends, be it reached or not.
    private func close(_ construct: Int) {
        guard let frame = frames[construct] else { return }
        frames[construct] = nil
        if structure.constructs[construct].kind == .loop, let region = frame.region {
            withValues { $0.closeLoop(region) }
        } else {
            withValues { $0.close(frame.region) }
        }
    }

    /// Passes over code that cannot be reached, up to the `else` or `end` at `next` or behind the body.
    ///
    /// - Parameter innermost: the construct the code begins in.
    func passOver(to next: Int, from innermost: Int) throws(LoweringError) {
        let passed = position..<next
        try charged { charges throws(PlanFault) in try charges.skip(passed) }
        var construct = innermost
        while construct != cursor.innermost {
            close(construct)
            construct = structure.constructs[construct].parent
        }
        if next == body.instructions.count { close(construct) }
        position = next
        fallsThrough = false
    }

    private func lowerReturn() {
        fallsThrough = false
        convention.return(stack.popLast().map(value(of:)), gas: gas, module)
    }

    private func lowerBranchTable() throws(LoweringError) {
        let selector = try pop()
        let targets = structure.targets(of: cursor.branch(in: structure)).map { Int($0) }
        guard let last = targets.last else { throw fail("a branch table is empty") }
        let here = build.block
        var cases: [(Value, Block)] = []
        cases.reserveCapacity(targets.count)
        for (number, construct) in targets.dropLast().enumerated() {
            // The same target as the default needs no case of its own.
            if construct == last { continue }
            try leave(to: construct, from: here)
            cases.append((module.i32(UInt32(number)), try target(construct)))
        }
        try leave(to: last, from: here)
        build.switch(selector, default: try target(last), cases: cases)
        fallsThrough = false
    }
}
