import Captures
import Engine
import WasmFormat
import WasmReference

/// What the real host answered, by import: calls that come from no replayed message get some of it.
struct AnswerPool {
    private let logs: [AnswerLog]
    /// By import: where in the logs it was answered.
    private let places: [Int: [(log: Int, position: Int)]]

    init(_ calls: [CapturedCall]) {
        var logs: [AnswerLog] = []
        var places: [Int: [(log: Int, position: Int)]] = [:]
        var seen: Set<ObjectIdentifier> = []
        for call in calls where seen.insert(ObjectIdentifier(call.log)).inserted {
            for (position, answer) in call.log.answers.enumerated() {
                places[answer.function, default: []].append((logs.count, position))
            }
            logs.append(call.log)
        }
        self.logs = logs
        self.places = places
    }

    /// Some place where the import was answered; nil when it never was.
    func some(_ function: Int, _ random: inout WitnessRandom) -> (log: AnswerLog, position: Int)? {
        guard let places = places[function], !places.isEmpty else { return nil }
        let (log, position) = places[random.below(places.count)]
        return (logs[log], position)
    }
}

/// Answers the calls of imports of one engine, the same for every engine: as recorded as long as they are the recorded
/// calls, then from elsewhere in the recordings, or by a hash of the call.
final class ActorHost: ImportHandler {
    private let pool: AnswerPool
    private let isNarrow: [Bool]
    /// Sees what is written.
    private let watch: GuestWatch?
    private var random = WitnessRandom(seed: 0)
    private var log: AnswerLog?
    private var position = 0
    private var changes: [Int: ActorInput.Change] = [:]
    /// Calls so far.
    private(set) var count = 0
    /// Which imports were called with what, and with how much gas.
    private(set) var calls: [UInt64] = []

    /// How far ahead the recorded answer may be.
    private static let reach = 12
    /// Milligas for each call.
    private static let gas: Int64 = 40_000
    /// Calls that one input may make; then the host ends it.
    private static let most = 2_000

    init(_ pool: AnswerPool, isNarrow: [Bool], watch: GuestWatch?) {
        self.pool = pool
        self.isNarrow = isNarrow
        self.watch = watch
    }

    /// Forgets what was before.
    func begin(_ input: ActorInput) {
        random = WitnessRandom(seed: input.seed)
        log = input.log
        position = input.position
        changes = input.changes
        count = 0
        calls.removeAll(keepingCapacity: true)
    }

    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
        calls.append(UInt64(index))
        for position in arguments.indices { calls.append(arguments[position]) }
        calls.append(UInt64(bitPattern: guest.gasCounter))
        guest.gasCounter &-= Self.gas
        let change = changes[count]
        count += 1
        guard count <= Self.most else { return .end }
        switch change {
        case .refusal(let number): return result(index, number)
        case .elsewhere(let seed):
            var other = WitnessRandom(seed: seed)
            if let (log, position) = pool.some(index, &other) { (self.log, self.position) = (log, position) }
        case .written, nil: break
        }
        guard let answer = recorded(index) else { return invent(index, arguments, &guest) }
        for (number, write) in answer.writes.enumerated() where write.argument < arguments.count {
            let start = arguments[write.argument] &+ UInt64(write.offset)
            var bytes = write.bytes
            if case .written(let changed, let offset, let new) = change, changed == number, offset < bytes.count {
                let end = min(bytes.count, offset + new.count)
                bytes.replaceSubrange(offset..<end, with: new.prefix(end - offset))
            }
            // A buffer may be shorter than the recorded one was; its length follows its address.
            if write.argument > 0, write.argument + 1 < arguments.count {
                let room = Int(clamping: arguments[write.argument + 1]) - write.offset
                bytes.removeLast(max(0, bytes.count - max(0, room)))
            }
            self.write(bytes, at: UInt32(truncatingIfNeeded: start), &guest)
        }
        guard let slot = answer.slot else { return .end }
        return result(index, slot)
    }

    private func recorded(_ function: Int) -> Answer? {
        if let log {
            for place in position..<min(position + Self.reach, max(position, log.answers.count))
            where log.answers[place].function == function {
                position = place + 1
                return log.answers[place]
            }
        }
        guard let (other, place) = pool.some(function, &random) else { return nil }
        log = other
        position = place + 1
        return other.answers[place]
    }

    /// Mostly success, with bytes written where the first argument points to: there most syscalls put what they return.
    private func invent(_ index: Int, _ arguments: Span<UInt64>, _ guest: inout GuestContext) -> ImportOutcome {
        if !arguments.isEmpty {
            let count = [0, 4, 8, 16, 20][random.below(5)]
            let bytes = (0..<count).map { _ in
                random.below(3) > 0 ? UInt8(random.below(4)) : UInt8(truncatingIfNeeded: random.next())
            }
            write(bytes, at: UInt32(truncatingIfNeeded: arguments[0]), &guest)
        }
        return result(index, random.below(8) > 0 ? 0 : UInt64(random.below(30)))
    }

    private func write(_ bytes: [UInt8], at address: UInt32, _ guest: inout GuestContext) {
        guard guest.write(bytes.span, offset: address), !bytes.isEmpty else { return }
        watch?.write(UInt64(address)..<UInt64(address) + UInt64(bytes.count))
    }

    private func result(_ index: Int, _ slot: UInt64) -> ImportOutcome {
        .result(isNarrow.indices.contains(index) && isNarrow[index] ? slot & 0xFFFF_FFFF : slot)
    }
}
