import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// Linear memory: no trap may be lost, moved or invented, and gas is exact at each.
struct MemoryTests {
    static let accesses: [Opcode] = Opcode.allCases.filter { $0.row.accessWidth > 0 }
    static let pages = 2
    static let size = UInt64(pages * 65_536)

    static func load(_ opcode: Opcode) -> Bool { !(opcode.row.types?.results.isEmpty ?? true) }

    static let bases: [UInt64] = [
        0, 1, size - 9, size - 8, size - 4, size - 2, size - 1, size, size + 1, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001,
        0xFFFF_FFF0, 0xFFFF_FFFF,
    ]
    static let offsets: [UInt32] = [0, 1, 7, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]

    @Test(arguments: everyWay)
    func everyAccessTrapsExactlyOutsideOfMemory(_ way: LoweringOptions) throws {
        var sample = Sample(pages: (Self.pages, Self.pages))
        var calls: [GuestCall] = []
        for opcode in Self.accesses {
            for offset in Self.offsets {
                let name = "\(opcode.name) \(offset)"
                guard let types = opcode.row.types else { continue }
                let value = Self.load(opcode) ? [] : Code.constant(types.operands[1], 0x0102_0304_0506_0708)
                sample.add(
                    name, [.i32], types.results, code: Code.get(0) + value + Code.access(opcode, offset: offset))
                calls += Self.bases.map { GuestCall(export: name, arguments: [$0]) }
            }
        }
        let seen = try compare(sample.module.bytes, calls, ways: [way])
        #expect(seen.outcomes.contains(.trapped(2)))
    }

    /// Shapes in which an optimiser could drop, merge or move the access (reliability: a discarded load, two
    /// charges around a load, loops that look like memcpy, stores before and after).
    @Test(arguments: everyWay)
    func noShapeLosesATrapOrItsGas(_ way: LoweringOptions) throws {
        var sample = Sample(pages: (Self.pages, Self.pages))
        var calls: [GuestCall] = []
        let marker = Code.constant(.i32, 64)
        for opcode in Self.accesses {
            guard let types = opcode.row.types else { continue }
            let access = Code.access(opcode, offset: 0)
            let value = Self.load(opcode) ? [] : Code.constant(types.operands[1], 0xA5A5_A5A5_A5A5_A5A5)
            func effect(_ address: [UInt8]) -> [UInt8] {
                address + value + access + (Self.load(opcode) ? [0x1A] : [])
            }
            func mark(_ number: UInt64) -> [UInt8] {
                marker + Code.constant(.i32, number) + Code.access(.i32Store, offset: 0)
            }
            let at = effect(Code.get(0))
            let shapes: [(String, [UInt8])] = [
                ("alone", at),
                ("after a store", mark(1) + at),
                ("before a store", at + mark(2)),
                ("between stores", mark(1) + at + mark(2)),
                ("twice", at + at),
                ("between charges", [0x41, 1, 0x1A] + at + Code.get(1) + [0x04, 0x40] + mark(3) + [0x0B]),
                ("in a condition", Code.get(1) + [0x04, 0x40] + at + [0x05] + mark(4) + [0x0B]),
                ("before both arms", at + Code.get(1) + [0x04, 0x40] + at + [0x05] + mark(5) + [0x0B] + at),
                (
                    // local 1 times: access local 0, local 0 += 4096
                    "in a loop",
                    [0x03, 0x40] + at + Code.get(0) + Code.constant(.i32, 4_096) + [0x6A, 0x21, 0] + Code.get(1)
                        + Code.constant(.i32, 1) + [0x6B, 0x22, 1, 0x0D, 0, 0x0B] + mark(6)
                ),
                (
                    // *(local 0 + 8) = *local 0, byte by byte, upwards
                    "a copy loop",
                    [0x03, 0x40] + effect(Code.get(0)) + Code.get(0) + Code.get(0) + Code.access(.i32Load8U, offset: 0)
                        + Code.access(.i32Store8, offset: 8) + Code.get(0) + Code.constant(.i32, 1) + [0x6A, 0x21, 0]
                        + Code.get(1) + Code.constant(.i32, 1) + [0x6B, 0x22, 1, 0x0D, 0, 0x0B]
                ),
                ("before unreachable", at + [0x00]),
                ("before a division", at + Code.constant(.i32, 1) + Code.get(1) + [0x6D, 0x1A]),
            ]
            for (shape, code) in shapes {
                let name = "\(opcode.name) \(shape)"
                sample.add(name, [.i32, .i32], [], code: code)
                for base in [0, Self.size - 8, Self.size - 1, 0x8000_0000] {
                    for count: UInt64 in [0, 1, 40] where count > 0 || !shape.contains("loop") {
                        calls.append(GuestCall(export: name, arguments: [base, count]))
                    }
                }
            }
        }
        try compare(sample.module.bytes, calls, ways: [way])
    }

