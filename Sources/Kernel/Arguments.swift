import Engine
import IPLD
import Primitives
import Syscalls

/// The parameters of one host call, taken one after another by the kinds of the syscall's row.
///
/// Where the row says memory, the range is checked as it is taken; `unchecked` puts that off for the syscalls that
/// look at something else first.
struct Arguments {
    /// Declared parameters take at most eight WASM parameters.
    private var values: InlineArray<8, UInt64>
    private let kinds: ParameterKinds
    private var value = 0
    private var parameter = 0

    /// - Parameter values: the declared ones, without the result's address; at least as many as the kinds take.
    init(_ values: Span<UInt64>, _ kinds: ParameterKinds) {
        self.values = InlineArray(repeating: 0)
        for index in 0..<min(values.count, 8) { self.values[index] = values[index] }
        self.kinds = kinds
    }

    /// Moves to the next parameter, which must be of a kind: a handler that reads its row otherwise is a mistake of
    /// this program, and nothing may come of it.
    private mutating func next(_ kind: SyscallParameter.Kind) throws(ExecutionError) -> UInt64 {
        guard kinds[parameter] == kind else {
            throw .local("parameter \(parameter) of a syscall was taken as \(kind), which its row does not say")
        }
        parameter += 1
        return following()
    }

    private mutating func following() -> UInt64 {
        defer { value += 1 }
        return values[value]
    }

    /// An unsigned 32-bit number.
    mutating func u32() throws(ExecutionError) -> UInt32 { UInt32(truncatingIfNeeded: try next(.u32)) }

    /// An unsigned 64-bit number.
    mutating func u64() throws(ExecutionError) -> UInt64 { try next(.u64) }

    /// A signed 64-bit number.
    mutating func i64() throws(ExecutionError) -> Int64 { Int64(bitPattern: try next(.u64)) }

    /// An offset alone, whose length follows from other parameters.
    mutating func array() throws(ExecutionError) -> UInt32 { UInt32(truncatingIfNeeded: try next(.array)) }

    /// Bytes of the length the row says.
    mutating func fixed(_ guest: borrowing GuestContext) throws(ExecutionError) -> GuestRange {
        guard case .fixed(let length) = kinds[parameter] else {
            throw .local("parameter \(parameter) of a syscall was taken as bytes of fixed length")
        }
        parameter += 1
        return try guest.range(offset: UInt32(truncatingIfNeeded: following()), length: UInt32(length))
    }

    /// Bytes to be read.
    mutating func input(_ guest: borrowing GuestContext) throws(ExecutionError) -> GuestRange {
        try guest.check(uncheckedInput())
    }

    /// Bytes to be written.
    mutating func output(_ guest: borrowing GuestContext) throws(ExecutionError) -> GuestRange {
        let offset = UInt32(truncatingIfNeeded: try next(.output))
        return try guest.range(offset: offset, length: UInt32(truncatingIfNeeded: following()))
    }

    /// Bytes to be read, which may lie outside of memory still.
    mutating func uncheckedInput() throws(ExecutionError) -> GuestRange {
        let offset = UInt32(truncatingIfNeeded: try next(.input))
        return GuestRange(offset: offset, length: UInt32(truncatingIfNeeded: following()))
    }

    /// A CID.
    mutating func cid(_ guest: borrowing GuestContext) throws(ExecutionError) -> Cid {
        try guest.cid(at: UInt32(truncatingIfNeeded: try next(.cid)))
    }

    /// An address.
    mutating func address(_ guest: borrowing GuestContext) throws(ExecutionError) -> Address {
        try guest.address(input(guest))
    }
}

/// The kinds of a syscall's parameters in one word, so that looking at them touches no memory.
struct ParameterKinds: Equatable {
    private var bytes: UInt64 = 0

    init(_ parameters: [SyscallParameter]) {
        precondition(parameters.count <= 8, "a syscall has at most eight parameters")
        for (index, parameter) in parameters.enumerated() {
            bytes |= UInt64(Self.code(parameter.kind)) << UInt64(8 * index)
        }
    }

    private static func code(_ kind: SyscallParameter.Kind) -> UInt8 {
        switch kind {
        case .u32: 1
        case .u64: 2
        case .cid: 3
        case .array: 4
        case .input: 5
        case .output: 6
        case .fixed(let length): length
        }
    }

    /// nil behind the last one.
    subscript(index: Int) -> SyscallParameter.Kind? {
        guard index < 8 else { return nil }
        switch UInt8(truncatingIfNeeded: bytes >> UInt64(8 * index)) {
        case 0: return nil
        case 1: return .u32
        case 2: return .u64
        case 3: return .cid
        case 4: return .array
        case 5: return .input
        case 6: return .output
        case let length: return .fixed(length)
        }
    }
}
