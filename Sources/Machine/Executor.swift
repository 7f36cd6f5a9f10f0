import Engine
import GasSchedule
import IPLD
import Kernel
import Primitives
import StateTree

/// Applies messages to a machine, one after another (FVM machine specification, section 4).
public final class Executor {
    public let machine: Machine

    public init(_ machine: Machine) { self.machine = machine }

    /// Applies one message.
    /// - Parameter chainLength: bytes of the message as stored on chain, with the signature where it is stored
    ///   with one; without meaning for implicit messages.
    /// - Throws: when there is no receipt. After a local failure the machine must not be used again.
    public func apply(
        _ message: Message, kind: ApplyKind, chainLength: UInt64
    ) throws(ApplyError) -> ApplyResult {
        guard let interruption = machine.interruption else { return try run(message, kind, chainLength) }
        return try interruption.during { () throws(ApplyError) in
            if interruption.isRequested { throw .local("interrupted") }
            return try run(message, kind, chainLength)
        }
    }

    private func run(
        _ message: Message, _ kind: ApplyKind, _ chainLength: UInt64
    ) throws(ApplyError) -> ApplyResult {
        let machine = machine
        machine.changes()
        machine.trace?.begin(.preflight)
        let result = try GuestStack.run { () throws(ApplyError) in
            try Application(machine: machine, message: message, kind: kind, chainLength: chainLength).apply()
        }
        guard let result else { throw .local("no room for a call stack") }
        return result
    }
}

/// One message on its way through preflight, execution and settlement.
private struct Application {
    let machine: Machine
    let message: Message
    let kind: ApplyKind
    let chainLength: UInt64

    /// How preflight ended.
    private enum Preflight {
        /// `reservation` is what the sender set aside for gas.
        case ready(sender: UInt64, reservation: TokenAmount)
        case rejected(ExitCode, penalty: TokenAmount, reason: String)
    }

    func apply() throws(ApplyError) -> ApplyResult {
        guard message.gasLimit > 0, message.gasLimit <= UInt64(Int64.max) else {
            throw .invalid("gas limit \(message.gasLimit) is not in 1...\(Int64.max)")
        }
        switch try preflight() {
        case .rejected(let code, let penalty, let reason):
            return ApplyResult(
                receipt: Receipt(exitCode: code, gasUsed: 0), gas: GasOutputs(penalty: penalty),
                failure: Backtrace(cause: reason))
        case .ready(let sender, let reservation):
            return try run(sender: sender, reservation: reservation)
        }
    }

    // MARK: Preflight

    /// Section 4.1: whether the message may run; if so its nonce and gas money are taken.
    private func preflight() throws(ApplyError) -> Preflight {
        let baseFee = machine.network.baseFee
        var penalty = TokenAmount.zero
        if kind == .explicit {
            let inclusion = Milligas.roundedUp(inclusionCharge.total)
            guard inclusion <= message.gasLimit else {
                return .rejected(
                    .sysOutOfGas, penalty: baseFee * TokenAmount(inclusion),
                    reason: "inclusion costs \(inclusion) gas, the limit is \(message.gasLimit)")
            }
            penalty = baseFee * TokenAmount(message.gasLimit)
        }
        guard let sender = try onState({ (state) throws(StateError) in try state.resolve(message.from) }) else {
            return .rejected(
                .sysSenderInvalid, penalty: penalty,
                reason: "no actor has the sender's address \(message.from)")
        }
        guard kind == .explicit else { return .ready(sender: sender, reservation: .zero) }

        guard var actor = try onState({ (state) throws(StateError) in try state.actor(sender) }) else {
            return .rejected(.sysSenderInvalid, penalty: penalty, reason: "sender f0\(sender) does not exist")
        }
        guard let code = machine.manifest.senderCode(of: actor) else {
            return .rejected(
                .sysSenderInvalid, penalty: penalty, reason: "sender f0\(sender) is no account")
        }
        actor.code = code
        guard actor.sequence == message.nonce else {
            return .rejected(
                .sysSenderStateInvalid, penalty: penalty,
                reason: "message has nonce \(message.nonce), sender f0\(sender) has \(actor.sequence)")
        }
        // Wraps at 2^64, as the reference does.
        actor.sequence &+= 1
        let reservation = message.feeCap * TokenAmount(message.gasLimit)
        guard !reservation.isNegative || machine.network.profile.behaviour.deductsNegativeAmounts else {
            throw .invalid("gas may cost \(reservation.decimal) attoFIL, which is negative")
        }
        guard actor.balance >= reservation else {
            return .rejected(
                .sysSenderStateInvalid, penalty: penalty,
                reason: "sender f0\(sender) has \(actor.balance.decimal) attoFIL, "
                    + "its gas may cost \(reservation.decimal)")
        }
        actor.balance = actor.balance - reservation
        machine.state.setActor(sender, actor)
        return .ready(sender: sender, reservation: reservation)
    }

    private var inclusionCharge: GasCharge {
        switch kind {
        case .explicit: machine.network.prices.onChainMessage(size: chainLength)
        case .implicit: GasCharge("none")
        }
    }

