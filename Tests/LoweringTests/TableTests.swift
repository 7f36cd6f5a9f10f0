import Lowering
import TestSupport
import Testing
import WasmFormat

/// Calls through a table, whether something may change it or nothing does.
struct TableTests {
    private static let five: [UInt8] = [0x23, 0]

    /// What changes a table, as the body of a function without parameters: element 2 is `five` afterwards, but for growth.
    static let changes: [(name: String, code: [UInt8])] = [
        ("nothing", []),
        ("table.set", Code.constant(.i32, 2) + five + [0x26, 0]),
        ("table.grow", five + Code.constant(.i32, 3) + [0xFC, 0x0F, 0, 0x1A]),
        ("table.fill", Code.constant(.i32, 2) + five + Code.constant(.i32, 2) + [0xFC, 0x11, 0]),
        ("table.copy", [2, 0, 1].flatMap { Code.constant(.i32, $0) } + [0xFC, 0x0E, 0, 0]),
        ("table.init", [2, 0, 1].flatMap { Code.constant(.i32, $0) } + [0xFC, 0x0C, 1, 0]),
    ]

    /// Elements: `five`, one of another type, null, `five` again.
    private func sample(_ change: [UInt8]) -> Sample {
        var sample = Sample()
        sample.add("five", [], [.i32], "i32.const 5")
        sample.add("long", [], [.i64], "i64.const 6")
        sample.module.globals = [[0x70, 0, 0xD2, 0, 0x0B]]
        sample.module.tables = [[0x70, 1, 4, 9]]
        sample.module.elements = [
            [0, 0x41, 0, 0x0B] + WasmBytes.vector([[0], [1]]), [1, 0] + WasmBytes.vector([[0], [1]]),
            [0, 0x41, 3, 0x0B] + WasmBytes.vector([[0]]),
        ]
        sample.add("change", code: change)
        sample.add("size", [], [.i32], code: [0xFC, 0x10, 0])
        sample.add("indirect", [.i32], [.i32], "local.get 0 call_indirect \(sample.type([], [.i32])) 0")
        sample.add(
            "twice", [.i32, .i32], [.i32],
            """
            local.get 0 call_indirect \(sample.type([], [.i32])) 0 call 2
            local.get 1 call_indirect \(sample.type([], [.i32])) 0 i32.add
            """)
        return sample
    }

    @Test(arguments: changes.map(\.name))
    func calledIsWhatStandsInTheTable(_ name: String) throws {
        let change = try #require(Self.changes.first { $0.name == name })
        let positions: [UInt64] = [0, 1, 2, 3, 4, 5, 6, 7, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
        var calls: [GuestCall] = [GuestCall(export: "size", arguments: [])]
        calls += positions.map { GuestCall(export: "indirect", arguments: [$0]) }
        calls += positions.map { GuestCall(export: "twice", arguments: [3, $0]) }
        calls.append(GuestCall(export: "size", arguments: []))
        calls += positions.map { GuestCall(export: "indirect", arguments: [$0]) }
        let seen = try compare(sample(change.code).module.bytes, calls, name)
        // Before and after: element 2 is null as long as nothing changes it.
        let second = [3, 3 + 2 * positions.count + 1].map { seen.outcomes[1 + $0] }
        #expect(second[0] == .trapped(5))
        #expect(second[1] == (name == "nothing" || name == "table.grow" ? .trapped(5) : .returned([5])))
    }

    @Test(arguments: changes.map(\.name))
    func onlyATableThatNothingChangesHasAConstantSize(_ name: String) throws {
        let change = try #require(Self.changes.first { $0.name == name })
        let module = try TestModule(sample(change.code).module.bytes)
        let bytes = try Lowering.lower(module.module, plan: module.plan, options: LoweringOptions(), product: .ir).bytes
        let comparison = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.contains("icmp uge") }
        #expect(comparison?.contains(", 4") == (name == "nothing"))
    }
}
