import Engine
import GasSchedule
import Kernel
import Metering
import NativeEngine
import Replay
import Syscalls
import WasmFormat
import WasmReference

/// Gas and time of the functions inside `wasm_exec`. Gas is exact: the interpreter runs the message once more and adds
/// up every charge by the function it stands in. Time is sampled while compiled code runs the message again and again;
/// a call's samples share the time that the call's spans of guest code were measured to take.
public struct FunctionProfile: Sendable {
    /// A function in one call.
    public struct Row: Sendable, Equatable {
        /// The call, by its number in the message.
        public var frame: Int
        /// `f7`, with its name behind a colon where the module has one; in parentheses what is no function.
        public var function: String
        /// Milligas for computing.
        public var milligas: UInt64
        /// How many samples found it, and how many the whole call has.
        public var samples: Int
        public var samplesOfCall: Int
        /// Its share of the call's time in guest code, nanoseconds, and what it may be as well (95 %).
        public var nanoseconds: Double
        public var from: Double
        public var to: Double
    }

    /// What runs for guest code outside of it: bulk memory operations, memory that grows, entries and exits.
    static let runtime = "(runtime)"
    /// Guest code of a call that was over before a sample was taken.
    static let unsampled = "(not sampled)"
    /// What settling charged and no function did.
    static let settled = "(charged again)"

    /// By message: those that took most time first within each call.
    public let messages: [[Row]]
    /// Samples inside guest code.
    public let samples: Int

    /// Why there is none.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// - Parameters:
    ///   - session: with an engine that tells `map` where it maps code.
    ///   - measured: the session's messages with their times.
    ///   - seconds: for the samples, at most; runs go on until there are `wanted`.
    public init(
        _ session: VectorSession, _ measured: [MeasuredMessage], map: CodeMap, seconds: Double = 1, wanted: Int = 4_000
    ) throws(Failure) {
        let counted = try Counted(session)
        let sampled = try Sampled(session, map: map, names: counted.names, seconds: seconds, wanted: wanted)
        var messages: [[Row]] = []
        for message in measured { messages.append(try Self.rows(message, counted, sampled)) }
        self.messages = messages
        samples = sampled.total
    }

    private static func rows(
        _ message: MeasuredMessage, _ counted: Counted, _ sampled: Sampled
    ) throws(Failure) -> [Row] {
        var charged: [Int: UInt64] = [:]
        var times: [Int: Double] = [:]
        for (span, time) in zip(message.timeline.spans, message.times) {
            guard let frame = span.frame, guestCharges.contains(span.source.name) else { continue }
            charged[frame, default: 0] += span.compute
            if span.source.name == "wasm_exec" { times[frame, default: 0] += time }
        }
        var rows: [Row] = []
        for frame in message.timeline.frames.indices {
            let gas = counted.gas[Place(message: message.index, frame: frame)] ?? [:]
            let samples = sampled.samples[Place(message: message.index, frame: frame)] ?? [:]
            guard let all = charged[frame] else { continue }
            let sum = gas.values.reduce(0, +)
            guard sum <= all else {
                throw Failure(
                    description: "\(message.vector), message \(message.index), call \(frame): the interpreter charges "
                        + "\(sum) milligas where compiled code was charged \(all)")
            }
            let total = samples.values.reduce(0, +)
            let time = times[frame] ?? 0
            func row(_ name: String, _ milligas: UInt64, _ count: Int) -> Row {
                let share = total > 0 ? Double(count) / Double(total) : 0
                let spread = total > 0 ? 1.96 * (share * (1 - share) / Double(total)).squareRoot() : 0
                return Row(
                    frame: frame, function: name, milligas: milligas, samples: count, samplesOfCall: total,
                    nanoseconds: share * time, from: max(0, share - spread) * time, to: min(1, share + spread) * time)
            }
            var found = Set(gas.keys).union(samples.keys).map { row($0, gas[$0] ?? 0, samples[$0] ?? 0) }
            if sum < all { found.append(row(settled, all - sum, 0)) }
            if total == 0, time > 0 {
                var rest = row(unsampled, 0, 0)
                (rest.nanoseconds, rest.to) = (time, time)
                found.append(rest)
            }
            rows += found.sorted {
                ($1.nanoseconds, $1.milligas, $0.function) < ($0.nanoseconds, $0.milligas, $1.function)
            }
        }
        return rows
    }

    private static let guestCharges: Set<String> = ["wasm_exec", "wasm_memory_grow"]
}

/// A call of a message.
private struct Place: Hashable {
    var message: Int
    var frame: Int
}

/// Follows a run: which call of which message is on top.
private class CallCursor: MessageObserver {
    private(set) var message = -1
    private(set) var frame: Int?
    private var parents: [Int?] = []

    func begin(names: ActorNames) {}
    func stop() {}
    func end(message index: Int, _ report: MessageReport) {}
    func begin(_ stage: ExecutionStage) {}
    func enter(_ syscall: Syscall) {}

    func begin(message index: Int) {
        message = index
        frame = nil
        parents = []
    }

    func record(_ event: TraceEvent) {
        switch event {
        case .call:
            parents.append(frame)
            frame = parents.count - 1
        case .callReturn, .callError: frame = frame.flatMap { parents[$0] }
        default: break
        }
    }

