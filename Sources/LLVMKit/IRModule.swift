import CLLVM

/// One LLVM context with one module and one builder in it, disposed together.
///
/// Every `IRType`, `Value`, `Block` and `Builder` got from it dies with it.
public struct IRModule: ~Copyable {
    let context: LLVMContextRef
    let raw: LLVMModuleRef
    /// Builds instructions at a position that the caller sets.
    public let builder: Builder
    /// The types that every module needs.
    public let types: CommonTypes
    /// Problems that LLVM reported, in order; errors make `emit` fail.
    public let diagnostics: Diagnostics

    /// Makes an empty module for `machine`'s triple and data layout.
    public init(name: String, machine: borrowing TargetMachine) {
        let context: LLVMContextRef = LLVMContextCreate()
        let raw: LLVMModuleRef = LLVMModuleCreateWithNameInContext(name, context)
        self.context = context
        self.raw = raw
        builder = Builder(context: context)
        types = CommonTypes(context: context)
        diagnostics = Diagnostics()
        LLVMSetTarget(raw, machine.triple)
        let layout = LLVMCreateTargetDataLayout(machine.raw)
        LLVMSetModuleDataLayout(raw, layout)
        LLVMDisposeTargetData(layout)
        diagnostics.listen(context)
    }

    deinit {
        LLVMDisposeBuilder(builder.raw)
        LLVMDisposeModule(raw)
        LLVMContextDispose(context)
    }

    // MARK: Types

    /// A struct type without a name.
    public func structType(_ elements: [IRType], packed: Bool = false) -> IRType {
        var raws: [LLVMTypeRef?] = elements.map(\.raw)
        return IRType(LLVMStructTypeInContext(context, &raws, UInt32(raws.count), packed ? 1 : 0))
    }

    /// An array type.
    public func arrayType(_ element: IRType, count: Int) -> IRType {
        IRType(LLVMArrayType2(element.raw, UInt64(count)))
    }

    /// A function type without variable arguments.
    public func functionType(_ parameters: [IRType], _ result: IRType) -> IRType {
        var raws: [LLVMTypeRef?] = parameters.map(\.raw)
        return IRType(LLVMFunctionType(result.raw, &raws, UInt32(raws.count), 0))
    }

    // MARK: Constants

    /// An integer constant of `type`, truncated to its width.
    public func constant(_ type: IRType, _ value: UInt64) -> Value {
        Value(LLVMConstInt(type.raw, value, 0))
    }

    /// A float constant of `type` with these bits, NaN payloads included.
    public func floatConstant(_ type: IRType, bits: UInt64) -> Value {
        Value(LLVMConstBitCast(constant(type == types.f32 ? types.i32 : types.i64, bits).raw, type.raw))
    }

    /// All zero bits of any type.
    public func zero(_ type: IRType) -> Value { Value(LLVMConstNull(type.raw)) }

    /// No particular value: what is not read takes no instruction.
    public func poison(_ type: IRType) -> Value { Value(LLVMGetPoison(type.raw)) }

