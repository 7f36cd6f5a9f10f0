import Engine
import GasSchedule
import Primitives
import Syscalls

/// The host side of one invocation: its syscalls, its blocks and its gas at the WASM boundary (FVM syscalls
/// specification, section 4).
public final class Kernel: ImportHandler {
    /// What the invocation is about.
    public let frame: InvocationFrame
    /// Why a syscall ended the invocation; nil while none has.
    public private(set) var endReason: ExecutionError?
    /// The most recent syscall, when it failed.
    private var failed: (syscall: Syscall, number: ErrorNumber, why: Diagnostic)?

    let calls: any CallManager
    let network: NetworkFacts
    let gas: GasTracker
    var registry: BlockRegistry
    private let code: BoundModule
    private let imports: [BoundModule.Import]
    private let limiter: ResourceLimiter
    private let interruption: Interruption?
    /// L: what was available when the guest's counter was last set, milligas.
    private var availableAtUpdate: UInt64 = 0
    /// Mlast: the limiter's tally at that time, bytes.
    private var limiterAtUpdate: UInt64
    /// Whether the start function is over; before that syscalls have no memory to work on.
    private var isBound = false

    /// The kernel of one invocation of `code`, with an empty registry.
    public init(code: BoundModule, frame: InvocationFrame, calls: any CallManager, limiter: ResourceLimiter) {
        self.frame = frame
        self.calls = calls
        network = calls.network
        gas = calls.gas
        registry = BlockRegistry(
            capacity: calls.network.profile.limits.registryBlocks,
            tracksReachability: calls.network.profile.behaviour.tracksReachability)
        self.code = code
        imports = code.imports
        self.limiter = limiter
        interruption = calls.interruption
        limiterAtUpdate = limiter.used
    }

    var prices: PriceList { network.prices }

    /// The most recent syscall, when it failed.
    public var lastError: SyscallFailure? {
        failed.map { SyscallFailure(syscall: code.title($0.syscall), number: $0.number, why: $0.why) }
    }

    /// Allows syscalls: the instance exists and its start function has returned.
    func bindMemory() { isBound = true }

    // MARK: Gas at the boundary

    /// UPDATE: gives the guest what is available; the value is for its counter.
    func update() -> Int64 {
        availableAtUpdate = gas.available
        limiterAtUpdate = limiter.used
        // The tracker's limit never exceeds 2^63 − 1.
        return Int64(clamping: availableAtUpdate)
    }

    /// EXEC: charges what the guest used since the last update. `counter` is its counter, negative when it
    /// took more than there was. Changes nothing that `update` sets.
    func settle(_ counter: Int64) throws(ExecutionError) {
        let executed =
            counter < 0
            ? availableAtUpdate.addingSaturating(counter.magnitude)
            : availableAtUpdate.subtractingSaturating(counter.magnitude)
        let growth = limiter.used.subtractingSaturating(limiterAtUpdate)
        let grown = prices.memoryGrowth(within: executed, growth: growth)
        try gas.charge(GasCharge("wasm_exec", compute: executed - grown))
        if grown != 0 { try gas.charge(GasCharge("wasm_memory_grow", compute: grown)) }
    }

    // MARK: Host calls

    /// Runs one host call: settles, charges, checks the result's address, runs the body, updates.
    public func callImport(
        _ index: Int, arguments: Span<UInt64>, guest: inout GuestContext
    ) -> ImportOutcome {
        guard index >= 0, index < imports.count, arguments.count >= imports[index].parameterCount else {
            return end(.local("import \(index) was called with \(arguments.count) arguments, which no import takes"))
        }
        if let interruption, interruption.isRequested { return end(.local("interrupted")) }
        let row = imports[index]
        gas.enter(row.syscall)
        do throws(ExecutionError) {
            try settle(guest.gasCounter)
            try gas.charge(prices.onSyscall())
        } catch {
            return end(error)
        }
        guard isBound else {
            return end(.fatal("syscall \(code.title(row.syscall)) in a start function"))
        }
        let size = row.result.size
        let address = size > 0 ? UInt32(truncatingIfNeeded: arguments[0]) : 0
        guard guest.contains(offset: address, count: UInt64(size)) else {
            // The reference returns here without an update: the guest's counter and L keep their values.
            gas.begin(.guest)
            return fail(row, .illegalArgument, Diagnostic { "no room for the result at 0x\(hex(address))" })
        }
        let outcome = perform(row, arguments.extracting(droppingFirst: size > 0 ? 1 : 0), address, &guest)
        guest.gasCounter = update()
        gas.begin(.guest)
        return outcome
    }

    private func perform(
        _ row: BoundModule.Import, _ values: Span<UInt64>, _ address: UInt32, _ guest: inout GuestContext
    ) -> ImportOutcome {
        do throws(ExecutionError) {
            var arguments = Arguments(values, row.parameters)
            switch try dispatch(row.syscall, &arguments, &guest) {
            case .done:
                guard row.result == .none else { return end(.local("\(code.title(row.syscall)) made no result")) }
            case .value(let value):
                guard value.layout == row.result, guest.write(value.bytes.span, offset: address) else {
                    return end(.local("\(code.title(row.syscall)) made a result of another layout than its row's"))
                }
            }
        } catch {
            guard case .refused(let number, let why) = error else { return end(error) }
            return fail(row, number, why)
        }
        failed = nil
        return .result(0)
    }

    private func fail(_ row: BoundModule.Import, _ number: ErrorNumber, _ why: Diagnostic) -> ImportOutcome {
        failed = (row.syscall, number, why)
        return .result(UInt64(number.rawValue))
    }

    private func end(_ reason: ExecutionError) -> ImportOutcome {
        endReason = reason
        return .end
    }
}

func hex(_ value: UInt32) -> String { String(value, radix: 16) }
