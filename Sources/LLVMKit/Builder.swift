import CLLVM

/// Builds the instructions that the lowering emits, at the end of the current block.
public struct Builder {
    let raw: LLVMBuilderRef
    private let context: LLVMContextRef

    init(context: LLVMContextRef) {
        self.context = context
        raw = LLVMCreateBuilderInContext(context)
    }

    // MARK: Position

    /// Continues at the end of `block`.
    public func position(_ block: Block) { LLVMPositionBuilderAtEnd(raw, block.raw) }

    /// The block that the next instruction goes to.
    public var block: Block { Block(LLVMGetInsertBlock(raw)) }

    // MARK: Arithmetic

    /// The value, as one that LLVM's builder does not know to be a constant: it evaluates every operation on nothing
    /// but constants itself, by rules that nobody here has checked. `freeze` changes no value that is defined.
    private func opaque(_ value: Value) -> Value {
        value.isConstant ? Value(LLVMBuildFreeze(raw, value.raw, "")) : value
    }

    public func binary(_ operation: BinaryOperation, _ a: Value, _ b: Value) -> Value {
        Value(LLVMBuildBinOp(raw, operation.opcode, (b.isConstant ? opaque(a) : a).raw, b.raw, ""))
    }

    public func negateFloat(_ value: Value) -> Value { Value(LLVMBuildFNeg(raw, opaque(value).raw, "")) }

    public func compare(_ predicate: IntegerPredicate, _ a: Value, _ b: Value) -> Value {
        Value(LLVMBuildICmp(raw, predicate.raw, (b.isConstant ? opaque(a) : a).raw, b.raw, ""))
    }

    public func compare(_ predicate: FloatPredicate, _ a: Value, _ b: Value) -> Value {
        Value(LLVMBuildFCmp(raw, predicate.raw, (b.isConstant ? opaque(a) : a).raw, b.raw, ""))
    }

    public func select(_ condition: Value, _ yes: Value, _ no: Value) -> Value {
        Value(LLVMBuildSelect(raw, opaque(condition).raw, yes.raw, no.raw, ""))
    }

    /// Converts, or returns the value itself when it has the type already.
    public func convert(_ conversion: Conversion, _ value: Value, to type: IRType) -> Value {
        value.type == type
            ? value : Value(LLVMBuildCast(raw, conversion.opcode, opaque(value).raw, type.raw, ""))
    }

    // MARK: Memory

    /// A place in the frame, aligned to 8 bytes.
    public func alloca(_ type: IRType) -> Value {
        let place: LLVMValueRef = LLVMBuildAlloca(raw, type.raw, "")
        LLVMSetAlignment(place, 8)
        return Value(place)
    }

    /// `base` plus `offset` bytes (i64), without any promise about the result.
    public func address(_ base: Value, _ offset: Value, byte: IRType) -> Value {
        var index: LLVMValueRef? = offset.raw
        return Value(LLVMBuildGEP2(raw, byte.raw, base.raw, &index, 1, ""))
    }

    /// A load; `alignment` in bytes.
    public func load(
        _ type: IRType, _ pointer: Value, alignment: Int, volatile: Bool = false, annotation: Annotation? = nil
    ) -> Value {
        let load: LLVMValueRef = LLVMBuildLoad2(raw, type.raw, pointer.raw, "")
        LLVMSetAlignment(load, UInt32(alignment))
        if volatile { LLVMSetVolatile(load, 1) }
        if let annotation { LLVMSetMetadata(load, annotation.kind, annotation.node.raw) }
        return Value(load)
    }

    /// A store; `alignment` in bytes.
    public func store(_ value: Value, _ pointer: Value, alignment: Int, volatile: Bool = false) {
        let store: LLVMValueRef = LLVMBuildStore(raw, value.raw, pointer.raw)
        LLVMSetAlignment(store, UInt32(alignment))
        if volatile { LLVMSetVolatile(store, 1) }
    }

    // MARK: Control

    public func branch(_ target: Block) { LLVMBuildBr(raw, target.raw) }

    public func branch(_ condition: Value, _ yes: Block, _ no: Block, annotation: Annotation? = nil) {
        let branch: LLVMValueRef = LLVMBuildCondBr(raw, condition.raw, yes.raw, no.raw)
        if let annotation { LLVMSetMetadata(branch, annotation.kind, annotation.node.raw) }
    }

    /// A switch; `cases` pairs constants of the selector's type with targets.
    public func `switch`(_ selector: Value, default target: Block, cases: [(Value, Block)]) {
        let instruction = LLVMBuildSwitch(raw, selector.raw, target.raw, UInt32(cases.count))
        for (value, block) in cases { LLVMAddCase(instruction, value.raw, block.raw) }
    }

    /// A phi; its incoming values are added when all are known.
    public func phi(_ type: IRType) -> Value { Value(LLVMBuildPhi(raw, type.raw, "")) }

