import TestSupport
import Testing
import WasmFormat

/// Where operands are: in registers, slots, locals and flags, while calls and branches move them about.
struct OperandPlaceTests {
    private static let values: [UInt64] = [0, 1, 5, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]

    private func compareAll(_ sample: Sample, arity: Int, values: [UInt64] = OperandPlaceTests.values) throws {
        var calls: [GuestCall] = []
        for name in sample.names {
            for (index, value) in values.enumerated() {
                let arguments = (0..<arity).map { values[(index + 3 * $0 * $0 + $0) % values.count] ^ UInt64($0) }
                calls.append(GuestCall(export: name, arguments: arity == 0 ? [] : [value] + arguments.dropFirst()))
            }
        }
        try compare(sample.module.bytes, calls, gas: [1 << 40, 30_000])
    }

    @Test func moreOperandsThanRegistersWaitInTheirSlots() throws {
        var sample = Sample()
        for count in [2, 8, 9, 16, 17, 18, 40, 200] {
            // Each operand is computed, so it is in a register; then they are combined from the top.
            let push = (0..<count).map {
                "local.get 0 i32.const \($0) i32.xor local.get 1 i32.const \($0) i32.add i32.mul"
            }
            let join = (1..<count).map { $0 % 3 == 0 ? "i32.sub" : "i32.xor" }
            sample.add("i\(count)", [.i32, .i32], [.i32], (push + join).joined(separator: " "))
            let floats = (0..<count).map { "local.get 0 i32.const \($0) i32.add f64.convert_i32_s f64.const f64.add" }
            let sum = (1..<count).map { _ in "f64.sub" }
            sample.add("f\(count)", [.i32, .i32], [.f64], (floats + sum).joined(separator: " "))
        }
        try compareAll(sample, arity: 2)
    }

    @Test func anOperandThatIsALocalKeepsItsValueWhenTheLocalChanges() throws {
        var sample = Sample()
        for depth in [1, 5, 15, 16, 17, 30] {
            let gets = (0..<depth).map { _ in "local.get 0 local.get 1" }.joined(separator: " ")
            let sums = (0..<2 * depth).map { _ in "i32.sub" }.joined(separator: " ")
            sample.add(
                "set \(depth)", [.i32, .i32], [.i32],
                "\(gets) local.get 1 i32.const 7 i32.mul local.set 0 i32.const 9 local.set 1 local.get 0 \(sums)")
            sample.add(
                "tee \(depth)", [.i32, .i32], [.i32],
                "\(gets) local.get 0 i32.const 3 i32.add local.tee 0 \(sums)")
        }
        sample.add(
            "swap", [.i32, .i32], [.i32],
            "local.get 0 local.get 1 local.set 0 local.set 1 local.get 0 local.get 1 i32.sub")
        try compareAll(sample, arity: 2)
    }

    @Test func argumentsChangePlacesInEveryOrder() throws {
        let integers = [ValueType](repeating: .i32, count: 9)
        let mixed: [ValueType] = (0..<24).map { [.i32, .f64, .i64, .f32][$0 % 4] }
        var sample = Sample()
        func weighted(_ types: [ValueType]) -> String {
            types.indices.map { index in
                let get = "local.get \(index)"
                let value =
                    switch types[index] {
                    case .i32: "\(get) i64.extend_i32_u"
                    case .i64, .funcref: get
                    case .f32: "\(get) i32.reinterpret_f32 i64.extend_i32_u"
                    case .f64: "\(get) i64.reinterpret_f64"
                    }
                return "\(value) i64.const \(2 * index + 3) i64.mul" + (index == 0 ? "" : " i64.add")
            }.joined(separator: " ")
        }
        sample.add("nine", integers, [.i64], weighted(integers))
        sample.add("mixed", mixed, [.i64], weighted(mixed))
        // Rotations and reversals of the parameters: rings of registers.
        for shift in 0..<9 {
            let order = (0..<9).map { "local.get \(($0 + shift) % 9)" }.joined(separator: " ")
            sample.add("rotate \(shift)", integers, [.i64], "\(order) call 0")
            let computed = (0..<9).map { "local.get \((8 - $0 + shift) % 9) i32.const \($0) i32.add" }
            sample.add("reverse \(shift)", integers, [.i64], computed.joined(separator: " ") + " call 0")
        }
        let names = sample.names
        var calls: [GuestCall] = []
        for name in names where name != "mixed" {
            calls.append(GuestCall(export: name, arguments: (0..<9).map { UInt64($0 * 1_000_003 + 11) & 0xFFFF_FFFF }))
        }
        calls.append(GuestCall(export: "mixed", arguments: (0..<24).map { UInt64($0 * 7_919 + 3) }))
        try compare(sample.module.bytes, calls)
    }

