import Engine
import GasSchedule
import Kernel
import Primitives
import Syscalls
import Testing

@testable import Kernel

/// What an argument of a syscall is; the bench puts data into memory and passes where it is.
enum Argument {
    case number(UInt64)
    case input([UInt8])
    case output(UInt32)
}

/// One kernel with a guest to call it from.
final class SyscallBench {
    /// Where results go and where data begins; every argument has a stretch of its own.
    static let resultAddress: UInt32 = 64
    private static let dataStart = 1024
    private static let stretch = 4096

    let calls: FakeCalls
    let guest: FakeGuest
    let limiter: ResourceLimiter
    let kernel: Kernel
    let syscalls: SyscallSet

    /// What came of one call.
    struct Outcome: Equatable {
        /// nil when the call ended the invocation.
        var number: UInt64?
        var end: ExecutionError?
        /// Names of the charges after `wasm_exec` and `OnSyscall`.
        var charges: [String]
        /// Milligas of all charges.
        var gas: UInt64
    }

    init(
        receiver: UInt64 = 100, method: UInt64 = 5, value: TokenAmount = TokenAmount(11), readOnly: Bool = false,
        memorySize: Int = 65_536, network version: UInt32 = 18, _ prepare: (FakeCalls) -> Void = { _ in }
    ) throws {
        calls = try FakeCalls(network: version)
        syscalls = .of(calls.network.profile.syscalls)
        calls.actors[receiver] = Sample.state(balance: 50)
        prepare(calls)
        guest = FakeGuest(memorySize: memorySize)
        limiter = ResourceLimiter(limit: 2 << 30)
        kernel = Kernel(
            code: BoundModule(ScriptedModule(imports: syscalls.rows), syscalls: syscalls),
            frame: InvocationFrame(
                caller: 99, receiver: receiver, method: method, value: value, readOnly: readOnly, depth: 1),
            calls: calls, limiter: limiter)
        kernel.bindMemory()
        guest.counter = kernel.update()
    }

    /// Calls with raw WASM arguments.
    func raw(_ syscall: Syscall, _ arguments: [UInt64]) -> Outcome {
        let before = calls.charges.count
        let index = syscalls.rows.firstIndex { $0.syscall == syscall } ?? -1
        let number: UInt64? =
            if case .result(let value) = guest.call(kernel, index, arguments) { value } else { nil }
        let made = calls.charges[before...]
        return Outcome(
            number: number, end: kernel.endReason,
            charges: made.map(\.name).filter { $0 != "wasm_exec" && $0 != "OnSyscall" },
            gas: made.reduce(0) { $0.addingSaturating($1.total) })
    }

    /// Puts the arguments into memory and gives the WASM arguments, with the result's address where there is one.
    func place(_ syscall: Syscall, _ arguments: [Argument]) -> [UInt64] {
        let row = syscalls.row(syscall)
        var raw: [UInt64] = (row?.resultSize ?? 0) > 0 ? [UInt64(Self.resultAddress)] : []
        for (index, argument) in arguments.enumerated() {
            let offset = Self.dataStart + index * Self.stretch
            switch argument {
            case .number(let value): raw.append(value)
            case .output(let length): raw += [UInt64(offset), UInt64(length)]
            case .input(let bytes):
                guest.write(bytes, at: offset)
                raw.append(UInt64(offset))
                if let row, case .input = row.parameters[index] { raw.append(UInt64(bytes.count)) }
            }
        }
        return raw
    }

    func call(_ syscall: Syscall, _ arguments: Argument...) -> Outcome { raw(syscall, place(syscall, arguments)) }

    /// The bytes of output argument `index`.
    func output(_ index: Int, _ count: Int) -> [UInt8] {
        guest.read(Self.dataStart + index * Self.stretch, count)
    }

    /// A little-endian field of the result.
    func result<T: FixedWidthInteger>(_ offset: Int = 0, _ type: T.Type = T.self) -> T {
        guest.number(Int(Self.resultAddress) + offset)
    }

    func resultBytes(_ count: Int) -> [UInt8] { guest.read(Int(Self.resultAddress), count) }
}

extension SyscallBench.Outcome {
    var error: ErrorNumber? { number.flatMap { UInt32(exactly: $0) }.flatMap(ErrorNumber.init(rawValue:)) }
    var isSuccess: Bool { number == 0 }
}
