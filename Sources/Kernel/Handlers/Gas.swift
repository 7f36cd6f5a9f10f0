import Engine
import GasSchedule

extension Kernel {
    func gasCharge(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let range = try guest.range(arguments, 0)
        let isText = guest.withBytes(offset: range.offset, count: range.length) { (bytes) -> Bool in
            do {
                _ = try UTF8Span(validating: bytes)
                return true
            } catch { return false }
        }
        guard isText == true else { throw .syscall(.illegalArgument, "the name of a charge is not UTF-8") }
        // A name is for traces only, and may be as long as the memory.
        let name = gas.isTraced ? String(decoding: try guest.bytes(range), as: UTF8.self) : ""
        try gas.charge(GasCharge(name, compute: Milligas.fromGas(arguments[2])))
        return .done
    }

    func gasAvailable() -> SyscallResult { .number(Milligas.roundedDown(gas.available)) }
}
