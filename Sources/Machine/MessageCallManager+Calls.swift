import Engine
import GasSchedule
import IPLD
import Kernel
import Primitives
import StateTree

extension MessageCallManager {
    /// Makes a call with its own transaction, gas limit and depth (FVM machine specification, section 7.1).
    func send(_ request: CallRequest) throws(ExecutionError) -> CallOutcome {
        gas.begin(.callBegin)
        traceCall(request)
        if let limit = request.gasLimit { gas.pushLimit(limit) }
        guard depth < network.profile.limits.callDepth else {
            if request.gasLimit != nil, network.profile.behaviour.popsGasLimitOnDepthFailure {
                try gas.popLimit()
            }
            let limit = depth
            let error = ExecutionError.syscall(.limitExceeded, "call depth limit of \(limit) reached")
            traceEnd(.failure(error))
            throw error
        }

        begin()
        depth += 1
        let memory = limiter.used
        var result = attempt(request)
        gas.begin(.callEnd)
        limiter.restore(memory)
        depth -= 1
        end(revert: !result.isSuccess)

        if request.gasLimit != nil { try gas.popLimit() }
        if case .failure(.outOfGas) = result, gas.available > 0 {
            // The limit of this send ran out, not that of its caller.
            result = .success(CallOutcome(exitCode: .sysOutOfGas, block: nil))
        }
        traceEnd(result)
        return try result.get()
    }

    private func attempt(_ request: CallRequest) -> Result<CallOutcome, ExecutionError> {
        do throws(ExecutionError) { return .success(try call(request)) } catch { return .failure(error) }
    }

    /// Finds the receiver, making it where the rules say so, and calls it (section 7.2).
    private func call(_ request: CallRequest) throws(ExecutionError) -> CallOutcome {
        let receiver: UInt64
        if let known = try resolve(request.to) {
            receiver = known
        } else {
            receiver = try createReceiver(request.to, readOnly: request.readOnly)
        }
        return try invoke(receiver, request, traced: true)
    }

    private func createReceiver(_ address: Address, readOnly: Bool) throws(ExecutionError) -> UInt64 {
        switch address.payload {
        case .secp256k1, .bls:
            guard !readOnly else { throw .syscall(.readOnly, "a read-only call cannot create an account") }
            return try createAccount(address)
        case .delegated(Singleton.ethereumAddressManager, _):
            guard !readOnly else { throw .syscall(.readOnly, "a read-only call cannot create a placeholder") }
            return try create(address, code: placeholderCode, delegatedAddress: address)
        default:
            throw .syscall(.notFound, "no actor has the address \(address)")
        }
    }

    /// Gives `address` the next id and an empty actor.
    private func create(
        _ address: Address, code: Cid, delegatedAddress: Address?
    ) throws(ExecutionError) -> UInt64 {
        try gas.charge(prices.onCreateActor(newAddress: true))
        let id = try machine.onState { (state) throws(StateError) in try state.registerAddress(address) }
        accesses.recordResolution(of: address)
        try setActor(id, .empty(code: code, delegatedAddress: delegatedAddress))
        return id
    }

    /// Makes an account and runs its constructor, whose exit code nobody looks at (section 7.3).
    private func createAccount(_ address: Address) throws(ExecutionError) -> UInt64 {
        guard address.payload != Singleton.blsZeroKey else {
            throw .syscall(.illegalArgument, "the BLS zero key cannot have an account")
        }
        let id = try create(address, code: machine.manifest.account, delegatedAddress: nil)
        let constructor = CallRequest(
            from: Singleton.system, to: .id(id), method: Method.constructor,
            params: Block(codec: Cid.cbor, data: CborWriter.byteString(address.bytes)), value: .zero,
            gasLimit: nil, readOnly: false)
        _ = try invoke(id, constructor, traced: network.profile.behaviour.tracesImplicitConstructor)
        return id
    }

