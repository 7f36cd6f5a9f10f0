import Kernel

/// The events of a message in order of emission; those of reverted transactions are dropped.
struct EventAccumulator {
    private(set) var events: [ActorEvent] = []
    /// Number of events when each open transaction began.
    private var marks: [Int] = []

    mutating func append(_ event: ActorEvent) { events.append(event) }

    mutating func begin() { marks.append(events.count) }

    mutating func end(revert: Bool) {
        guard let mark = marks.popLast() else { return }
        if revert { events.removeLast(events.count - mark) }
    }
}
