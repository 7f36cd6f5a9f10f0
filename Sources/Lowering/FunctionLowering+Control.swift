import CActorRuntime
import LLVMKit
import WasmFormat

/// An open construct.
struct Frame {
    enum Kind {
        case block, loop, `if`
    }
    var kind: Kind
    /// Operands on the stack below the construct.
    var base: Int
    /// Where a branch to the construct's label goes: a loop's head, or what follows the `end`.
    var target: Block
    var result: ValueType?
    /// The second arm of an `if` that has not begun.
    var otherwise: Block?
    /// Values that branches to `target` bring, when the construct has a result.
    var incoming: [(Value, Block)] = []
    /// Where the variables of branches to `target` meet, when they are values.
    var region: Int?
    /// Whether anything branches to `target` (not for loops).
    var reached = false
    /// Whether the counter in the context is current on every branch so far.
    var gasStored = true
    /// What was known of the counter where the second arm begins.
    var gasStoredAtElse = false
}

extension FunctionLowering {
    func lowerControl(_ instruction: Instruction) throws(LoweringError) {
        switch instruction.opcode {
        case .unreachable:
            raise(SMELT_RT_TRAP_UNREACHABLE)
            becomeUnreachable()
        case .block: open(.block, result: try result(instruction))
        case .loop:
            let entry = build.block
            let head = newBlock()
            build.branch(head)
            build.position(head)
            // What later iterations know is not known yet.
            gasStored = false
            var frame = Frame(kind: .loop, base: stack.count, target: head, result: try result(instruction))
            guard nextLoop < work.loopLocals.count else { throw fail("a loop that the estimate has not seen") }
            let assigned = work.loopLocals[nextLoop]
            nextLoop += 1
            frame.region = withValues { $0.openLoop(head, from: entry, assigned: assigned + [gasVariable]) }
            frames.append(frame)
        case .if: try lowerIf(instruction)
        case .else: try lowerElse()
        case .end: try lowerEnd()
        case .br:
            try leave(instruction.index, from: build.block)
            build.branch(try frame(instruction.index).target)
            becomeUnreachable()
        case .brIf:
            let condition = try popCondition()
            try leave(instruction.index, from: build.block)
            let rest = newBlock()
            build.branch(condition, try frame(instruction.index).target, rest)
            build.position(rest)
        case .brTable: try lowerBranchTable(instruction)
        case .return:
            let outermost = UInt32(frames.count - 1)
            try leave(outermost, from: build.block)
            build.branch(try frame(outermost).target)
            becomeUnreachable()
        default: break
        }
    }

    /// Opens the construct that is the body itself.
    func openFunction() { open(.block, result: type.results.first) }

    private func open(_ kind: Frame.Kind, result: ValueType?) {
        var frame = Frame(kind: kind, base: stack.count, target: module.ir.makeBlock(), result: result)
        frame.region = withValues { variables in
            variables.open()
            return variables.makeRegion(frame.target)
        }
        frames.append(frame)
    }

    private func result(_ instruction: Instruction) throws(LoweringError) -> ValueType? {
        switch instruction.blockType {
        case .empty: return nil
        case .value(let type): return type
        case .type(let index):
            guard let type = module.module.type(index), type.parameters.isEmpty, type.results.count <= 1 else {
                throw fail("a block has several values")
            }
            return type.results.first
        }
    }

    private func frameIndex(_ label: UInt32) throws(LoweringError) -> Int {
        guard Int(label) < frames.count else { throw fail("label \(label) does not exist") }
        return frames.count - 1 - Int(label)
    }

    private func frame(_ label: UInt32) throws(LoweringError) -> Frame { frames[try frameIndex(label)] }

    /// Notes a branch from `block` to a label; the value it carries stays on the stack.
    private func leave(_ label: UInt32, from block: Block) throws(LoweringError) {
        let target = try frameIndex(label)
        if let region = frames[target].region { withValues { $0.addEdge(from: block, to: region) } }
        guard frames[target].kind != .loop else { return }
        if frames[target].result != nil {
            guard let operand = stack.popLast() else { throw fail("a branch has no value") }
            let value = value(of: operand)
            push(value)
            frames[target].incoming.append((value, block))
        }
        frames[target].reached = true
        frames[target].gasStored = frames[target].gasStored && gasStored
    }

