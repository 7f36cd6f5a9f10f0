import ArtifactFormat
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import ArtifactStore

/// System calls that fail, one at a time and with each error a disk can have.
@Suite struct FaultTests {
    static let codes = [ENOSPC, EROFS, EACCES, EIO, EMFILE, EDQUOT]

    /// Fails the call with this number, counted from 1, and then no other; counts on in any case.
    final class OneFault: Sendable {
        let number: Int
        let code: Int32
        let calls = Mutex(0)

        init(number: Int, code: Int32) {
            self.number = number
            self.code = code
        }

        func check(_ call: FileCall, _ path: String) -> Int32 {
            calls.withLock { count in
                count += 1
                return count == number ? code : 0
            }
        }
    }

    @Test(arguments: codes) func afterAnyFailureTheStoreHasAllOrNothing(_ code: Int32) throws {
        var failures = 0
        for number in 1...60 {
            let fixture = StoreFixture()
            let fault = OneFault(number: number, code: code)
            let store = fixture.open(fault: { fault.check($0, $1) })
            do {
                try store.publish(StoreFixture.object, StoreFixture.inputs)
            } catch {
                failures += 1
                guard case .file(let fileError) = error else {
                    Issue.record("call \(number): \(error)")
                    continue
                }
                #expect(fileError.code == code && error.description.contains(String(cString: strerror(code))))
            }
            let found = fixture.open().foundBytes()
            #expect(found == nil || found == StoreFixture.object, "call \(number)")
            #expect(try fixture.open().verify().unsound.isEmpty, "call \(number)")
            #expect(shell("test -z \"$(find '\(fixture.directory)' -name '*.new' 2>/dev/null)\""), "call \(number)")
            try fixture.open().publish(StoreFixture.object, StoreFixture.inputs)
            #expect(fixture.open().foundBytes() == StoreFixture.object, "call \(number)")
            if fault.calls.withLock({ $0 }) < number { break }
            #expect(number < 60, "more calls than expected")
        }
        #expect(failures >= 15)
    }

    @Test(arguments: codes) func aReadThatFailsIsAMissAndDestroysNothing(_ code: Int32) throws {
        let fixture = StoreFixture()
        try fixture.open().publish(StoreFixture.object, StoreFixture.inputs)
        for number in 1...30 {
            let fault = OneFault(number: number, code: code)
            let store = fixture.open(fault: { fault.check($0, $1) })
            let found = store.foundBytes()
            #expect(found == nil || found == StoreFixture.object)
            #expect(fixture.open().foundBytes() == StoreFixture.object, "call \(number)")
            if fault.calls.withLock({ $0 }) < number { break }
        }
        #expect(fixture.warnings.all.count >= 5)
    }

    @Test func aReadOnlyStoreIsReadAndSaysThatItCannotBeWritten() throws {
        let fixture = StoreFixture()
        try fixture.open().publish(StoreFixture.object, StoreFixture.inputs)
        let writes: Set<FileCall> = [.write, .makeDirectory, .rename, .link, .remove]
        let store = fixture.open(fault: { call, path in
            writes.contains(call) || path.hasSuffix(".new") || path.hasSuffix(".lock") ? EROFS : 0
        })
        #expect(store.foundBytes() == StoreFixture.object)
        let error = #expect(throws: StoreError.self) {
            try store.publish(StoreFixture.otherObject, StoreFixture.otherInputs)
        }
        #expect(error?.description.contains("Read-only file system") == true)
    }

    @Test func publishersOfOneKeyDoNotDisturbEachOther() async throws {
        let fixture = StoreFixture()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    let store = fixture.open()
                    for _ in 0..<20 {
                        guard (try? store.publish(StoreFixture.object, StoreFixture.inputs)) != nil,
                            store.foundBytes() == StoreFixture.object
                        else { return false }
                    }
                    return true
                }
            }
            for await sound in group { #expect(sound) }
        }
        #expect(fixture.warnings.all.isEmpty)
    }
}
