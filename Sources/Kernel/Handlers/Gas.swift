import Engine
import GasSchedule

extension Kernel {
    func gasCharge(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let name = try guest.text(arguments, 0, "the name of a charge")
        try gas.charge(GasCharge(name, compute: Milligas.fromGas(arguments[2])))
        return .done
    }

    func gasAvailable() -> SyscallResult { .number(Milligas.roundedDown(gas.available)) }
}