    /// A phi at the beginning of a block that may have instructions already; the position stays where it is.
    public func phi(_ type: IRType, atStartOf block: Block) -> Value {
        at(LLVMGetFirstInstruction(block.raw), in: block.raw) { Value(LLVMBuildPhi(raw, type.raw, "")) }
    }

    /// An i32 as an i64 without sign, computed where the value itself is, so that all that follows can use it; the
    /// position stays where it is.
    public func zeroExtendWhereDefined(_ value: Value, to type: IRType) -> Value {
        func extended() -> Value { Value(LLVMBuildCast(raw, LLVMZExt, value.raw, type.raw, "")) }
        if LLVMIsAArgument(value.raw) != nil {
            guard let entry = LLVMGetEntryBasicBlock(LLVMGetParamParent(value.raw)) else { return extended() }
            return at(LLVMGetFirstInstruction(entry), in: entry, extended)
        }
        if LLVMIsAConstantInt(value.raw) != nil {
            return Value(LLVMConstInt(type.raw, LLVMConstIntGetZExtValue(value.raw), 0))
        }
        guard LLVMIsAInstruction(value.raw) != nil, let block = LLVMGetInstructionParent(value.raw) else {
            return extended()
        }
        var next = LLVMGetNextInstruction(value.raw)
        // Phis stand together at the beginning of their block.
        while let instruction = next, LLVMIsAPHINode(instruction) != nil { next = LLVMGetNextInstruction(instruction) }
        return at(next, in: block, extended)
    }

    /// Builds in front of `instruction`, or at the end of `block`, and comes back to where it was.
    private func at(_ instruction: LLVMValueRef?, in block: LLVMBasicBlockRef, _ body: () -> Value) -> Value {
        let here: LLVMBasicBlockRef? = LLVMGetInsertBlock(raw)
        let location = LLVMGetCurrentDebugLocation2(raw)
        if let instruction {
            LLVMPositionBuilderBefore(raw, instruction)
        } else {
            LLVMPositionBuilderAtEnd(raw, block)
        }
        let value = body()
        if let here { LLVMPositionBuilderAtEnd(raw, here) }
        LLVMSetCurrentDebugLocation2(raw, location)
        return value
    }

    public func addIncoming(_ phi: Value, _ value: Value, from block: Block) {
        var raws: LLVMValueRef? = value.raw
        var blocks: LLVMBasicBlockRef? = block.raw
        LLVMAddIncoming(phi.raw, &raws, &blocks, 1)
    }

    public func `return`(_ value: Value? = nil) {
        if let value { LLVMBuildRet(raw, value.raw) } else { LLVMBuildRetVoid(raw) }
    }

    public func unreachable() { LLVMBuildUnreachable(raw) }

    // MARK: Calls and aggregates

    /// A call of a function or, with its type, of a pointer.
    @discardableResult
    public func call(
        _ callee: Value, _ type: IRType, _ arguments: [Value], convention: CallingConvention = .c,
        attributes: [Attribute] = []
    ) -> Value {
        var raws: [LLVMValueRef?] = arguments.map(\.raw)
        let call: LLVMValueRef = LLVMBuildCall2(raw, type.raw, callee.raw, &raws, UInt32(raws.count), "")
        LLVMSetInstructionCallConv(call, convention.number)
        for attribute in attributes {
            LLVMAddCallSiteAttribute(call, AttributePlace.function.index, attribute.raw)
        }
        return Value(call)
    }

    @discardableResult
    public func call(_ function: Function, _ arguments: [Value], convention: CallingConvention = .c) -> Value {
        call(function.value, function.type, arguments, convention: convention)
    }

    /// Adds an attribute to a call.
    public func add(_ attribute: Attribute, to call: Value, at place: AttributePlace) {
        LLVMAddCallSiteAttribute(call.raw, place.index, attribute.raw)
    }

    /// Lets the code generator turn a call into a jump when its result is returned as it is.
    public func markTail(_ call: Value) { LLVMSetTailCall(call.raw, 1) }

    /// Makes the code generator turn a call into a jump: caller and callee have the same type and convention, and
    /// a return follows.
    public func markMustTail(_ call: Value) { LLVMSetTailCallKind(call.raw, LLVMTailCallKindMustTail) }

    public func extract(_ aggregate: Value, _ index: Int) -> Value {
        Value(LLVMBuildExtractValue(raw, aggregate.raw, UInt32(index), ""))
    }

    public func insert(_ aggregate: Value, _ value: Value, _ index: Int) -> Value {
        Value(LLVMBuildInsertValue(raw, aggregate.raw, opaque(value).raw, UInt32(index), ""))
    }

    // MARK: Places

    /// Instructions built from now on carry `location`; nil for none.
    public func locate(_ location: DebugLocation?) { LLVMSetCurrentDebugLocation2(raw, location?.raw) }
}