    /// A byte string without a terminator.
    public func bytes(_ bytes: [UInt8]) -> Value {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                Value(LLVMConstStringInContext2(context, $0.baseAddress, $0.count, 1))
            }
        }
    }

    /// An array of constants of one type.
    public func array(_ element: IRType, _ values: [Value]) -> Value {
        var raws: [LLVMValueRef?] = values.map(\.raw)
        return Value(LLVMConstArray2(element.raw, &raws, UInt64(raws.count)))
    }

    /// A struct of constants without a named type.
    public func structure(_ values: [Value], packed: Bool = false) -> Value {
        var raws: [LLVMValueRef?] = values.map(\.raw)
        return Value(LLVMConstStructInContext(context, &raws, UInt32(raws.count), packed ? 1 : 0))
    }

    /// The distance in bytes between two symbols of one section, as a 64-bit constant.
    public func distance(from start: Value, to end: Value) -> Value {
        Value(LLVMConstSub(LLVMConstPtrToInt(end.raw, types.i64.raw), LLVMConstPtrToInt(start.raw, types.i64.raw)))
    }

    // MARK: Globals and functions

    /// A constant global.
    public func addConstant(_ name: String, _ value: Value, _ visibility: Visibility, alignment: Int = 8) -> Value {
        let global: LLVMValueRef = LLVMAddGlobal(raw, LLVMTypeOf(value.raw), name)
        LLVMSetInitializer(global, value.raw)
        LLVMSetGlobalConstant(global, 1)
        LLVMSetAlignment(global, UInt32(alignment))
        visibility.apply(to: global)
        return Value(global)
    }

    /// A constant that another object of the linked one has.
    public func declareConstant(_ name: String) -> Value {
        let global: LLVMValueRef = LLVMAddGlobal(raw, types.i64.raw, name)
        LLVMSetGlobalConstant(global, 1)
        Visibility.linked.apply(to: global)
        return Value(global)
    }

    /// A function; one that never gets a block is another object's.
    public func addFunction(
        _ name: String, _ type: IRType, convention: CallingConvention, _ visibility: Visibility = .own
    ) -> Function {
        let function: LLVMValueRef = LLVMAddFunction(raw, name, type.raw)
        visibility.apply(to: function)
        LLVMSetFunctionCallConv(function, convention.number)
        return Function(value: Value(function), type: type)
    }

    /// The declaration of an intrinsic, for the types that tell its overloads apart.
    public func intrinsic(_ name: StaticString, _ overloads: [IRType]) -> Function {
        let id = name.withUTF8Buffer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { LLVMLookupIntrinsicID($0.baseAddress, $0.count) }
        }
        var raws: [LLVMTypeRef?] = overloads.map(\.raw)
        let function: LLVMValueRef = LLVMGetIntrinsicDeclaration(raw, id, &raws, raws.count)
        return Function(value: Value(function), type: IRType(LLVMGlobalGetValueType(function)))
    }

    /// A new block at the end of `function`.
    public func addBlock(_ function: Function) -> Block {
        Block(LLVMAppendBasicBlockInContext(context, function.value.raw, ""))
    }

    /// A block that belongs to no function yet.
    public func makeBlock() -> Block { Block(LLVMCreateBasicBlockInContext(context, "")) }

    /// Puts a block from `makeBlock` at the end of `function`.
    public func append(_ block: Block, to function: Function) {
        LLVMAppendExistingBasicBlock(function.value.raw, block.raw)
    }

    /// Deletes a block that nothing refers to.
    public func delete(_ block: Block) { LLVMDeleteBasicBlock(block.raw) }

    // MARK: Attributes and metadata

    /// An attribute without a value, such as `noinline`.
    public func attribute(_ name: StaticString) -> Attribute {
        let kind = name.withUTF8Buffer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { LLVMGetEnumAttributeKindForName($0.baseAddress, $0.count) }
        }
        return Attribute(raw: LLVMCreateEnumAttribute(context, kind, 0))
    }

    /// An attribute of text, such as `"no-builtins"`.
    public func attribute(_ name: String, value: String) -> Attribute {
        Attribute(
            raw: LLVMCreateStringAttribute(
                context, name, UInt32(name.utf8.count), value, UInt32(value.utf8.count)))
    }

    /// Adds an attribute to a function.
    public func add(_ attribute: Attribute, to function: Function, at place: AttributePlace = .function) {
        LLVMAddAttributeAtIndex(function.value.raw, place.index, attribute.raw)
    }

    /// Branch weights that say the first successor is next to never taken.
    public func unlikely() -> Annotation {
        let name = "branch_weights"
        var operands: [LLVMMetadataRef?] = [
            LLVMMDStringInContext2(context, name, name.utf8.count),
            LLVMValueAsMetadata(LLVMConstInt(types.i32.raw, 1, 0)),
            LLVMValueAsMetadata(LLVMConstInt(types.i32.raw, 1 << 20, 0)),
        ]
        let node = LLVMMDNodeInContext2(context, &operands, operands.count)
        return Annotation(kind: metadataKind("prof"), node: Value(LLVMMetadataAsValue(context, node)))
    }

    /// The mark of a load from a place that does not change while compiled code runs.
    public func invariantLoad() -> Annotation {
        let node = LLVMMDNodeInContext2(context, nil, 0)
        return Annotation(kind: metadataKind("invariant.load"), node: Value(LLVMMetadataAsValue(context, node)))
    }

    private func metadataKind(_ name: String) -> UInt32 {
        LLVMGetMDKindIDInContext(context, name, UInt32(name.utf8.count))
    }

    // MARK: Whole-module operations

    /// Runs LLVM's verifier.
    public func verify() throws(LLVMError) {
        var message: UnsafeMutablePointer<CChar>?
        let failed = LLVMVerifyModule(raw, LLVMReturnStatusAction, &message) != 0
        let text = takeMessage(message)
        if failed { throw LLVMError(stage: .verify, message: text) }
    }

    /// The module as text.
    public func text() -> [UInt8] {
        guard let text = LLVMPrintModuleToString(raw) else { return [] }
        defer { LLVMDisposeMessage(text) }
        return Array(String(cString: text).utf8)
    }
}

/// Types that every module needs.
public struct CommonTypes {
    public let void, i1, i8, i16, i32, i64, f32, f64, pointer: IRType
    /// Sixteen bytes that one instruction moves.
    public let twoI64: IRType

    init(context: LLVMContextRef) {
        void = IRType(LLVMVoidTypeInContext(context))
        i1 = IRType(LLVMInt1TypeInContext(context))
        i8 = IRType(LLVMInt8TypeInContext(context))
        i16 = IRType(LLVMInt16TypeInContext(context))
        i32 = IRType(LLVMInt32TypeInContext(context))
        i64 = IRType(LLVMInt64TypeInContext(context))
        f32 = IRType(LLVMFloatTypeInContext(context))
        f64 = IRType(LLVMDoubleTypeInContext(context))
        pointer = IRType(LLVMPointerTypeInContext(context, 0))
        twoI64 = IRType(LLVMVectorType(i64.raw, 2))
    }
}

/// Metadata to hang on an instruction.
public struct Annotation {
    let kind: UInt32
    let node: Value
}
