import Engine
import GasSchedule
import Primitives

/// Runs one invocation of an actor, from the initial memory charges to its outcome (FVM syscalls
/// specification, section 4.5).
public enum Invocation {
    /// - Parameters:
    ///   - params: the parameter block, or nil for handle 0.
    ///   - limiter: shared by all frames of the message; the caller saves and restores its level.
    /// - Returns: a completion, with exit code 4 for a trap.
    /// - Throws: `outOfGas`, `fatal` or `local`, nothing else.
    public static func run(
        _ code: BoundModule, frame: InvocationFrame, params: Block?, calls: any CallManager,
        limiter: ResourceLimiter
    ) throws(ExecutionError) -> InvocationResult {
        let kernel = Kernel(code: code, frame: frame, calls: calls, limiter: limiter)
        let handle = try params.map { (block) throws(ExecutionError) in try kernel.insertParameters(block) } ?? 0
        try chargeInitialMemory(code.facts, kernel)
        if let failure = code.linkFailure { throw .fatal("actor \(frame.receiver) cannot be linked: \(failure)") }

        let instance = try engine { () throws(EngineError) in
            try code.module.makeInstance(handler: kernel, limiter: limiter)
        }
        instance.gasCounter = kernel.update()
        kernel.gas.begin(.guest)
        let started = try engine { () throws(EngineError) in try instance.instantiate() }
        // A syscall in a start function ends the reference's process; no charge comes after it.
        if case .fatal(let reason) = kernel.endReason { throw .fatal(reason) }
        if let failure = try stop(started, instance, kernel) { return failure }

        let actor = frame.receiver
        let entryFacts = code.facts.invoke
        let entry = EntryPoint(entryFacts, rules: kernel.network.profile.behaviour.entryPoint)
        switch entry {
        case .fatal: throw .fatal(wrongEntry(entryFacts, actor))
        case .missing: return .failed(.sysInvalidReceiver, wrongEntry(entryFacts, actor), kernel)
        case .callable, .fatalWhenCalled, .fatalWhenReturned: break
        }
        kernel.bindMemory()
        instance.gasCounter = kernel.update()
        kernel.gas.begin(.guest)
        if entry == .fatalWhenCalled {
            try kernel.settle(instance.gasCounter)
            throw .fatal(wrongEntry(entryFacts, actor))
        }
        let ended = try engine { () throws(EngineError) in try instance.call("invoke", [UInt64(handle)]) }
        if let failure = try stop(ended, instance, kernel) { return failure }
        if entry == .fatalWhenReturned, case .returned = ended { throw .fatal(wrongEntry(entryFacts, actor)) }
        let result = try complete(ended, kernel)
        try chargeReturn(result.outcome.block, kernel)
        return result
    }

    private static func wrongEntry(_ entry: ModuleFacts.EntryPoint, _ actor: UInt64) -> String {
        if case .function = entry { return "invoke of actor \(actor) is not of type (i32) -> i32" }
        return "actor \(actor) exports no function invoke"
    }

    private static func chargeInitialMemory(_ facts: ModuleFacts, _ kernel: Kernel) throws(ExecutionError) {
        guard let pages = facts.exportedMemoryPages else {
            throw .fatal("actor \(kernel.frame.receiver) exports no memory named memory")
        }
        if let elements = facts.exportedTableElements {
            try kernel.gas.charge(kernel.prices.wasmTableInit(elements: elements))
        }
        try kernel.gas.charge(kernel.prices.wasmMemoryInit(pages: pages))
    }

    /// Settles what the guest used, which alone decides about out of gas, then gives a trap's result.
    ///
    /// - Returns: nil when the guest returned or left by `vm::exit`.
    private static func stop(
        _ outcome: GuestOutcome, _ instance: any ActorInstance, _ kernel: Kernel
    ) throws(ExecutionError) -> InvocationResult? {
        if case .local(let reason) = kernel.endReason { throw .local(reason) }
        if case .trapped(let trap, _) = outcome, !trap.isOfGuest {
            throw .local("the engine failed in actor \(kernel.frame.receiver): \(trap)")
        }
        try kernel.settle(instance.gasCounter)
        kernel.gas.begin(.callEnd)
        switch (outcome, kernel.endReason) {
        case (.trapped(let trap, let site), _):
            guard trap != Trap.outOfGas else {
                throw .local("the engine reported \(trap) with \(instance.gasCounter) milligas left")
            }
            let place = site.map { " in function \($0.function)" + ($0.offset.map { " at 0x\(hex($0))" } ?? "") }
            return .failed(.sysIllegalInstruction, trap.description + (place ?? ""), kernel)
        case (.endedByHost, .fatal(let reason)): throw .fatal(reason)
        case (.endedByHost, .outOfGas): throw .outOfGas
        case (.endedByHost, .none): throw .local("the engine says the host ended a call that it did not end")
        case (.endedByHost, _), (.returned, _): return nil
        }
    }

