import Primitives
import Testing

@testable import Machine

@Suite struct AccessTrackerTests {
    @Test func aReadNeverWeakensAnUpdate() {
        var tracker = AccessTracker()
        tracker.record(.updated, to: 7)
        tracker.record(.read, to: 7)
        #expect(tracker.access(to: 7) == .updated)
    }

    @Test func whatARevertedTransactionTouchedIsChargedAgain() throws {
        var tracker = AccessTracker()
        let address = try Address.secp256k1([UInt8](repeating: 1, count: 20))
        tracker.record(.read, to: 1)
        tracker.begin()
        tracker.record(.updated, to: 1)
        tracker.record(.read, to: 2)
        tracker.recordResolution(of: address)
        #expect(tracker.isResolved(address))
        tracker.end(revert: true)
        #expect(tracker.access(to: 1) == .read)
        #expect(tracker.access(to: 2) == nil)
        #expect(!tracker.isResolved(address))
    }

    @Test func idsAreNeverRecordedAsResolved() {
        var tracker = AccessTracker()
        tracker.recordResolution(of: .id(5))
        #expect(!tracker.isResolved(.id(5)))
    }
}
