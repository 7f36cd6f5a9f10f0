import JSON
import Kernel
import Primitives

/// Writes execution traces as lines of JSON arrays, in the form of the reference's golden traces.
enum TraceFormat {
    /// Appends the line that starts the trace of a message, with its newline.
    static func append(message index: Int, to out: inout [UInt8]) {
        out.append(contentsOf: "[\"message\",\(index)]\n".utf8)
    }

    /// Appends the line of an event, with its newline.
    static func append(_ event: TraceEvent, to out: inout [UInt8]) {
        var line = Line()
        switch event {
        case .charge(let charge):
            line.begin("charge")
            line.text(charge.name)
            line.number(charge.compute)
            line.number(charge.other)
        case .call(let call):
            line.begin("call")
            line.number(call.from)
            line.text(Hex.encode(call.to.bytes))
            line.number(call.method)
            line.block(call.params)
            line.text(call.value.decimal)
            line.number(call.gasLimit)
            line.word(call.readOnly ? "true" : "false")
        case .invoke(let id, let actor):
            line.begin("invoke")
            line.number(id)
            line.text(actor.code.text)
            line.text(actor.state.text)
            line.number(actor.sequence)
            line.text(actor.balance.decimal)
        case .callReturn(let code, let block):
            line.begin("return")
            line.number(UInt64(code.rawValue))
            line.block(block)
        case .callError(let number, let text):
            line.begin("error")
            line.number(UInt64(number.rawValue))
            line.text(text)
        case .ipld(let operation, let cid, let size):
            line.begin("ipld")
            line.text(operation.rawValue)
            line.text(cid.text)
            line.number(size)
        case .log(let text):
            line.begin("log")
            line.text(text)
        }
        line.end(into: &out)
    }

    /// One line in the making.
    private struct Line {
        private var bytes: [UInt8] = []

        mutating func begin(_ kind: String) {
            bytes.append(UInt8(ascii: "["))
            JSON.quote(kind, to: &bytes)
        }

        mutating func word(_ word: String) {
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: word.utf8)
        }

        mutating func number(_ number: UInt64) { word(String(number)) }

        mutating func text(_ text: String) {
            bytes.append(UInt8(ascii: ","))
            JSON.quote(text, to: &bytes)
        }

        mutating func block(_ block: Block?) {
            guard let block else {
                word("null")
                word("null")
                return
            }
            number(block.codec)
            text(Base64.encode(block.data))
        }

        mutating func end(into out: inout [UInt8]) {
            out.append(contentsOf: bytes)
            out.append(contentsOf: [UInt8(ascii: "]"), UInt8(ascii: "\n")])
        }
    }
}
