import Primitives
import Syscalls

/// A syscall's result as it lies in guest memory: little-endian, packed, in order of its fields (FVM syscalls
/// specification, section 2).
struct ResultBytes {
    /// Which of the layouts it is.
    let layout: ResultLayout
    private(set) var bytes: [UInt8] = []

    private init(_ layout: ResultLayout) {
        self.layout = layout
        bytes.reserveCapacity(Int(layout.size))
    }

    /// 32-bit numbers.
    static func number(_ value: UInt32) -> ResultBytes { made(.number32) { $0.append(value) } }
    static func number(_ value: Int32) -> ResultBytes { number(UInt32(bitPattern: value)) }

    /// Gas or an id.
    static func number(_ value: UInt64) -> ResultBytes { made(.number64) { $0.append(value) } }

    /// 32 bytes as they are.
    static func digest(_ raw: [UInt8]) -> ResultBytes { made(.digest) { $0.bytes = raw } }

    /// 65 bytes as they are.
    static func publicKey(_ raw: [UInt8]) -> ResultBytes { made(.publicKey) { $0.bytes = raw } }

    /// attoFIL; fatal when it is negative or has more than 128 bits.
    static func amount(_ amount: TokenAmount, _ what: StaticString) throws(ExecutionError) -> ResultBytes {
        try made(.tokenAmount) { (result) throws(ExecutionError) in try result.append(amount, what) }
    }

    /// An opened block.
    static func ipldOpen(codec: UInt64, handle: UInt32, size: Int) -> ResultBytes {
        made(.ipldOpen) {
            $0.append(codec)
            $0.append(handle)
            $0.append(UInt32(clamping: size))
        }
    }

    /// A block's facts.
    static func ipldStat(codec: UInt64, size: Int) -> ResultBytes {
        made(.ipldStat) {
            $0.append(codec)
            $0.append(UInt32(clamping: size))
        }
    }

    /// A completed call; `handle` is 0 without a return block.
    static func send(_ code: ExitCode, handle: UInt32, block: Block?) -> ResultBytes {
        made(.send) {
            $0.append(code.rawValue)
            $0.append(handle)
            $0.append(block?.codec ?? 0)
            $0.append(UInt32(clamping: block?.data.count ?? 0))
        }
    }

    /// A fault of actor `target`, or zeros.
    static func consensusFault(epoch: Int64, target: UInt64, kind: UInt32) -> ResultBytes {
        made(.consensusFault) {
            $0.append(epoch)
            $0.append(target)
            $0.append(kind)
        }
    }

    /// What the node says of the tipset.
    static func networkContext(_ network: NetworkFacts) throws(ExecutionError) -> ResultBytes {
        try made(.networkContext) { (result) throws(ExecutionError) in
            result.append(network.epoch)
            result.append(network.timestamp)
            try result.append(network.baseFee, "the base fee")
            result.append(network.chainID)
            result.append(network.version.rawValue)
        }
    }

    /// What the actor may know of its call and of the message behind it.
    static func messageContext(_ message: MessageFacts, _ frame: InvocationFrame) throws(ExecutionError) -> ResultBytes
    {
        try made(.messageContext) { (result) throws(ExecutionError) in
            result.append(message.originID)
            result.append(message.nonce)
            result.append(frame.caller)
            result.append(frame.receiver)
            result.append(frame.method)
            try result.append(frame.value, "the value received")
            try result.append(message.effectivePremium, "the gas premium")
            result.append(UInt64(frame.readOnly ? 1 : 0))
        }
    }

    private static func made(
        _ layout: ResultLayout, _ fill: (inout ResultBytes) throws(ExecutionError) -> Void
    ) throws(ExecutionError) -> ResultBytes {
        var result = ResultBytes(layout)
        try fill(&result)
        return result
    }

    private static func made(_ layout: ResultLayout, _ fill: (inout ResultBytes) -> Void) -> ResultBytes {
        var result = ResultBytes(layout)
        fill(&result)
        return result
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    private mutating func append(_ amount: TokenAmount, _ what: StaticString) throws(ExecutionError) {
        guard let halves = amount.u128 else {
            throw .fatal("\(what) of \(amount.decimal) attoFIL does not fit 128 bits")
        }
        append(halves.lo)
        append(halves.hi)
    }
}

extension SyscallResult {
    static func number(_ value: UInt32) -> SyscallResult { .value(.number(value)) }
    static func number(_ value: Int32) -> SyscallResult { .value(.number(value)) }
    static func number(_ value: UInt64) -> SyscallResult { .value(.number(value)) }

    static func amount(_ amount: TokenAmount, _ what: StaticString) throws(ExecutionError) -> SyscallResult {
        .value(try .amount(amount, what))
    }
}