    private static func complete(_ ended: GuestOutcome, _ kernel: Kernel) throws(ExecutionError) -> InvocationResult {
        if case .exit(let code, let handle, let message) = kernel.endReason {
            guard handle != 0 else { return .completed(code, nil, message, kernel) }
            guard let block = kernel.registry[handle] else {
                throw .fatal("actor \(kernel.frame.receiver) exited with block \(handle), which does not exist")
            }
            return .completed(code, block, message, kernel)
        }
        guard case .returned(let results) = ended, let slot = results.first else {
            throw .local("invoke of actor \(kernel.frame.receiver) gave no result")
        }
        let handle = UInt32(truncatingIfNeeded: slot)
        guard handle != 0 else { return .completed(.ok, nil, nil, kernel) }
        guard let block = kernel.registry[handle] else {
            return .failed(.sysMissingReturn, "invoke returned block \(handle), which does not exist", kernel)
        }
        return .completed(.ok, block, nil, kernel)
    }

    /// The return block of the message itself is charged by its size, whatever the exit code.
    private static func chargeReturn(_ block: Block?, _ kernel: Kernel) throws(ExecutionError) {
        guard let block else { return }
        if kernel.frame.depth == 1 {
            try kernel.gas.charge(kernel.prices.onChainReturnValue(size: UInt64(block.data.count)))
        } else if kernel.network.profile.behaviour.chargesNestedReturns {
            try kernel.gas.charge(kernel.prices.onReturnValue(links: UInt64(block.links.count)))
        }
    }

    private static func engine<T>(_ body: () throws(EngineError) -> T) throws(ExecutionError) -> T {
        do throws(EngineError) { return try body() } catch { throw ExecutionError(error) }
    }
}

extension Kernel {
    /// Puts the parameter block into the empty registry; its handle is 1.
    func insertParameters(_ block: Block) throws(ExecutionError) -> UInt32 { try registry.insertReachable(block) }
}

/// How an invocation completed, with what a backtrace needs.
public struct InvocationResult: Sendable {
    /// Exit code and return block.
    public var outcome: CallOutcome
    /// What the actor or the host said about a non-zero exit, for people.
    public var message: Diagnostic?
    /// The most recent syscall of the invocation when it had failed: the cause of a non-zero exit.
    public var lastError: SyscallFailure?

    public init(outcome: CallOutcome, message: Diagnostic? = nil, lastError: SyscallFailure? = nil) {
        self.outcome = outcome
        self.message = message
        self.lastError = lastError
    }

    static func failed(_ code: ExitCode, _ message: @autoclosure @escaping @Sendable () -> String, _ kernel: Kernel)
        -> InvocationResult
    {
        completed(code, nil, Diagnostic(message), kernel)
    }

    static func completed(
        _ code: ExitCode, _ block: Block?, _ message: Diagnostic?, _ kernel: Kernel
    ) -> InvocationResult {
        InvocationResult(
            outcome: CallOutcome(exitCode: code, block: block), message: message,
            lastError: code == .ok ? nil : kernel.lastError)
    }
}

/// A syscall that returned an error number.
public struct SyscallFailure: Sendable, Equatable {
    /// `module::name`.
    public var syscall: String
    /// What the actor got.
    public var number: ErrorNumber
    /// Why, for people.
    public var why: Diagnostic

    public init(syscall: String, number: ErrorNumber, why: Diagnostic) {
        self.syscall = syscall
        self.number = number
        self.why = why
    }
}

/// What calling a module's `invoke` comes to before it says anything itself.
enum EntryPoint: Equatable {
    case callable
    /// Exit code 5.
    case missing
    /// Fatal before the call.
    case fatal
    /// Fatal as the call begins, when the guest's counter has been set and is settled once more.
    case fatalWhenCalled
    /// Fatal when the function has run: the reference runs a function whose one result is not i32, and its host panics
    /// over the result.
    case fatalWhenReturned

    init(_ entry: ModuleFacts.EntryPoint, rules: NetworkProfile.EntryPointRules) {
        switch (entry, rules) {
        // (i32) -> i32.
        case (.function([1, 1, 0x7F, 0x7F]), _): self = .callable
        case (.missing, .typed), (.notAFunction, .typed), (.function, .typed): self = .fatal
        case (.missing, .calledAnyway), (.notAFunction, .calledAnyway): self = .missing
        // One i32 and one result of another type.
        case (.function(let signature), .calledAnyway):
            self = signature.starts(with: [1, 1, 0x7F]) ? .fatalWhenReturned : .fatalWhenCalled
        }
    }
}
