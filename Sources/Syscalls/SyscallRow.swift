import WasmFormat

/// A declared parameter of a syscall; what it means decides its WASM types and its bounds checks.
public enum SyscallParameter: Sendable, Hashable {
    /// An i32 taken as unsigned: handle, code, count, boolean.
    case u32(String)
    /// An i64.
    case u64(String)
    /// An i32 address of a CID that ends where the CID ends.
    case cid(String)
    /// An i32 address of a known number of bytes that the syscall reads.
    case fixed(String, bytes: UInt32)
    /// An i32 address whose length follows from other parameters.
    case array(String)
    /// Two i32, offset and length of bytes the syscall reads.
    case input(String)
    /// Two i32, offset and length of bytes the syscall writes.
    case output(String)

    /// Types in the import's signature.
    public var types: [ValueType] {
        switch self {
        case .u32, .cid, .fixed, .array: [.i32]
        case .u64: [.i64]
        case .input, .output: [.i32, .i32]
        }
    }

    /// For texts.
    public var name: String {
        switch self {
        case .u32(let name), .u64(let name), .cid(let name), .fixed(let name, _), .array(let name),
            .input(let name), .output(let name):
            name
        }
    }
}

/// One syscall of one generation.
public struct SyscallRow: Sendable, Hashable {
    /// Which syscall the row is of.
    public let syscall: Syscall
    /// The import's module.
    public let module: String
    /// For texts.
    public let name: String
    /// Bytes of the value written at the hidden first parameter `ret`; 0 when there is no such parameter.
    public let resultSize: UInt32
    /// Declared parameters, without the hidden `ret`.
    public let parameters: [SyscallParameter]
    /// The import's exact type.
    public let type: FunctionType
    /// The type as "parameter count, result count, type bytes…", the form `ModuleFacts` has.
    public let signature: [UInt8]

    init(
        _ syscall: Syscall, _ module: String, _ name: String, result resultSize: UInt32 = 0,
        _ parameters: [SyscallParameter] = []
    ) {
        self.syscall = syscall
        self.module = module
        self.name = name
        self.resultSize = resultSize
        self.parameters = parameters
        type = FunctionType(
            parameters: (resultSize > 0 ? [.i32] : []) + parameters.flatMap(\.types), results: [.i32])
        signature =
            [UInt8(type.parameters.count), UInt8(type.results.count)] + type.parameters.map(\.rawValue)
            + type.results.map(\.rawValue)
    }

    /// `module::name`, as texts name it.
    public var title: String { "\(module)::\(name)" }
}
