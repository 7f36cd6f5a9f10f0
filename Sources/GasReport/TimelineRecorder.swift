import GasSchedule
import Kernel
import Measuring
import Replay
import Syscalls

/// Measures one vector's messages, round by round.
///
/// It reads the clock when an event comes and again when it is done with it, so that its own work is in no span.
public final class TimelineRecorder: MessageObserver {
    /// A message's spans with the times of every round.
    public struct Message {
        public internal(set) var timeline = Timeline()
        /// By round: nanoseconds by span, without the cost of reading the clock.
        public internal(set) var rounds: [[Float]] = []
        /// By round: nanoseconds by a clock of its own around the whole message, without code loading.
        public internal(set) var elapsed: [Double] = []
        /// By round: nanoseconds of processor time of the whole message, what measuring took among them.
        public internal(set) var processor: [Double] = []
        /// By round: nanoseconds spent on measuring.
        public internal(set) var measuring: [Double] = []
        /// Of the last round.
        public internal(set) var report: MessageReport?
    }

    public private(set) var messages: [Message] = []
    /// Set when a round did not repeat what the first one did, which no deterministic machine does.
    public private(set) var deviation: String?

    private let clock: SpanClock
    private var names: ActorNames?
    private var message = -1
    private var times: [Float] = []
    private var measured: UInt64 = 0
    private var openedAt: UInt64 = 0
    private var startedAt: UInt64 = 0
    private var elapsed: UInt64 = 0
    private var processorStart: UInt64 = 0
    private var processor: UInt64 = 0
    private var loading: UInt64 = 0
    /// Whether this round says what the spans are; the others have to repeat it.
    private var isFirst = true

    // Of the round in progress.
    private var position = 0
    private var open: Int?
    private var frame: Int?
    private var frameCount = 0
    private var syscallCount = 0
    private var activeSyscalls: [Int?] = []
    private var isRunning = false

    public init(clock: SpanClock) { self.clock = clock }

    public func begin(names: ActorNames) { self.names = names }

    /// Forgets the times of the rounds so far, which warmed caches up.
    func dropRounds() {
        for index in messages.indices {
            messages[index].rounds = []
            messages[index].elapsed = []
            messages[index].processor = []
            messages[index].measuring = []
        }
    }

    public func begin(message index: Int) {
        isFirst = index == messages.count
        if isFirst { messages.append(Message()) }
        message = index
        lastCharged = nil
        times = []
        times.reserveCapacity(messages[index].timeline.spans.count)
        (measured, loading, position, open, frame, frameCount, syscallCount) = (0, 0, 0, nil, nil, 0, 0)
        activeSyscalls = []
        isRunning = true
        processorStart = ThreadClock.now
        startedAt = clock.now
        openedAt = startedAt
    }

    public func stop() {
        let now = clock.now
        account(until: now)
        elapsed = now &- startedAt
        processor = ThreadClock.now &- processorStart
        isRunning = false
    }

    public func end(message index: Int, _ report: MessageReport) {
        let count = messages[index].timeline.spans.count
        if !isFirst, position != count { deviate("\(position) spans, in the first round \(count)") }
        messages[index].rounds.append(times)
        messages[index].elapsed.append(Double(elapsed &- loading))
        messages[index].processor.append(Double(processor))
        messages[index].measuring.append(Double(measured))
        messages[index].report = report
    }

    // MARK: Events

    public func begin(_ stage: ExecutionStage) {
        guard isRunning else { return }
        let now = clock.now
        account(until: now)
        if stage == .guest || stage == .callEnd, !activeSyscalls.isEmpty {
            activeSyscalls[activeSyscalls.count - 1] = nil
        }
        begin(.stage(stage), nil)
        resume(since: now)
    }