    // MARK: Execution

    /// Sections 4.2 and 4.3.
    private func run(sender: UInt64, reservation: TokenAmount) throws(ApplyError) -> ApplyResult {
        let receiver = try onState { (state) throws(StateError) in try state.resolve(message.to) }
        let trace = machine.trace
        let calls = MessageCallManager(
            machine: machine, gasLimit: message.gasLimit,
            message: MessageFacts(
                originID: sender, originAddress: message.from, nonce: message.nonce,
                effectivePremium: max(.zero, min(message.premium, message.feeCap - machine.network.baseFee))),
            trace: trace)
        calls.primeAccesses(receiver: message.to, receiverID: receiver)

        var receipt: Receipt
        var returnCodec: UInt64?
        do throws(ExecutionError) {
            try calls.gas.charge(inclusionCharge)
        } catch {
            throw .invalid("inclusion costs more gas than the limit")
        }
        do throws(ExecutionError) {
            let outcome = try calls.send(
                CallRequest(
                    from: sender, to: message.to, method: message.method, params: parameters,
                    value: message.value, gasLimit: nil, readOnly: false))
            receipt = Receipt(
                exitCode: outcome.exitCode, returnData: outcome.block?.data ?? [], gasUsed: calls.gas.usedGas)
            returnCodec = outcome.block?.codec
        } catch {
            let failed = try Self.failureReceipt(error, gasUsed: calls.gas.usedGas, gasLimit: message.gasLimit)
            receipt = failed.receipt
            if let cause = failed.cause { calls.failures[0].setCause(cause.description) }
        }

        trace?.begin(.settlement)
        let events = calls.events.events
        if !events.isEmpty { receipt.eventsRoot = try EventsRoot.of(events) }
        let gas = try settle(sender: sender, reservation: reservation, gasUsed: receipt.gasUsed)
        return ApplyResult(
            receipt: receipt, gas: gas, events: events,
            failure: receipt.exitCode == .ok ? nil : calls.failures[0], returnCodec: returnCodec)
    }

    /// Nothing, or a block of CBOR; raw bytes for a plain transfer, where nobody reads them.
    private var parameters: Block? {
        guard !message.params.isEmpty else { return nil }
        return Block(codec: message.method == Method.send ? Cid.raw : Cid.cbor, data: message.params)
    }

    private static func failureReceipt(
        _ error: ExecutionError, gasUsed: UInt64, gasLimit: UInt64
    ) throws(ApplyError) -> (receipt: Receipt, cause: Diagnostic?) {
        switch error {
        case .outOfGas:
            return (Receipt(exitCode: .sysOutOfGas, gasUsed: gasUsed), nil)
        case .refused(let number, let why):
            return (Receipt(exitCode: number.asReceipt, gasUsed: gasUsed), Diagnostic { "\(number): \(why)" })
        case .fatal(let text):
            return (Receipt(exitCode: .sysAssertionFailed, gasUsed: gasLimit), Diagnostic { "fatal error: \(text)" })
        case .local(let text):
            throw .local(text)
        case .exit:
            throw .local("an exit went further than its invocation")
        }
    }

    // MARK: Settlement

    /// Section 4.5: pays burn, tip and refund out of what the sender set aside.
    private func settle(
        sender: UInt64, reservation: TokenAmount, gasUsed: UInt64
    ) throws(ApplyError) -> GasOutputs {
        guard kind == .explicit else { return GasOutputs() }
        let gas = GasOutputs(
            gasUsed: gasUsed, gasLimit: message.gasLimit, baseFee: machine.network.baseFee,
            feeCap: message.feeCap, premium: message.premium)
        try deposit(gas.baseFeeBurn, to: Singleton.burntFunds, "base fee burn")
        try deposit(gas.minerTip, to: Singleton.reward, "miner tip")
        try deposit(gas.overEstimationBurn, to: Singleton.burntFunds, "overestimation burn")
        try deposit(gas.refund, to: sender, "refund")
        guard gas.baseFeeBurn + gas.overEstimationBurn + gas.refund + gas.minerTip == reservation else {
            throw .invalid("gas money paid out differs from what was set aside")
        }
        return gas
    }

    private func deposit(_ amount: TokenAmount, to id: UInt64, _ what: String) throws(ApplyError) {
        guard !amount.isNegative else { throw .invalid("\(what) of \(amount.decimal) attoFIL is negative") }
        guard !amount.isZero else { return }
        guard var actor = try onState({ (state) throws(StateError) in try state.actor(id) }) else {
            throw .invalid("\(what) cannot be paid, actor f0\(id) does not exist")
        }
        actor.balance = actor.balance + amount
        machine.state.setActor(id, actor)
    }

    private func onState<R>(_ body: (StateTree) throws(StateError) -> R) throws(ApplyError) -> R {
        do throws(StateError) {
            return try body(machine.state)
        } catch {
            throw error.isLocal ? .local(error.description) : .state(error.description)
        }
    }
}
