import GasSchedule
import Kernel
import Syscalls
import Testing

@testable import Replay

/// Several observers of one run see what each would see alone.
@Suite struct TraceFanTests {
    /// Notes all that it is told.
    private final class Witness: MessageObserver {
        var seen: [String] = []
        func begin(names: ActorNames) { seen.append("names") }
        func begin(message index: Int) { seen.append("message \(index)") }
        func stop() { seen.append("stop") }
        func end(message index: Int, _ report: MessageReport) { seen.append("end \(index) \(report.gasUsed)") }
        func record(_ event: TraceEvent) { seen.append("\(event)") }
        func begin(_ stage: ExecutionStage) { seen.append("stage \(stage)") }
        func enter(_ syscall: Syscall) { seen.append("syscall \(syscall)") }
        func ranOut(taken: UInt64) { seen.append("ran out \(taken)") }
    }

    private func drive(_ observer: some MessageObserver) {
        observer.begin(message: 3)
        observer.begin(.preflight)
        observer.record(.charge(GasCharge("first", compute: 1)))
        observer.enter(.ipldBlockOpenV4)
        observer.ranOut(taken: 7)
        observer.stop()
    }

    @Test func everyObserverIsToldEverything() {
        let (alone, first, second) = (Witness(), Witness(), Witness())
        drive(alone)
        drive(TraceFan([first, TraceFan([second])]))
        #expect(alone.seen.count == 6 && Set(alone.seen).count == 6)
        #expect(first.seen == alone.seen && second.seen == alone.seen)
    }
}