    /// A fault ends the call and not the instance: what was written before it stays, however soon it would have been
    /// written again.
    @Test(arguments: everyWay)
    func globalsHaveWhatWasSetBeforeAFault(_ way: LoweringOptions) throws {
        var sample = Sample(pages: (Self.pages, Self.pages))
        let kinds: [ValueType] = [.i32, .i64, .f32, .f64]
        func get(_ global: Int) -> [UInt8] { [0x23] + WasmBytes.unsigned(global) }
        func set(_ global: Int, _ value: UInt64) -> [UInt8] {
            Code.constant(kinds[global], value) + [0x24] + WasmBytes.unsigned(global)
        }
        sample.module.globals = kinds.map { [$0.rawValue, 1] + Code.constant($0, 31) + [0x0B] }
        for global in kinds.indices {
            sample.add("global \(global)", [], [kinds[global]], code: get(global))
        }
        var calls: [GuestCall] = []
        for opcode in Self.accesses {
            guard let types = opcode.row.types else { continue }
            let value = Self.load(opcode) ? [] : Code.constant(types.operands[1], 0xA5A5_A5A5_A5A5_A5A5)
            let access = Code.get(0) + value + Code.access(opcode, offset: 0) + (Self.load(opcode) ? [0x1A] : [])
            for global in kinds.indices {
                var shapes: [(String, [UInt8])] = [
                    ("between two", set(global, 1) + access + set(global, 2)),
                    ("between two of one value", set(global, 3) + access + set(global, 3)),
                    ("in front of one", access + set(global, 4)),
                    ("behind one that was read", get(global) + [0x1A] + set(global, 5) + access + get(global) + [0x1A]),
                    ("behind what was there", get(global) + set(global, 6) + access + [0x24, UInt8(global)]),
                    (
                        "in a loop",
                        [0x03, 0x40] + set(global, 7) + access + set(global, 8) + Code.get(0)
                            + Code.constant(.i32, 65_536) + [0x6A, 0x22, 0] + Code.constant(.i32, 0x40_0000)
                            + [0x49, 0x0D, 0, 0x0B]
                    ),
                ]
                let constant = Code.constant(.i32, Self.size - 1) + value + Code.access(opcode, offset: 3_160)
                shapes.append(
                    (
                        "at a place known before",
                        set(global, 9) + constant + (Self.load(opcode) ? [0x1A] : []) + set(global, 10)
                    ))
                if types.results == [kinds[global]] {
                    let store = [0x24] + WasmBytes.unsigned(global)
                    shapes.append(("behind what is loaded", set(global, 11) + access.dropLast() + store))
                    shapes.append(("behind what is loaded at a place known before", set(global, 12) + constant + store))
                }
                for (shape, code) in shapes {
                    let name = "\(opcode.name) \(shape), global \(global)"
                    sample.add(name, [.i32], [], code: code)
                    for base in [0, Self.size - 1, 0x8000_0000] {
                        calls += [
                            GuestCall(export: name, arguments: [base]),
                            GuestCall(export: "global \(global)", arguments: []),
                        ]
                    }
                }
            }
        }
        try compare(sample.module.bytes, calls, ways: [way])
    }

