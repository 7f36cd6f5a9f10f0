import Primitives
import Syscalls
import Testing

@testable import Kernel

/// Every pointer and length of every syscall at and beyond the edges of memory.
///
/// A range that fits gives exactly what the baseline gives, wherever it lies; one that does not gives
/// `IllegalArgument` and costs the host call alone. `vm::exit` accepts any message.
struct BoundaryMatrixTests {
    private static let memory: UInt64 = 65_536

    private struct Pointer {
        /// Index of the WASM argument with the offset, of the length where there is one, and of the parameter.
        var offset: Int
        var length: Int?
        var parameter: Int
        var bytes: [UInt8]?
        var count: UInt64
    }

    private static func pointers(_ row: SyscallRow, _ arguments: [Argument]) -> [Pointer] {
        var position = row.resultSize > 0 ? 1 : 0
        var pointers: [Pointer] = []
        for (index, parameter) in row.parameters.enumerated() {
            var bytes: [UInt8]?
            var count: UInt64 = 0
            switch arguments[index] {
            case .number: break
            case .input(let content):
                bytes = content
                count = UInt64(content.count)
            case .output(let length): count = UInt64(length)
            }
            switch parameter {
            case .u32, .u64: break
            case .cid, .fixed, .array:
                pointers.append(Pointer(offset: position, parameter: index, bytes: bytes, count: count))
            case .input, .output:
                pointers.append(
                    Pointer(
                        offset: position, length: position + 1, parameter: index, bytes: bytes, count: count))
            }
            position += parameter.types.count
        }
        return pointers
    }

    /// Runs a baseline with some WASM arguments replaced and bytes placed elsewhere.
    private static func run(
        _ baseline: Baseline, _ changes: [Int: UInt64], place: (offset: UInt64, bytes: [UInt8])? = nil
    ) throws -> (outcome: SyscallBench.Outcome, bench: SyscallBench) {
        let bench = try baseline.bench()
        var arguments = bench.place(baseline.syscall, baseline.arguments)
        for (index, value) in changes { arguments[index] = value }
        if let place { bench.guest.write(place.bytes, at: Int(place.offset)) }
        return (bench.raw(baseline.syscall, arguments), bench)
    }

    @Test func thereIsABaselineForEverySyscall() {
        #expect(Baseline.all.map(\.syscall).sorted { $0.rawValue < $1.rawValue } == Syscall.allCases)
    }

    @Test(arguments: Baseline.all.indices)
    func baselinesSucceed(_ index: Int) throws {
        let baseline = Baseline.all[index]
        let (outcome, bench) = try Self.run(baseline, [:])
        if baseline.syscall == .vmExit {
            #expect(outcome.end == .exit(ExitCode(rawValue: 16), block: 0, Diagnostic { "a" }))
        } else {
            #expect(outcome.isSuccess, "\(baseline.syscall): \(String(describing: bench.kernel.lastError))")
        }
    }

    @Test(arguments: Baseline.all.indices)
    func everyRangeMayTouchTheEdgesOfMemoryAndNotCrossThem(_ index: Int) throws {
        let baseline = Baseline.all[index]
        guard baseline.syscall != .vmExit, let row = baseline.row else { return }
        let expected = try Self.run(baseline, [:]).outcome
        func expectRefused(_ changes: [Int: UInt64], _ what: Comment) throws {
            let (outcome, bench) = try Self.run(baseline, changes)
            #expect(outcome.error == .illegalArgument, what)
            #expect(outcome.charges.isEmpty && outcome.gas == 14_000_000, what)
            #expect(bench.guest.counter == Int64(bench.calls.gas.available), what)
        }
        for pointer in Self.pointers(row, baseline.arguments) {
            let name = row.parameters[pointer.parameter].name
            let end = Self.memory - pointer.count
            for offset in [0, end] {
                let place = pointer.bytes.map { (offset: offset, bytes: $0) }
                // At 0 a long argument would lie over the result.
                if offset == 0 && pointer.count > UInt64(SyscallBench.resultAddress) { continue }
                let outcome = try Self.run(baseline, [pointer.offset: offset], place: place).outcome
                #expect(outcome == expected, "\(row.title): \(name) at \(offset)")
            }
            try expectRefused([pointer.offset: end + 1], "\(row.title): \(name) one byte past the end")
            try expectRefused(
                [pointer.offset: UInt64(UInt32.max)], "\(row.title): \(name) at the last address")
            guard let length = pointer.length else { continue }
            try expectRefused(
                [pointer.offset: 0, length: Self.memory + 1], "\(row.title): \(name) longer than the memory")
            try expectRefused(
                [pointer.offset: 1, length: UInt64(UInt32.max)], "\(row.title): \(name) of the largest length")
            // Without a length there is no delegated address, wherever it is said to be.
            if baseline.syscall == .actorCreateActor { continue }
            try expectRefused(
                [pointer.offset: Self.memory + 1, length: 0], "\(row.title): \(name) of no bytes past the end")
        }
    }

    @Test(arguments: Baseline.all.indices)
    func emptyRangesGiveWhatTheSyscallSaysAboutNoBytes(_ index: Int) throws {
        let baseline = Baseline.all[index]
        guard baseline.syscall != .vmExit, let row = baseline.row else { return }
        for pointer in Self.pointers(row, baseline.arguments) {
            guard let length = pointer.length else { continue }
            let expected = try #require(baseline.whenEmpty[pointer.parameter], "\(row.title)")
            for offset in [0, Self.memory] {
                let outcome = try Self.run(baseline, [pointer.offset: offset, length: 0]).outcome
                #expect(
                    outcome.number == UInt64(expected?.rawValue ?? 0),
                    "\(row.title): \(row.parameters[pointer.parameter].name) of no bytes at \(offset)")
            }
        }
    }

    @Test(arguments: Baseline.all.indices)
    func resultsFitAtTheEdgesOfMemoryOnly(_ index: Int) throws {
        let baseline = Baseline.all[index]
        guard let row = baseline.row, row.resultSize > 0 else { return }
        let expected = try Self.run(baseline, [:]).outcome
        let end = Self.memory - UInt64(row.resultSize)
        for address in [0, end] {
            #expect(try Self.run(baseline, [0: address]).outcome == expected, "\(row.title) at \(address)")
        }
        for address in [end + 1, Self.memory, UInt64(UInt32.max)] {
            let (outcome, bench) = try Self.run(baseline, [0: address])
            #expect(outcome.error == .illegalArgument, "\(row.title) at \(address)")
            #expect(outcome.charges.isEmpty && outcome.gas == 14_000_000)
            #expect(bench.guest.counter > Int64(bench.calls.gas.available), "the counter is not updated")
        }
    }

    @Test func exitTakesAnyMessage() throws {
        for (offset, length) in [
            (UInt64(UInt32.max), UInt64(UInt32.max)), (Self.memory, 1), (0, Self.memory + 1), (Self.memory, 0),
        ] {
            let bench = try SyscallBench()
            let outcome = bench.raw(.vmExit, [20, 0, offset, length])
            guard case .exit(ExitCode(rawValue: 20), block: 0, _) = outcome.end else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(outcome.gas == 14_000_000)
        }
    }
}

extension Baseline {
    /// The syscall's row in a generation that has it.
    fileprivate var row: SyscallRow? { SyscallSet.v3.row(syscall) ?? SyscallSet.v4.row(syscall) }
}
