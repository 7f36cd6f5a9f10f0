import Compiler
import Dispatch
import TestSupport
import Testing
import WasmFormat

@testable import Lowering

/// A module that is made in parts behaves like a whole one and has the same bytes whoever makes the parts.
struct PartsTests {
    /// Functions that call the one before and the one behind, directly and through the table, an import and a
    /// function that is inlined; every third traps for some argument.
    private static func ring(_ count: Int) -> [UInt8] {
        var sample = Sample(pages: (1, 2))
        sample.importFunction("h", [.i32], [.i32])
        let type = sample.type([.i32], [.i32])
        sample.module.tables = [[0x70, 0] + WasmBytes.unsigned(count)]
        sample.module.elements = [
            [0, 0x41, 0, 0x0B] + WasmBytes.unsigned(count) + (1...count).flatMap { WasmBytes.unsigned($0) }
        ]
        for index in 0..<count {
            let other = 1 + (index * 7 + 3) % count
            let end = index % 3 == 0 ? "i32.const 12 local.get 0 i32.const 5 i32.sub i32.div_u" : "i32.const 1"
            sample.add(
                "f\(index)", [.i32], [.i32], locals: [(1, 0x7F)],
                """
                local.get 0 i32.eqz if i32.const \(index) call 0 return end
                local.get 0 i32.const 1 i32.sub local.set 1
                local.get 0 i32.const 1 i32.and
                if local.get 1 call \(other) local.set 1
                else local.get 1 i32.const \(index) call_indirect \(type) 0 local.set 1 end
                local.get 1 call \(count + 1) \(end) i32.add
                """)
        }
        sample.add("short", [.i32], [.i32], "local.get 0 i32.const 3 i32.add")
        return sample.module.bytes
    }

    private static let inParts = LoweringOptions(budget: .unlimited, partLength: 1)

    @Test func partsFollowOneAnotherAndAreAboutEqual() {
        func partition(_ lengths: [UInt64], imported: Int = 0, length: UInt64) -> [Range<Int>] {
            let estimates = lengths.map { length in
                var estimate = Estimate()
                estimate.length = length
                return estimate
            }
            return Partition(estimates, imported: imported, length: length).parts
        }
        #expect(partition([], imported: 3, length: 10) == [0..<3])
        #expect(partition([100, 100], imported: 3, length: 1_000) == [0..<5])
        // Each counts for 16 more than its length.
        #expect(partition([84, 84, 84, 84], imported: 2, length: 200) == [0..<4, 4..<6])
        #expect(partition([84, 84, 84, 84], length: 100) == [0..<1, 1..<2, 2..<3, 3..<4])
        // One that is larger than a part has one to itself, and nothing is empty.
        #expect(partition([10_000, 1, 1], length: 100) == [0..<1, 1..<3])
        let many = partition(Array(repeating: 50, count: 4_000), imported: 40, length: 1)
        #expect(many.count == 32 && many[0].lowerBound == 0 && many[31].upperBound == 4_040)
        for (part, next) in zip(many, many.dropFirst()) {
            #expect(part.upperBound == next.lowerBound && (120...170).contains(part.count))
        }
    }

    @Test func bytesAreTheSameWhoeverMakesTheParts() throws {
        let module = try TestModule(Self.ring(24))
        func make(_ sideBySide: @escaping SideBySide) throws -> LoweringOutput {
            try Lowering.lower(
                module.module, plan: module.plan, options: Self.inParts, product: .parts, sideBySide: sideBySide)
        }
        let inOrder = try make { count, work in (0..<count).forEach(work) }
        let backwards = try make { count, work in (0..<count).reversed().forEach(work) }
        let together = try make { count, work in DispatchQueue.concurrentPerform(iterations: count, execute: work) }
        #expect(inOrder.objects.count == 25)
        // One for each function: there are fewer of them than parts may be.
        #expect(inOrder.objects == backwards.objects && inOrder.objects == together.objects)
        #expect(inOrder.functions == together.functions && inOrder.functions.count == 25)
        let linker = try Linker.find()
        #expect(try linker.link(inOrder.objects) == linker.link(together.objects))
    }

    /// A part that nobody makes is a failure and no hole.
    @Test func aPartThatIsNotMadeIsAFailure() throws {
        let module = try TestModule(Self.ring(24))
        #expect(throws: LoweringError.self) {
            try Lowering.lower(
                module.module, plan: module.plan, options: Self.inParts, product: .parts,
                sideBySide: { count, work in (1..<count).forEach(work) })
        }
    }

    /// Calls, the table, imports, traps and charges lead across the borders of parts; gas ends in each of them.
    @Test func partsAgreeWithTheInterpreter() throws {
        var checked = Self.inParts
        checked.bounds = .checks
        let calls = [0, 5, 13, 23].flatMap { index in
            [0, 1, 2, 5].map { GuestCall(export: "f\(index)", arguments: [$0]) }
        }
        try compare(
            Self.ring(24), calls, gas: [1 << 40, 100_000, 30_000, 9_000], ways: [Self.inParts, checked], "in parts")
    }
}