    public func record(_ event: TraceEvent) {
        guard isRunning else { return }
        let now = clock.now
        account(until: now)
        switch event {
        case .charge(let charge):
            if charge.name == Self.execution, let open, spanSource(open) == .stage(.guest) {
                // The guest's span goes on: its charge comes behind it.
                settle(open, charge)
            } else if charge.name == Self.execution || charge.name == Self.growth {
                note(.charge(charge.name), charge)
            } else {
                begin(.charge(charge.name), charge)
            }
        case .call(let call):
            if isFirst {
                messages[message].timeline.frames.append(
                    Timeline.Frame(parent: frame, receiver: call.to.text(), method: call.method))
            }
            frame = frameCount
            frameCount += 1
            activeSyscalls.append(nil)
        case .invoke(_, let state):
            guard isFirst, let frame else { break }
            let method = messages[message].timeline.frames[frame].method
            messages[message].timeline.frames[frame].actor = names?.actor(state.code) ?? state.code.text
            messages[message].timeline.frames[frame].methodName = names?.method(method, of: state.code)
        case .callReturn(let code, _): leave(code.rawValue)
        case .callError: leave(nil)
        case .ipld, .log: break
        }
        resume(since: now)
    }

    public func enter(_ syscall: Syscall) {
        guard isRunning, !activeSyscalls.isEmpty else { return }
        if isFirst {
            let row = SyscallSet.v4.row(syscall) ?? SyscallSet.v3.row(syscall)
            messages[message].timeline.syscalls.append(row?.title ?? "\(syscall)")
        }
        activeSyscalls[activeSyscalls.count - 1] = syscallCount
        syscallCount += 1
    }

    public func ranOut(taken: UInt64) {
        guard isRunning, isFirst, let last = messages[message].timeline.spans.indices.last else { return }
        let index = lastCharged ?? last
        let span = messages[message].timeline.spans[index]
        messages[message].timeline.spans[index].unpaid =
            span.compute.addingSaturating(span.other).subtractingSaturating(taken)
    }

    // MARK: Spans

    private static let execution = "wasm_exec"
    private static let growth = "wasm_memory_grow"
    private var lastCharged: Int?

    /// What a span is of; nil for one too many in a round that deviates.
    private func spanSource(_ index: Int) -> Timeline.Source? {
        guard index < messages[message].timeline.spans.count else { return nil }
        let source = messages[message].timeline.spans[index].source
        // In later rounds a guest's span has its charge's name by then.
        return !isFirst && source == .charge(Self.execution) ? .stage(.guest) : source
    }

    private func begin(_ source: Timeline.Source, _ charge: GasCharge?) {
        open = position
        add(source, charge)
        times.append(0)
    }

    /// A charge that no time belongs to.
    private func note(_ source: Timeline.Source, _ charge: GasCharge) {
        add(source, charge)
        times.append(0)
    }

    private func add(_ source: Timeline.Source, _ charge: GasCharge?) {
        let index = position
        position += 1
        guard isFirst else {
            let spans = messages[message].timeline.spans
            guard index < spans.count else { return deviate("a span too many: \(source.name)") }
            let expected = spans[index].source
            let isGuest = source == .stage(.guest) && expected == .charge(Self.execution)
            if expected != source && !isGuest { deviate("\(source.name), in the first round \(expected.name)") }
            return
        }
        var span = Timeline.Span(source: source, frame: frame, syscall: activeSyscalls.last ?? nil)
        if let charge { (span.compute, span.other) = (charge.compute, charge.other) }
        lastCharged = index
        messages[message].timeline.spans.append(span)
    }

    private func settle(_ index: Int, _ charge: GasCharge) {
        guard isFirst else { return }
        messages[message].timeline.spans[index].source = .charge(charge.name)
        messages[message].timeline.spans[index].compute = charge.compute
        messages[message].timeline.spans[index].other = charge.other
        lastCharged = index
    }

    private func leave(_ code: UInt32?) {
        guard let current = frame else { return }
        if isFirst { messages[message].timeline.frames[current].exitCode = code }
        frame = messages[message].timeline.frames[current].parent
        activeSyscalls.removeLast()
    }

    /// Gives the open span what passed since the last event.
    private func account(until now: UInt64) {
        let spent = now &- openedAt
        guard let open, open < times.count else {
            measured &+= spent
            return
        }
        let cost = min(spent, clock.cost)
        times[open] += Float(spent &- cost)
        measured &+= cost
        if spanSource(open) == .stage(.codeLoading) { loading &+= spent }
    }

    /// The recorder is done with an event that came at `begin`.
    private func resume(since begin: UInt64) {
        openedAt = clock.now
        measured &+= openedAt &- begin
    }

    private func deviate(_ what: String) {
        if deviation == nil { deviation = "message \(message): \(what)" }
    }
}
