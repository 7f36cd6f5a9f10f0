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

extension SyscallParameter {
    /// What a parameter is, without its name, in one byte.
    public enum Kind: Sendable, Hashable {
        case u32, u64, cid, array, input, output
        /// A known number of bytes, at most 255.
        case fixed(UInt8)
    }

    /// What it is, without its name.
    public var kind: Kind {
        switch self {
        case .u32: .u32
        case .u64: .u64
        case .cid: .cid
        case .fixed(_, let bytes): .fixed(UInt8(clamping: bytes))
        case .array: .array
        case .input: .input
        case .output: .output
        }
    }
}

/// What a syscall writes at the hidden first parameter `ret`: the layouts of the FVM syscalls specification, section 2.
public enum ResultLayout: UInt8, Sendable, Hashable {
    /// No value, and no parameter `ret`.
    case none
    /// A 32-bit number: length, handle, type, verdict, bytes left.
    case number32
    /// A 64-bit number: actor id, gas.
    case number64
    /// 32 bytes.
    case digest
    /// An uncompressed secp256k1 key.
    case publicKey
    /// Low half, then high half of attoFIL.
    case tokenAmount
    case ipldOpen
    case ipldStat
    case send
    case consensusFault
    case networkContext
    case messageContext

    /// Bytes.
    public var size: UInt32 {
        switch self {
        case .none: 0
        case .number32: 4
        case .number64: 8
        case .digest: 32
        case .publicKey: 65
        case .tokenAmount, .ipldOpen: 16
        case .ipldStat: 12
        case .send, .consensusFault: 20
        case .networkContext: 44
        case .messageContext: 80
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
    /// What is written at the hidden first parameter `ret`.
    public let result: ResultLayout
    /// Declared parameters, without the hidden `ret`.
    public let parameters: [SyscallParameter]
    /// The import's exact type.
    public let type: FunctionType
    /// The type in the form `ModuleFacts` has it in.
    public let signature: [UInt8]

    init(
        _ syscall: Syscall, _ module: String, _ name: String, result: ResultLayout = .none,
        _ parameters: [SyscallParameter] = []
    ) {
        self.syscall = syscall
        self.module = module
        self.name = name
        self.result = result
        self.parameters = parameters
        type = FunctionType(
            parameters: (result == .none ? [] : [.i32]) + parameters.flatMap(\.types), results: [.i32])
        signature = type.signature
    }

    /// Bytes of the value written at `ret`; 0 when there is no such parameter.
    public var resultSize: UInt32 { result.size }

    /// `module::name`, as texts name it.
    public var title: String { "\(module)::\(name)" }
}
