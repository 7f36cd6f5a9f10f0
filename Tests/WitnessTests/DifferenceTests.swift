import Testing

@testable import Witness

/// What a call shows is compared in full.
struct DifferenceTests {
    @Test func eachPartOfWhatACallShowsCounts() {
        let seen = ActorObservation(
            outcome: .returned([1]), gas: 5, hostCalls: [0, 1], globals: [7], memorySize: 65_536)
        #expect(seen.difference(from: seen) == nil)
        let changes: [(inout ActorObservation) -> Void] = [
            { $0.outcome = .returned([2]) }, { $0.outcome = .trapped(1) }, { $0.gas = 6 },
            { $0.hostCalls = [0, 2] }, { $0.globals = [8] }, { $0.memorySize = 2 * 65_536 },
        ]
        for change in changes {
            var other = seen
            change(&other)
            #expect(seen.difference(from: other) != nil)
        }
    }
}
