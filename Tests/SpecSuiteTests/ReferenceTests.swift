import GasSchedule
import Metering
import Testing

@testable import SpecSuite

/// Quirks of the reference that the official suites do not reach, on every executor.
struct ReferenceTests {
    /// `$f`, exported, returns 7; a global starts as `ref.func $f`; `go` puts the global into the table and calls
    /// through it.
    private static let module: [UInt8] = [
        0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 0x01, 5, 1, 0x60, 0, 1, 0x7F, 0x03, 3, 2, 0, 0, 0x04, 4, 1, 0x70, 0, 1,
        0x06, 6, 1, 0x70, 0, 0xD2, 0, 0x0B, 0x07, 10, 2, 1, 0x66, 0, 0, 2, 0x67, 0x6F, 0, 1, 0x0A, 20, 2, 4, 0, 0x41,
        7, 0x0B, 13, 0, 0x41, 0, 0x23, 0, 0x26, 0, 0x41, 0, 0x11, 0, 0, 0x0B,
    ]

    @Test func referenceOfAGlobalsInitialiserIsCalledWithoutTrampoline() throws {
        let analyzed = try FrontEnd.analyze(Self.module, profile: .suite, prices: .fvm)
        for executor in try Executors.make("all") {
            try executor.begin()
            guard case .instance(let instance) = executor.instantiate(analyzed, bytes: Self.module) else {
                Issue.record("\(executor.name): no instance")
                continue
            }
            // The entry's 52,000, five instructions of `go`, one of `$f`; another 52,000 would be a trampoline.
            let outcome = executor.invoke(.init("go"), arguments: [], instance: instance)
            #expect(outcome == .returned([7], spent: 76_000), "\(executor.name)")
            #expect(executor.invoke(.init("f"), arguments: [], instance: instance) == .returned([7], spent: 56_000))
        }
    }
}