    @Test func aHostCallBetweenTwoLoadsOfOneAddressIsSeen() throws {
        // The host's answer is stored by the guest through another address; the second load must not be folded.
        var sample = Sample(pages: (1, 1))
        sample.importFunction("touch", [.i32], [.i32])
        sample.add(
            "loads", [.i32], [.i32],
            code: Code.get(0) + Code.access(.i32Load, offset: 0) + Code.get(0) + [0x10, 0, 0x1A] + Code.get(0)
                + Code.access(.i32Load, offset: 0) + [0x6B])
        let module = try TestModule(sample.module.bytes)
        for way in everyWay {
            let native = try module.compile(way, linker: .find())
            let seen = try module.run(native, [GuestCall(export: "loads", arguments: [64])], gas: 1 << 40) { memory in
                memory[64] = memory[64] &+ 5
            }
            #expect(seen.outcomes.last == .returned([0xFFFF_FFFB]), "\(way.bounds) \(way.tier)")
        }
    }

    @Test func bulkOperationsAndGrowthAgree() throws {
        var sample = Sample(pages: (1, 3))
        sample.module.dataCount = 1
        sample.module.data = [[1] + WasmBytes.sized(Array("passive segment".utf8))]
        let three = Code.get(0) + Code.get(1) + Code.get(2)
        sample.add("copy", [.i32, .i32, .i32], [], code: three + [0xFC, 0x0A, 0, 0])
        sample.add("fill", [.i32, .i32, .i32], [], code: three + [0xFC, 0x0B, 0])
        sample.add("init", [.i32, .i32, .i32], [], code: three + [0xFC, 0x08, 0, 0])
        sample.add("drop", code: [0xFC, 0x09, 0])
        sample.add("grow", [.i32], [.i32], code: Code.get(0) + [0x40, 0])
        sample.add("size", [], [.i32], code: [0x3F, 0])
        for length in [0, 1, 7, 8, 16, 33, 65, 95, 128, 129] {
            let constant = Code.constant(.i32, UInt64(length))
            sample.add(
                "copy \(length)", [.i32, .i32], [], code: Code.get(0) + Code.get(1) + constant + [0xFC, 0x0A, 0, 0])
            sample.add(
                "fill \(length)", [.i32, .i32], [], code: Code.get(0) + Code.get(1) + constant + [0xFC, 0x0B, 0])
        }
        var calls: [GuestCall] = []
        let places: [UInt64] = [0, 3, 20, 65_500, 65_528, 65_535, 65_536, 65_537, 0x8000_0000, 0xFFFF_FFFF]
        func round() {
            for to in places {
                for from in places {
                    for count: UInt64 in [0, 1, 9, 40, 65_536, 0xFFFF_FFFF] {
                        for name in ["fill", "copy"] {
                            calls.append(GuestCall(export: name, arguments: [to, from, count]))
                        }
                    }
                    for length in [0, 1, 7, 8, 16, 33, 65, 95, 128, 129] {
                        calls.append(GuestCall(export: "fill \(length)", arguments: [to, from]))
                        calls.append(GuestCall(export: "copy \(length)", arguments: [to, from]))
                    }
                    for count: UInt64 in [0, 1, 15, 16] {
                        calls.append(GuestCall(export: "init", arguments: [to, from, count]))
                    }
                }
            }
        }
        round()
        for pages: UInt64 in [0, 1, 1, 1, 0xFFFF_FFFF] {
            calls.append(GuestCall(export: "grow", arguments: [pages]))
            calls.append(GuestCall(export: "size", arguments: []))
        }
        calls.append(GuestCall(export: "drop", arguments: []))
        round()
        try compare(sample.module.bytes, calls, gas: [1 << 40, 3_000_000])
    }
}
