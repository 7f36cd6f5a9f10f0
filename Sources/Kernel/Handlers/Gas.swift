import Engine
import GasSchedule

extension Kernel {
    func gasCharge(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let range = try arguments.input(guest)
        let amount = try arguments.u64()
        guard try guest.holdsText(range) else { throw .syscall(.illegalArgument, "the name of a charge is not UTF-8") }
        // A name is for traces only, and may be as long as the memory.
        let name = gas.isTraced ? String(decoding: try guest.bytes(range), as: UTF8.self) : ""
        try gas.charge(GasCharge(name, compute: Milligas.fromGas(amount)))
        return .done
    }

    func gasAvailable() -> SyscallResult { .number(Milligas.roundedDown(gas.available)) }
}
