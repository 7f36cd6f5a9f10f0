import CLLVM

/// A place in the source, to hang on instructions.
public struct DebugLocation {
    let raw: LLVMMetadataRef
}

/// A function's entry in the debug information, the scope of its places.
public struct DebugScope {
    let raw: LLVMMetadataRef
    let context: LLVMContextRef

    /// The place at byte `line` of the binary.
    public func location(line: UInt32) -> DebugLocation {
        DebugLocation(raw: LLVMDIBuilderCreateDebugLocation(context, line, 0, raw, nil))
    }
}

/// Line tables (nothing else) for one module: a line number is a byte offset in the WASM binary.
public struct LineTables: ~Copyable {
    private let builder: LLVMDIBuilderRef
    private let context: LLVMContextRef
    private let file: LLVMMetadataRef
    private let type: LLVMMetadataRef

    /// - Parameters: `fileName` is put into the tables in place of a path; `producer` names the compiler.
    public init(_ module: borrowing IRModule, fileName: String, producer: String) {
        context = module.context
        builder = LLVMCreateDIBuilder(module.raw)
        let directory = "/"
        file = LLVMDIBuilderCreateFile(
            builder, fileName, fileName.utf8.count, directory, directory.utf8.count)
        LLVMDIBuilderCreateCompileUnit(
            builder, LLVMDWARFSourceLanguageC99, file, producer, producer.utf8.count, 1, "", 0, 0, "", 0,
            LLVMDWARFEmissionLineTablesOnly, 0, 0, 0, "", 0, "", 0)
        type = LLVMDIBuilderCreateSubroutineType(builder, file, nil, 0, LLVMDIFlagZero)
        for (name, value) in [("Debug Info Version", UInt64(LLVMDebugMetadataVersion())), ("Dwarf Version", 5)] {
            let constant = LLVMValueAsMetadata(LLVMConstInt(module.types.i32.raw, value, 0))
            LLVMAddModuleFlag(module.raw, LLVMModuleFlagBehaviorWarning, name, name.utf8.count, constant)
        }
    }

    deinit { LLVMDisposeDIBuilder(builder) }

    /// Makes `function` a scope that starts at byte `line`.
    public func add(_ function: Function, name: String, line: UInt32) -> DebugScope {
        let scope: LLVMMetadataRef = LLVMDIBuilderCreateFunction(
            builder, file, name, name.utf8.count, "", 0, file, line, type, 1, 1, line, LLVMDIFlagZero, 1)
        LLVMSetSubprogram(function.value.raw, scope)
        return DebugScope(raw: scope, context: context)
    }

    /// Must be called once, after the last function.
    public func finish() { LLVMDIBuilderFinalize(builder) }
}
