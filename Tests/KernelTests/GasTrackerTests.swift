import GasSchedule
import Kernel
import Testing

struct GasTrackerTests {
    private func charge(_ compute: UInt64, _ other: UInt64 = 0) -> GasCharge {
        GasCharge("test", compute: compute, other: other)
    }

    @Test func reachingTheLimitExactlyIsNotOutOfGas() throws {
        let tracker = GasTracker(gasLimit: 2)
        try tracker.charge(charge(1500, 500))
        #expect(tracker.available == 0)
        try tracker.charge(charge(0))
        #expect(throws: ExecutionError.outOfGas) { try tracker.charge(charge(1)) }
        #expect(tracker.used == 2000)
    }

    @Test func aFailedChargeTakesEverything() {
        let tracker = GasTracker(gasLimit: 5)
        #expect(throws: ExecutionError.outOfGas) { try tracker.charge(charge(5001)) }
        #expect(tracker.used == 5000 && tracker.available == 0 && tracker.usedGas == 5)
    }

    @Test func limitsAreClampedToSigned64Bits() throws {
        for limit in [UInt64.max, UInt64(Int64.max), 9_223_372_036_854_776] {
            #expect(GasTracker(gasLimit: limit).limit == UInt64(Int64.max))
        }
        #expect(GasTracker(gasLimit: 9_223_372_036_854_775).limit == 9_223_372_036_854_775_000)
        let tracker = GasTracker(gasLimit: .max)
        #expect(throws: ExecutionError.outOfGas) { try tracker.charge(charge(.max, .max)) }
    }

    @Test func usedGasIsRoundedUp() throws {
        let tracker = GasTracker(gasLimit: 10)
        try tracker.charge(charge(1))
        #expect(tracker.usedGas == 1)
        try tracker.charge(charge(999))
        #expect(tracker.usedGas == 1)
        try tracker.charge(charge(1))
        #expect(tracker.usedGas == 2)
    }

    @Test func aPushedLimitIsWhatTheSendMayUseAndNoMoreThanThereIs() throws {
        let tracker = GasTracker(gasLimit: 10)
        try tracker.charge(charge(2000))
        tracker.pushLimit(3000)
        #expect(tracker.available == 3000)
        #expect(throws: ExecutionError.outOfGas) { try tracker.charge(charge(4000)) }
        try tracker.popLimit()
        #expect(tracker.used == 5000 && tracker.available == 5000)
        tracker.pushLimit(.max)
        #expect(tracker.available == 5000)
        #expect(throws: ExecutionError.outOfGas) { try tracker.charge(charge(6000)) }
        try tracker.popLimit()
        #expect(tracker.available == 0)
    }

    @Test func aLimitOfZeroStillAllowsFreeOperations() throws {
        let tracker = GasTracker(gasLimit: 10)
        tracker.pushLimit(0)
        try tracker.charge(charge(0))
        #expect(throws: ExecutionError.outOfGas) { try tracker.charge(charge(1)) }
        try tracker.popLimit()
        #expect(tracker.available == 10_000)
    }

    @Test func aLeakedLimitGoesToTheNextPop() throws {
        let tracker = GasTracker(gasLimit: 100)
        try tracker.charge(charge(10_000))
        tracker.pushLimit(50_000)
        try tracker.charge(charge(5_000))
        tracker.pushLimit(1_000)
        try tracker.popLimit()
        // The second frame was ended by the first's pop: the outermost frame stays saved.
        tracker.pushLimit(2_000)
        tracker.pushLimit(1_000)
        try tracker.popLimit()
        #expect(tracker.limit == 2_000)
    }

    @Test func poppingWithoutPushingIsFatal() {
        let tracker = GasTracker(gasLimit: 10)
        #expect(throws: ExecutionError.fatal("gas limit popped that was never pushed")) { try tracker.popLimit() }
    }

    @Test func failedAndZeroChargesAreRecordedAsRequested() {
        let trace = TraceRecording()
        let tracker = GasTracker(gasLimit: 1, trace: trace)
        try? tracker.charge(charge(0))
        try? tracker.charge(charge(7, .max))
        #expect(trace.events == [.charge(charge(0)), .charge(charge(7, .max))])
    }
}