    var place: Place? { frame.map { Place(message: message, frame: $0) } }
}

// MARK: Gas

/// Milligas by call and function, out of one run by the interpreter.
private struct Counted {
    var gas: [Place: [String: UInt64]] = [:]
    /// What functions are called, by the code's key.
    let names: [[UInt8]: FunctionNames]

    init(_ session: VectorSession) throws(FunctionProfile.Failure) {
        let cursor = CallCursor()
        let engine = CountingEngine(cursor)
        let report = session.with(engine: engine).run(observer: cursor)
        guard report.status == .passed || report.status == .ran else {
            throw FunctionProfile.Failure(
                description: "\(report.name): the interpreter, which counts gas by function, does not pass: "
                    + (report.problem ?? report.mismatches.first.map { "\($0.field): \($0.got)" } ?? "failed"))
        }
        names = engine.names
        for (place, tally, names) in engine.tallies {
            for (index, milligas) in tally.byFunction.enumerated() where milligas > 0 {
                gas[place, default: [:]][names.name(index), default: 0] += milligas
            }
        }
    }
}

/// What functions of a module are called.
private struct FunctionNames: Sendable {
    private let module: Module

    init(_ module: Module) { self.module = module }

    func name(_ index: Int) -> String {
        let function = UInt32(index)
        let known =
            module.functionNames[function]
            ?? module.exports.first { $0.kind == .function && $0.index == function }?.name.text
        return "f\(index)" + (known.map { ":\($0)" } ?? "")
    }
}

/// The interpreter as an engine that adds up charges by function. Sendable although it has state: a run takes place on
/// one thread, and nothing else uses it.
private final class CountingEngine: ActorEngine, @unchecked Sendable {
    private let cursor: CallCursor
    private var loaded: [[UInt8]: LoadedCode] = [:]
    private(set) var names: [[UInt8]: FunctionNames] = [:]
    fileprivate(set) var tallies: [(place: Place, tally: FunctionTally, names: FunctionNames)] = []

    init(_ cursor: CallCursor) { self.cursor = cursor }

    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        if let known = loaded[key] { return known }
        guard let bytes = wasm() else { return nil }
        let result = try ReferenceEngine.loaded(bytes) { code in
            names[key] = FunctionNames(code.module)
            return CountingModule(code, self)
        }
        loaded[key] = result
        return result
    }

    fileprivate func tally(_ code: FlatCode, _ names: FunctionNames) -> FunctionTally? {
        guard let place = cursor.place else { return nil }
        let tally = FunctionTally(code)
        tallies.append((place, tally, names))
        return tally
    }
}

/// Sendable for the same reason.
private final class CountingModule: ActorModule, @unchecked Sendable {
    let facts: ModuleFacts
    private let code: FlatCode
    private let module: ReferenceModule
    private let names: FunctionNames
    private unowned let engine: CountingEngine

    init(_ code: FlatCode, _ engine: CountingEngine) {
        self.code = code
        self.engine = engine
        module = ReferenceModule(code)
        names = FunctionNames(code.module)
        facts = module.facts
    }

    func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        try module.makeInstance(handler: handler, limiter: limiter, tally: engine.tally(code, names))
    }
}

// MARK: Time

/// Samples by call and function, out of many runs of compiled code.
private struct Sampled {
    var samples: [Place: [String: Int]] = [:]
    var total = 0

    /// Nanoseconds between two samples.
    private static let interval: UInt64 = 50_000

    init(
        _ session: VectorSession, map: CodeMap, names: [[UInt8]: FunctionNames], seconds: Double, wanted: Int
    ) throws(FunctionProfile.Failure) {
        let observer = Labels()
        let sampler = ThreadSampler()
        do { try sampler.start(every: Self.interval) } catch {
            throw FunctionProfile.Failure(description: error.description)
        }
        let clock = SpanClock()
        let start = clock.now
        repeat {
            _ = session.run(observer: observer)
        } while sampler.count < wanted
            && Double(clock.now &- start) < seconds * 1e9
        for sample in sampler.stop() {
            guard let place = Labels.place(sample.label) else { continue }
            let found = map.function(at: sample.place)
            let name = found.flatMap { piece in piece.function.flatMap { names[piece.key]?.name($0) } }
            samples[place, default: [:]][name ?? FunctionProfile.runtime, default: 0] += 1
            total += 1
        }
    }
}

/// Labels samples with the call whose guest code runs.
private final class Labels: CallCursor {
    override func begin(_ stage: ExecutionStage) {
        guard stage == .guest, let place else { return ThreadSampler.label(0) }
        ThreadSampler.label(UInt64(place.message) << 32 | UInt64(place.frame + 1))
    }

    override func enter(_ syscall: Syscall) { ThreadSampler.label(0) }

    override func record(_ event: TraceEvent) {
        super.record(event)
        // What a charge pays for follows it; guest code is charged when it has run.
        ThreadSampler.label(0)
    }

    override func stop() { ThreadSampler.label(0) }

    static func place(_ label: UInt64) -> Place? {
        let frame = label & 0xFFFF_FFFF
        return frame == 0 ? nil : Place(message: Int(label >> 32), frame: Int(frame) - 1)
    }
}