    private func lowerIf(_ instruction: Instruction) throws(LoweringError) {
        let condition = try popCondition()
        let then = newBlock()
        open(.if, result: try result(instruction))
        let otherwise = module.ir.makeBlock()
        frames[frames.count - 1].otherwise = otherwise
        frames[frames.count - 1].gasStoredAtElse = gasStored
        build.branch(condition, then, otherwise)
        build.position(then)
    }

    /// Falls out of the innermost construct, when its end can be reached.
    private func fallThrough() throws(LoweringError) {
        guard reachable, let frame = frames.last else { return }
        if frame.kind == .loop {
            // A loop's result stays where it is: nothing else reaches its end.
            return
        }
        try leave(0, from: build.block)
        build.branch(frame.target)
    }

    private func beginOtherwise(_ otherwise: Block, _ frame: Frame) {
        module.ir.append(otherwise, to: function)
        build.position(otherwise)
        withValues { $0.restart() }
        gasStored = frame.gasStoredAtElse
        reachable = true
    }

    func lowerElse() throws(LoweringError) {
        try fallThrough()
        guard var frame = frames.popLast(), let otherwise = frame.otherwise else { throw fail("else without if") }
        frame.otherwise = nil
        stack.removeLast(stack.count - frame.base)
        frames.append(frame)
        beginOtherwise(otherwise, frame)
    }

    func lowerEnd() throws(LoweringError) {
        try fallThrough()
        if let frame = frames.last, let otherwise = frame.otherwise {
            // An `if` without `else`: its second arm is empty.
            beginOtherwise(otherwise, frame)
            try fallThrough()
        }
        guard let frame = frames.popLast() else { throw fail("end without a construct") }
        if frame.kind == .loop {
            if let region = frame.region { withValues { $0.closeLoop(region) } }
            guard reachable else { return }
            guard stack.count == frame.base + (frame.result == nil ? 0 : 1) else {
                throw fail("a loop leaves operands")
            }
            return
        }
        stack.removeLast(stack.count - frame.base)
        if let region = frame.region { withValues { $0.close(region) } }
        module.ir.append(frame.target, to: function)
        guard frame.reached else {
            module.ir.delete(frame.target)
            reachable = false
            deadDepth = 0
            return
        }
        build.position(frame.target)
        reachable = true
        gasStored = frame.gasStored
        if let result = frame.result {
            let phi = build.phi(module.type(result))
            for (value, block) in frame.incoming { build.addIncoming(phi, value, from: block) }
            push(phi)
        }
        if frames.isEmpty { lowerReturn() }
    }

    private func lowerReturn() {
        reachable = false
        guard let operand = stack.popLast() else { return build.return(gas) }
        let pair = build.insert(module.ir.zero(module.internalResult(type)), value(of: operand), 0)
        build.return(build.insert(pair, gas, 1))
    }

    private func lowerBranchTable(_ instruction: Instruction) throws(LoweringError) {
        let selector = try pop()
        guard Int(instruction.index) < body.branchTables.count,
            let last = body.branchTables[Int(instruction.index)].last
        else { throw fail("branch table \(instruction.index) does not exist") }
        let labels = body.branchTables[Int(instruction.index)]
        let here = build.block
        var cases: [(Value, Block)] = []
        cases.reserveCapacity(labels.count)
        for (number, label) in labels.dropLast().enumerated() {
            // The same target as the default needs no case of its own.
            if label == last { continue }
            try leave(label, from: here)
            cases.append((module.i32(UInt32(number)), try frame(label).target))
        }
        try leave(last, from: here)
        build.switch(selector, default: try frame(last).target, cases: cases)
        becomeUnreachable()
    }

    /// Steps over an instruction that cannot be reached, until its construct continues.
    func skip(_ instruction: Instruction) throws(LoweringError) {
        if instruction.opcode == .loop { nextLoop += 1 }
        switch instruction.opcode {
        case .block, .loop, .if: deadDepth += 1
        case .else where deadDepth == 0: try lowerElse()
        case .end:
            if deadDepth > 0 { deadDepth -= 1 } else { try lowerEnd() }
        default: break
        }
    }
}