    /// Moves the value and runs the receiver's code (section 7.4).
    private func invoke(
        _ receiver: UInt64, _ request: CallRequest, traced: Bool
    ) throws(ExecutionError) -> CallOutcome {
        guard let state = try actor(receiver) else {
            throw .syscall(.notFound, "actor f0\(receiver) does not exist")
        }
        if traced { trace?.record(.invoke(id: receiver, state)) }
        if !request.value.isZero {
            try gas.charge(prices.onValueTransfer())
            try transfer(from: request.from, to: receiver, value: request.value)
        }
        guard request.method != Method.send else { return CallOutcome(exitCode: .ok, block: nil) }

        try gas.charge(prices.onMethodInvocation(parameterLinks: UInt64(request.params?.links.count ?? 0)))
        let result: InvocationResult
        failures.append(Backtrace())
        do throws(ExecutionError) {
            let code = try machine.code(state.code)
            result = try Invocation.run(
                code,
                frame: InvocationFrame(
                    caller: request.from, receiver: receiver, method: request.method, value: request.value,
                    readOnly: request.readOnly, depth: depth),
                params: request.params, calls: self, limiter: limiter)
        } catch {
            noteFailure(error, receiver: receiver, method: request.method)
            throw error
        }
        noteOutcome(result, receiver: receiver, method: request.method)
        return result.outcome
    }

    // MARK: Trace and backtrace

    private func traceCall(_ request: CallRequest) {
        guard let trace else { return }
        trace.record(
            .call(
                TracedCall(
                    from: request.from, to: request.to, method: request.method, params: request.params,
                    value: request.value,
                    gasLimit: Milligas.roundedUp(min(request.gasLimit ?? .max, gas.available)),
                    readOnly: request.readOnly)))
    }

    private func traceEnd(_ result: Result<CallOutcome, ExecutionError>) {
        guard let trace else { return }
        switch result {
        case .success(let outcome): trace.record(.callReturn(outcome.exitCode, outcome.block))
        case .failure(.outOfGas): trace.record(.callReturn(.sysOutOfGas, nil))
        case .failure(.refused(let number, let why)): trace.record(.callError(number, why.description))
        case .failure(.fatal), .failure(.local), .failure(.exit): trace.record(.callError(.forbidden, "fatal"))
        }
    }

    /// Ends a call: its own failures go, and if it failed itself it becomes the last failure of its caller.
    private func noteOutcome(_ result: InvocationResult, receiver: UInt64, method: UInt64) {
        var failure = failures.removeLast()
        guard result.outcome.exitCode != .ok else { return }
        if let syscall = result.lastError {
            failure.begin(
                cause: Diagnostic { "\(syscall.syscall) failed with \(syscall.number): \(syscall.why)" })
        }
        failure.push(
            Backtrace.Frame(
                actor: receiver, method: method, exitCode: result.outcome.exitCode,
                message: result.message ?? Diagnostic { "" }))
        failures[failures.count - 1] = failure
    }

    private func noteFailure(_ error: ExecutionError, receiver: UInt64, method: UInt64) {
        var failure = failures.removeLast()
        switch error {
        case .outOfGas:
            if let (charge, available) = gas.shortage {
                failure.setCause("\(charge.name) costs \(charge.total) milligas, \(available) were left")
            }
            failure.push(
                Backtrace.Frame(
                    actor: receiver, method: method, exitCode: .sysOutOfGas, message: Diagnostic { "out of gas" }))
        case .fatal(let text):
            failure.setCause("fatal error: \(text)")
            failure.push(
                Backtrace.Frame(
                    actor: receiver, method: method, exitCode: .sysAssertionFailed,
                    message: Diagnostic { "fatal error" }))
        case .refused, .exit, .local:
            return
        }
        failures[failures.count - 1] = failure
    }
}

extension Result<CallOutcome, ExecutionError> {
    /// Whether the call completed with exit code 0; anything else reverts its transaction.
    fileprivate var isSuccess: Bool {
        if case .success(let outcome) = self { outcome.exitCode == .ok } else { false }
    }
}
