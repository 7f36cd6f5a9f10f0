import Engine

/// What the real host once answered to a call of an import.
public struct Answer: Sendable {
    /// Bytes it wrote into the guest's memory, from what an argument points to.
    public struct Write: Sendable {
        public var argument: Int
        public var offset: Int
        public var bytes: [UInt8]
    }

    /// The import's position among the module's.
    public let function: Int
    /// The result; nil where the host ended the call.
    public let slot: UInt64?
    public let writes: [Write]
}

/// The answers of one instance, in their order.
public final class AnswerLog {
    public internal(set) var answers: [Answer] = []

    public init() {}
}

/// Notes what a handler answers. What it wrote is found by comparing the memory around all that arguments point to.
final class RecordingHandler: ImportHandler {
    private let handler: any ImportHandler
    private let log: AnswerLog
    private static let leastWindow: UInt32 = 128
    private static let mostWindow: UInt32 = 1 << 20

    init(_ handler: any ImportHandler, _ log: AnswerLog) {
        self.handler = handler
        self.log = log
    }

    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
        var windows: [(argument: Int, address: UInt32, before: [UInt8])] = []
        for position in arguments.indices {
            let address = UInt32(truncatingIfNeeded: arguments[position])
            guard address >= 1_024, UInt64(address) < guest.memorySize else { continue }
            // A buffer's length follows its address.
            let next = position + 1 < arguments.count ? arguments[position + 1] : 0
            let wanted = next <= UInt64(Self.mostWindow) ? UInt32(next) : 0
            let room = guest.memorySize - UInt64(address)
            let count = UInt32(min(UInt64(max(Self.leastWindow, wanted)), room))
            guard let before = guest.read(offset: address, count: count) else { continue }
            windows.append((position, address, before))
        }
        let outcome = handler.callImport(index, arguments: arguments, guest: &guest)
        var writes: [Answer.Write] = []
        var written: [Range<UInt32>] = []
        for (argument, address, before) in windows {
            guard let after = guest.read(offset: address, count: UInt32(before.count)),
                let first = before.indices.first(where: { before[$0] != after[$0] }),
                let last = before.indices.last(where: { before[$0] != after[$0] })
            else { continue }
            // Windows overlap; the same bytes are one write.
            let range = address + UInt32(first)..<address + UInt32(last) + 1
            guard !written.contains(where: { $0.contains(range.lowerBound) && $0.upperBound >= range.upperBound })
            else { continue }
            writes.append(Answer.Write(argument: argument, offset: first, bytes: Array(after[first...last])))
            written.append(range)
        }
        let slot: UInt64? = if case .result(let slot) = outcome { slot } else { nil }
        log.answers.append(Answer(function: index, slot: slot, writes: writes))
        return outcome
    }
}
