import JSON
import Kernel
import Machine
import Primitives

/// Takes the events of messages as Lotus's `ExecutionTrace`: one tree of calls per message. The form keeps charges and
/// calls apart, so a message's tree stays in memory until the message has ended.
public final class LotusTrace: MessageObserver {
    /// A call in progress.
    private struct Frame {
        var call: TracedCall
        var invoked: JSONValue?
        var methodName: String?
        var charges: [JSONValue]
        var calls: [JSONValue] = []
        var logs: [JSONValue] = []
        var blocks: [JSONValue] = []
    }

    private var names: ActorNames?
    private var frames: [Frame] = []
    /// Charges before the first call: they go into the outermost one.
    private var early: [JSONValue] = []
    private var trace: JSONValue = .null

    public init() {}

    public func begin(names: ActorNames) { self.names = names }

    public func begin(message index: Int) {
        frames = []
        early = []
        trace = .null
    }

    public func record(_ event: TraceEvent) {
        switch event {
        case .charge(let charge):
            let value = Self.value(charge.name, charge.compute, charge.other, total: charge.total)
            if frames.isEmpty { early.append(value) } else { frames[frames.count - 1].charges.append(value) }
        case .call(let call):
            frames.append(Frame(call: call, charges: frames.isEmpty ? early : []))
        case .invoke(let id, let state):
            guard !frames.isEmpty else { return }
            let last = frames.count - 1
            frames[last].methodName = names?.method(frames[last].call.method, of: state.code)
            frames[last].invoked = .object([
                "Id": .integer(id),
                "State": .object([
                    "Code": Self.link(state.code), "Head": Self.link(state.state),
                    "Nonce": .integer(state.sequence), "Balance": .string(state.balance.decimal),
                    "DelegatedAddress": state.delegatedAddress.map { .string($0.text()) } ?? .null,
                ]),
            ])
        case .callReturn(let code, let block): end(code, block)
        case .callError(let number, _): end(number.asReceipt, nil)
        case .ipld(let operation, let cid, let size):
            guard !frames.isEmpty else { return }
            frames[frames.count - 1].blocks.append(
                .object([
                    "Op": .string(operation == .get ? "Get" : "Put"), "Cid": Self.link(cid), "Size": .integer(size),
                ]))
        case .log(let text):
            if !frames.isEmpty { frames[frames.count - 1].logs.append(.string(text)) }
        }
    }

    private func end(_ code: ExitCode, _ block: Block?) {
        guard let frame = frames.popLast() else { return }
        let call = frame.call
        var members: [JSONValue.Member] = [
            .init(
                "Msg",
                .object([
                    "From": .string(Address.id(call.from).text()), "To": .string(call.to.text()),
                    "Value": .string(call.value.decimal), "Method": .integer(call.method),
                    "Params": Self.bytes(call.params), "ParamsCodec": .integer(call.params?.codec ?? 0),
                    "GasLimit": .integer(call.gasLimit), "ReadOnly": .bool(call.readOnly),
                ])),
            .init(
                "MsgRct",
                .object([
                    "ExitCode": .integer(code.rawValue), "Return": Self.bytes(block),
                    "ReturnCodec": .integer(block?.codec ?? 0),
                ])),
        ]
        // Lotus has no such member; its viewers pass over what they do not know.
        if let name = frame.methodName { members.append(.init("MethodName", .string(name))) }
        if let invoked = frame.invoked { members.append(.init("InvokedActor", invoked)) }
        members.append(.init("GasCharges", .array(frame.charges)))
        members.append(.init("Subcalls", .array(frame.calls)))
        if !frame.logs.isEmpty { members.append(.init("Logs", .array(frame.logs))) }
        if !frame.blocks.isEmpty { members.append(.init("IpldOps", .array(frame.blocks))) }
        let value = JSONValue.object(members)
        if frames.isEmpty { trace = value } else { frames[frames.count - 1].calls.append(value) }
    }

    /// Whole gas, each part rounded up for itself as Lotus does. Times are not measured charge by charge.
    private static func value(_ name: String, _ compute: UInt64, _ other: UInt64, total: UInt64) -> JSONValue {
        func gas(_ milligas: UInt64) -> JSONValue { .integer(milligas / 1000 + (milligas % 1000 == 0 ? 0 : 1)) }
        return .object([
            "Name": .string(name), "tg": gas(total), "cg": gas(compute), "sg": gas(other), "tt": .integer(0),
        ])
    }

    private static func bytes(_ block: Block?) -> JSONValue {
        block.map { .string(Base64.encode($0.data)) } ?? .null
    }

    private static func link(_ cid: Cid) -> JSONValue { .object(["/": .string(cid.text)]) }

    /// What came of the message that has ended, as Lotus's `InvocResult`.
    /// - Parameter cid: as the chain calls it. Of a vector's message it is that without a signature, which vectors do not
    ///   have; one signed with a secp256k1 key or by a delegated sender stands on chain together with its signature and
    ///   has another, which cannot be known there.
    public func result(_ message: Message, cid: Cid, _ result: ApplyResult, nanoseconds: UInt64) -> JSONValue {
        let gas = result.gas
        let cost = gas.baseFeeBurn + gas.overEstimationBurn + gas.minerTip
        return .object([
            "MsgCid": Self.link(cid),
            "Msg": LotusMessage.value(message, cid: cid),
            "MsgRct": .object([
                "ExitCode": .integer(result.receipt.exitCode.rawValue),
                "Return": result.receipt.returnData.isEmpty ? .null : .string(Base64.encode(result.receipt.returnData)),
                "GasUsed": .integer(result.receipt.gasUsed),
                "EventsRoot": result.receipt.eventsRoot.map(Self.link) ?? .null,
            ]),
            "GasCost": .object([
                "Message": Self.link(cid), "GasUsed": .string(String(result.receipt.gasUsed)),
                "BaseFeeBurn": .string(gas.baseFeeBurn.decimal),
                "OverEstimationBurn": .string(gas.overEstimationBurn.decimal),
                "MinerPenalty": .string(gas.minerPenalty.decimal), "MinerTip": .string(gas.minerTip.decimal),
                "Refund": .string(gas.refund.decimal), "TotalCost": .string(cost.decimal),
            ]),
            "ExecutionTrace": trace,
            "Error": .string(result.failure?.description ?? ""),
            "Duration": .integer(nanoseconds),
        ])
    }
}
