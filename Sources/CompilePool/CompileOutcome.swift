import ArtifactFormat
import Crypto
import Primitives
import WorkerProtocol

/// A module to compile.
public struct CompileInput: Sendable {
    /// For people: the actor's name or the file's.
    public var name: String
    public var cid: Cid
    public var wasm: [UInt8]

    /// - Parameter cid: the CID of `wasm`, which the caller has checked.
    public init(name: String, cid: Cid, wasm: [UInt8]) {
        self.name = name
        self.cid = cid
        self.wasm = wasm
    }

    /// A module that comes without a CID.
    public init(name: String, wasm: [UInt8]) {
        self.init(name: name, cid: .blake2b256(codec: Cid.raw, data: wasm), wasm: wasm)
    }
}

/// What one compilation used.
public struct CompileUsage: Sendable, Hashable {
    /// Processor time, the linker's included.
    public var cpuMicroseconds: UInt64
    /// Bytes of memory at the highest.
    public var peakMemory: UInt64
}

/// A compiled actor.
public struct CompiledActor: Sendable {
    public var object: LoadableObject
    public var manifest: Manifest
    /// Facts and usage when it was compiled now, nil when it was there already.
    public var facts: CompileFacts?
    public var usage: CompileUsage?
    /// Why the optimising tier failed on this machine, when it did and the baseline tier did the work.
    public var baselineReason: LocalFailure?
}

/// Something went wrong on this machine. Never a fact about the module, never a receipt.
public enum LocalFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// No compiler, or none that works.
    case noCompiler(String)
    /// The compiling process took more processor time than its limit.
    case timeLimit(seconds: UInt64)
    /// It used up its memory; limit in bytes.
    case memoryLimit(UInt64, messages: String)
    /// It was killed by a signal, or ended without an answer (signal 0 and its exit status).
    case crashed(signal: Int32, status: Int32, messages: String)
    /// It was stopped, or took nothing, for this many seconds, twice.
    case stuck(seconds: UInt64)
    /// It said that it failed.
    case compiler(String)
    /// What it gave breaks a rule of the object format.
    case badObject(ArtifactError)
    /// The first failure, and how the baseline tier failed too.
    indirect case bothTiers(LocalFailure, LocalFailure)

    public var description: String {
        switch self {
        case .noCompiler(let reason): "no compiler: \(reason)"
        case .timeLimit(let seconds): "the compiler took more than its \(seconds) s of processor time and was stopped"
        case .memoryLimit(let bytes, let messages):
            "the compiler used up its \(bytes >> 20) MiB of memory" + LocalFailure.quoted(messages)
        case .crashed(0, let status, let messages):
            "the compiler ended with status \(status) and without an answer" + LocalFailure.quoted(messages)
        case .crashed(let signal, _, let messages):
            "the compiler was killed by signal \(signal)" + LocalFailure.quoted(messages)
        case .stuck(let seconds): "the compiler stood still for \(seconds) s and was given up"
        case .compiler(let reason): "the compiler failed: \(reason)"
        case .badObject(let error): "the compiler made a bad object: \(error)"
        case .bothTiers(let first, let second): "\(first); without optimisation: \(second)"
        }
    }

    private static func quoted(_ messages: String) -> String { messages.isEmpty ? "" : ": \(messages)" }
}

/// What came of one input.
public enum CompileOutcome: Sendable {
    case compiled(CompiledActor)
    /// The FVM refuses the module: stage, place and rule.
    case refused(String)
    case failed(LocalFailure)
}

/// How far all inputs of a call are, for progress displays.
public struct PoolProgress: Sendable {
    /// One compilation that runs now.
    public struct Running: Sendable {
        public var name: String
        public var progress: CompileProgress
        /// Bytes of memory of its process at the moment.
        public var memory: UInt64
    }

    /// Inputs done, and all inputs.
    public var done: Int
    public var total: Int
    /// In the order of the inputs.
    public var running: [Running]
    /// How much of the compiling is done, 0...1, by the bytes of WASM that had to be compiled.
    public var fraction: Double
}
