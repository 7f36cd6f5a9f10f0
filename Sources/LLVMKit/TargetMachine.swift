import CLLVM

/// LLVM's code generator for one target.
public struct TargetMachine: ~Copyable {
    /// What `emit` makes.
    public enum Product: Sendable {
        case object, assembly
    }

    let raw: LLVMTargetMachineRef
    let triple: String

    /// - Parameters: `cpu` is a named level such as `x86-64-v2`; code is position independent.
    public init(triple: String, cpu: String) throws(LLVMError) {
        startOnce
        var target: LLVMTargetRef?
        var message: UnsafeMutablePointer<CChar>?
        if LLVMGetTargetFromTriple(triple, &target, &message) != 0 {
            throw LLVMError(stage: .target, message: takeMessage(message))
        }
        let options = LLVMCreateTargetMachineOptions()
        defer { LLVMDisposeTargetMachineOptions(options) }
        LLVMTargetMachineOptionsSetCPU(options, cpu)
        LLVMTargetMachineOptionsSetRelocMode(options, LLVMRelocPIC)
        LLVMTargetMachineOptionsSetCodeModel(options, LLVMCodeModelSmall)
        LLVMTargetMachineOptionsSetCodeGenOptLevel(options, LLVMCodeGenLevelDefault)
        guard let target, let raw = LLVMCreateTargetMachineWithOptions(target, triple, options) else {
            throw LLVMError(stage: .target, message: "no code generator for \(triple)")
        }
        self.raw = raw
        self.triple = triple
    }

    deinit { LLVMDisposeTargetMachine(raw) }

    /// Has LLVM print the passes of every code generator that is set up from now on, to standard error.
    public static func showPasses() {
        startOnce
        parse(["smelt", "-debug-pass=Structure"])
    }

    /// Generates code for `module`. The module is changed by it and good for nothing else afterwards.
    public func emit(_ module: borrowing IRModule, _ product: Product) throws(LLVMError) -> [UInt8] {
        var buffer: LLVMMemoryBufferRef?
        var message: UnsafeMutablePointer<CChar>?
        let file = product == .object ? LLVMObjectFile : LLVMAssemblyFile
        if LLVMTargetMachineEmitToMemoryBuffer(raw, module.raw, file, &message, &buffer) != 0 {
            throw LLVMError(stage: .emit, message: takeMessage(message))
        }
        defer { LLVMDisposeMemoryBuffer(buffer) }
        if let error = module.diagnostics.errors.first { throw LLVMError(stage: .emit, message: error) }
        // Sound: the buffer is alive until the end of this function and has that many bytes.
        return Array(UnsafeRawBufferPointer(start: LLVMGetBufferStart(buffer), count: LLVMGetBufferSize(buffer)))
    }
}

/// LLVM's version, `major.minor.patch`.
public let llvmVersion: String = {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var patch: UInt32 = 0
    LLVMGetVersion(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
}()

/// Registers the targets and sets LLVM's process-wide options, once.
private let startOnce: Void = {
    LLVMInitializeX86TargetInfo()
    LLVMInitializeX86Target()
    LLVMInitializeX86TargetMC()
    LLVMInitializeX86AsmPrinter()
    LLVMInitializeAArch64TargetInfo()
    LLVMInitializeAArch64Target()
    LLVMInitializeAArch64TargetMC()
    LLVMInitializeAArch64AsmPrinter()
    // CodeGenPrepare takes two thirds of the time (it restarts on a function after every change) and gains nothing here.
    // The cmov converter turns data-dependent selects of sorting loops into mispredicted branches.
    // Loop strength reduction takes a sixth of the code generator's time for a percent of speed: 32-bit indices that
    // may wrap leave it little to do.
    // Two passes over IR look for what Smelt never writes: chains of comparisons to merge, calls of the C library.
    // There are no variables to follow, only lines; the newer way of following them takes its time nevertheless.
    // The register allocator looks a fiftieth as far around for regions to split live ranges in: of functions with
    // thousands of blocks it took a fifth of the time.
    // The counter's values make one live range through the whole function; the register coalescer looks at a range of
    // more than 50 values 32 times and not 256 times, each of which costs its length.
    // Following copies through phis, the peephole optimiser goes round in a cycle of moves between register banks until
    // its stack ends (llvm-project#216271).
    let words: [StaticString] = [
        "smelt", "-disable-adv-copy-opt", "-x86-cmov-converter=false", "-disable-cgp", "-disable-lsr",
        "-disable-mergeicmps", "-disable-partial-libcall-inlining",
        "-experimental-debug-variable-locations=false", "-grow-region-complexity-budget=200",
        "-large-interval-size-threshold=50", "-large-interval-freq-threshold=32",
    ]
    parse(words)
}()

private func parse(_ words: [StaticString]) {
    // Sound: a static string is null-terminated and lives as long as the process.
    let pointers: [UnsafePointer<CChar>?] = words.map {
        UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self)
    }
    LLVMParseCommandLineOptions(Int32(pointers.count), pointers, nil)
}