    @Test func branchesBringTheirValueToWhereItIsWanted() throws {
        var sample = Sample()
        // The value leaves operands below behind, on the way that branches and on the way that does not.
        sample.add(
            "leaves", [.i32, .i32], [.i32],
            "block i32 local.get 1 i32.const 5 i32.mul local.get 1 local.get 0 i32.add local.get 0 br_if 0 i32.sub end")
        sample.add(
            "computed", [.i32, .i32], [.i32],
            "block i32 local.get 0 local.get 1 i32.mul local.get 0 local.get 1 i32.lt_s br_if 0 i32.const 1 i32.add end"
        )
        sample.add(
            "returns", [.i32, .i32], [.i32],
            "local.get 1 i32.const 2 i32.add local.get 0 i32.const 3 i32.add local.get 0 br_if 0 i32.xor")
        sample.add(
            "table", [.i32, .i32], [.i32],
            """
            block i32 block i32 local.get 1 i32.const 7 i32.add local.get 1 local.get 0 br_table 0,1,2,1 end
            i32.const 100 i32.add end i32.const 1000 i32.add
            """)
        sample.add(
            "arms", [.i32, .i32], [.i32],
            """
            local.get 1 local.get 0 i32.eqz if i32 local.get 1 i32.const 3 i32.mul else local.get 0 i32.const 1 i32.sub end
            i32.add
            """)
        sample.add(
            "loop", [.i32, .i32], [.i32],
            """
            i32.const 0 local.get 0 i32.const 15 i32.and local.set 0
            loop i32 local.get 0 i32.eqz if local.get 1 return end
            local.get 0 i32.const 1 i32.sub local.set 0 local.get 1 local.get 0 i32.add local.set 1
            local.get 0 i32.const 3 i32.gt_u br_if 0 local.get 1 end i32.add
            """)
        try compareAll(sample, arity: 2)
    }

    @Test func comparisonsDecideOrGiveNumbers() throws {
        var sample = Sample()
        for name in ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"] {
            let test = "local.get 0 local.get 1 i32.\(name)"
            sample.add("\(name) number", [.i32, .i32], [.i32], "\(test) i32.const 5 i32.add")
            sample.add("\(name) constant", [.i32, .i32], [.i32], "i32.const -2 local.get 1 i32.\(name)")
            sample.add("\(name) if", [.i32, .i32], [.i32], "\(test) if i32 i32.const 1 else i32.const 2 end")
            sample.add("\(name) not", [.i32, .i32], [.i32], "\(test) i32.eqz if i32 i32.const 1 else i32.const 2 end")
            sample.add("\(name) not number", [.i32, .i32], [.i32], "\(test) i32.eqz i32.eqz i32.eqz")
            sample.add("\(name) select", [.i32, .i32], [.i32], "local.get 0 local.get 1 \(test) select")
            sample.add(
                "\(name) wide", [.i32, .i32], [.i32],
                "local.get 0 i64.extend_i32_s local.get 1 i64.extend_i32_u i64.\(name)")
        }
        try compareAll(sample, arity: 2)
    }

    @Test func framesOfManyPagesAreTouchedOnTheWayDown() throws {
        var sample = Sample()
        for count in [13, 500, 3_000, 49_000] {
            sample.add(
                "locals \(count)", [.i32], [.i64], locals: [(count, 0x7E)],
                "local.get 0 i64.extend_i32_u local.set \(count) local.get \(count) local.get 1 i64.add")
        }
        try compareAll(sample, arity: 1)
    }
}
