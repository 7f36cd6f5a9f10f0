import GasSchedule
import IPLD
import Kernel
import Primitives

/// Takes the events of one message as Lotus's `ExecutionTrace` in CBOR (lotus: chain/types/execresult.go), a tree of
/// `[message, result, invoked actor or null, charges, calls, logs, block operations]`.
final class TraceCbor: TraceSink {
    /// A call in progress.
    private struct Frame {
        var call: TracedCall
        var invoked: [UInt8]?
        var charges: [[UInt8]]
        var calls: [[UInt8]] = []
        var logs: [[UInt8]] = []
        var blocks: [[UInt8]] = []
    }

    private var frames: [Frame] = []
    /// Charges before the first call: they go into the outermost one.
    private var early: [[UInt8]] = []
    /// Of the message that has ended; empty for one that was refused before it ran.
    private(set) var trace: [UInt8] = []

    /// Forgets what was; the next message begins.
    func begin() {
        frames = []
        early = []
        trace = []
    }

    func record(_ event: TraceEvent) {
        switch event {
        case .charge(let charge):
            let row = Self.item(5) { writer in
                writer.text(charge.name)
                for milligas in [charge.total, charge.compute, charge.other] {
                    writer.unsigned(Milligas.roundedUp(milligas))
                }
                writer.unsigned(UInt64(0))
            }
            if frames.isEmpty { early.append(row) } else { frames[frames.count - 1].charges.append(row) }
        case .call(let call):
            frames.append(Frame(call: call, charges: frames.isEmpty ? early : []))
        case .invoke(let id, let state):
            guard !frames.isEmpty, let state = try? state.encoded() else { return }
            frames[frames.count - 1].invoked = Self.item(2) { writer in
                writer.unsigned(id)
                writer.encoded(state)
            }
        case .callReturn(let code, let block): end(code, block)
        case .callError(let number, _): end(number.asReceipt, nil)
        case .ipld(let operation, let cid, let size):
            guard !frames.isEmpty else { return }
            frames[frames.count - 1].blocks.append(
                Self.item(3) { writer in
                    writer.unsigned(UInt64(operation == .get ? 0 : 1))
                    writer.link(cid)
                    writer.unsigned(size)
                })
        case .log(let text):
            guard !frames.isEmpty else { return }
            var writer = CborWriter()
            writer.text(text)
            frames[frames.count - 1].logs.append(writer.bytes)
        }
    }

    private func end(_ code: ExitCode, _ block: Block?) {
        guard let frame = frames.popLast() else { return }
        let call = frame.call
        let message = Self.item(8) { writer in
            writer.byteString(Address.id(call.from).bytes)
            writer.byteString(call.to.bytes)
            // An amount too long for the chain cannot have been sent.
            writer.byteString((try? call.value.cborBytes) ?? [])
            writer.unsigned(call.method)
            writer.byteString(call.params?.data ?? [])
            writer.unsigned(call.params?.codec ?? 0)
            writer.unsigned(call.gasLimit)
            writer.bool(call.readOnly)
        }
        let result = Self.item(3) { writer in
            writer.unsigned(code.rawValue)
            writer.byteString(block?.data ?? [])
            writer.unsigned(block?.codec ?? 0)
        }
        let whole = Self.item(7) { writer in
            writer.encoded(message)
            writer.encoded(result)
            if let invoked = frame.invoked { writer.encoded(invoked) } else { writer.null() }
            for list in [frame.charges, frame.calls, frame.logs, frame.blocks] {
                writer.array(list.count)
                for element in list { writer.encoded(element) }
            }
        }
        if frames.isEmpty { trace = whole } else { frames[frames.count - 1].calls.append(whole) }
    }

    private static func item(_ count: Int, _ write: (inout CborWriter) -> Void) -> [UInt8] {
        var writer = CborWriter()
        writer.array(count)
        write(&writer)
        return writer.bytes
    }
}
