import CActorRuntime
import Compiler
import Metering
import TestSupport
import Testing
import WasmFormat

@testable import Lowering

/// Reserves bound the frames that the code generator makes, whatever it is made to do.
struct FrameTests {
    private static let ways =
        everyWay + [LoweringOptions(cpu: .v3), LoweringOptions(tier: .baseline, cpu: .v3)]

    /// Compiles every way; an object with a frame above its reserve is an error. Gives the largest part of a reserve
    /// that a frame takes.
    @discardableResult
    private func compile(_ sample: Sample, metered: Bool = true, _ what: String) throws -> Double {
        let module = try TestModule(sample.module.bytes, metered: metered)
        let reserve = StackReserve(module.module.module, plan: module.plan)
        var largest = 0.0
        for way in Self.ways {
            do {
                let output = try Lowering.lower(module.module, plan: module.plan, options: way)
                for (position, function) in output.functions.enumerated() {
                    let part = Double(function.frameBytes ?? 0) / Double(reserve.bytes(ofFunction: position))
                    largest = max(largest, part)
                }
            } catch {
                Issue.record("\(what), \(way.bounds) \(way.tier) \(way.cpu): \(error)")
            }
        }
        return largest
    }

    /// The codes of several instructions, one after another.
    private static func each(_ range: Range<Int>, _ code: (Int) -> [UInt8]) -> [UInt8] {
        range.reduce(into: []) { $0 += code($1) }
    }

    private static func drop(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x1A, count: count) }

    /// Results that all stay on the operand stack, and results that become the next operand.
    @Test func operatorsKeepToTheirReserves() throws {
        var sample = Sample(pages: (1, 1))
        for opcode in Opcode.allCases {
            let row = opcode.row
            guard row.refusedBy == nil, let types = row.types, types.results.count <= 1, opcode != .memoryGrow else {
                continue
            }
            if types.operands.contains(.funcref) || types.results.contains(.funcref) { continue }
            var immediates: [UInt8] = []
            if row.accessWidth > 0 { immediates = [0, 8] }
            if opcode == .memorySize { immediates = [0] }
            guard row.accessWidth > 0 || opcode == .memorySize || Self.isPlain(opcode) else { continue }
            let one = opcode.encoded + immediates
            let operands = types.operands.indices.flatMap(Code.get)
            let name = "\(opcode.name)"
            sample.add(
                name, types.operands, [],
                code: Self.each(0..<60) { _ in operands + one } + Self.drop(60 * types.results.count))
            if let result = types.results.first, types.operands.first == result {
                let rest = types.operands.indices.dropFirst().flatMap(Code.get)
                sample.add(
                    name + " chain", types.operands, [],
                    code: Code.get(0) + Self.each(0..<60) { _ in rest + one } + Self.drop(1))
            }
        }
        #expect(sample.names.count > 200)
        try compile(sample, "operators")
        try compile(sample, metered: false, "operators without metering")
    }

    /// Without immediates.
    private static func isPlain(_ opcode: Opcode) -> Bool {
        (0x45...0xC4).contains(opcode.rawValue) || (0xFC00...0xFC07).contains(opcode.rawValue)
    }

    @Test func callsKeepToTheirReserves() throws {
        var sample = Sample(pages: (1, 1))
        sample.importFunction("host", [.i64], [.i64])
        let plain = sample.type([], [])
        let many = [ValueType](repeating: .i64, count: 60)
        let wide = sample.type(many, [.i64])
        sample.add("nothing", code: [])
        sample.add("wide", many, [.i64], code: Code.get(3))
        sample.module.tables = [[0x70, 0, 2]]
        sample.module.elements = [[0, 0x41, 0, 0x0B] + WasmBytes.vector([[1], [2]])]
        func indirect(_ type: Int) -> [UInt8] { Code.constant(.i32, 0) + [0x11] + WasmBytes.unsigned(type) + [0] }
        sample.add("direct", code: Self.each(0..<100) { _ in [0x10, 0x01] })
        sample.add("table", code: Self.each(0..<100) { _ in indirect(plain) })
        sample.add("hosted", [.i64], [.i64], code: Code.get(0) + Self.each(0..<100) { _ in [0x10, 0x00] })
        let arguments = Self.each(0..<60) { _ in Code.get(0) }
        sample.add(
            "arguments", [.i64], code: Self.each(0..<20) { _ in arguments + [0x10, 0x02] } + Self.drop(20))
        sample.add(
            "table arguments", [.i64], code: Self.each(0..<20) { _ in arguments + indirect(wide) } + Self.drop(20))
        sample.add(
            "one after another", many, [.i64],
            code: Self.each(0..<60, Code.get) + Self.each(0..<20) { _ in [0x10, 0x02] + Self.each(1..<60, Code.get) }
                + [0x10, 0x02])
        try compile(sample, "calls")
    }

    /// Charges, joins with and without results, loops over many locals, wide tables.
    @Test func controlKeepsToItsReserves() throws {
        var sample = Sample()
        let arm = Code.get(0) + [0x04, 0x40, 0x41, 1, 0x1A, 0x0B]
        sample.add("branches", [.i32], code: Self.each(0..<200) { _ in arm })
        let choice = Code.get(0) + [0x04, 0x7F] + Code.get(0) + [0x05] + Code.get(1) + [0x0B]
        sample.add("choices", [.i32, .i32], code: Self.each(0..<100) { _ in choice } + Self.drop(100))
        func loops(_ depth: Int, _ locals: Int) -> [UInt8] {
            let steps = Self.each(1..<(locals + 1)) { local in
                Code.get(local) + Code.get(1 + local % locals) + [0x7C, 0x21] + WasmBytes.unsigned(local)
            }
            let back = Code.get(0) + [0x0D, 0]
            return Self.each(0..<depth) { _ in [UInt8(0x03), 0x40] } + steps
                + Self.each(0..<depth) { _ in back + [0x0B] }
        }
        for (depth, locals) in [(1, 100), (5, 30), (20, 20), (60, 40)] {
            sample.add("loops \(depth) \(locals)", [.i32], locals: [(locals, 0x7E)], code: loops(depth, locals))
        }
        let assign = Self.each(1..<31) { local in
            Code.get(0) + [0x04, 0x40, 0x42] + WasmBytes.signed(Int64(local)) + [0x21] + WasmBytes.unsigned(local)
                + [0x0B]
        }
        let sum = Self.each(1..<31) { Code.get($0) + [0x1A] }
        sample.add("joins", [.i32], locals: [(30, 0x7E)], code: assign + sum + assign + sum)
        let open = Self.each(0..<50) { _ in [UInt8(0x02), 0x40] }
        let ends = Self.each(0..<50) { block in
            [UInt8(0x0B), 0x42, UInt8(block), 0x21] + WasmBytes.unsigned(1 + block % 20)
        }
        sample.add(
            "table", [.i32], locals: [(20, 0x7E)],
            code: open + Code.get(0) + [0x0E] + WasmBytes.vector((0..<50).map { [UInt8($0)] }) + [0] + ends
                + Self.each(1..<21) { Code.get($0) + [0x1A] })
        try compile(sample, "control")
    }

    @Test func parametersAndLocalsKeepToTheirReserves() throws {
        for count in [1, 6, 7, 20, 200, 1_000] {
            var sample = Sample()
            for type in [ValueType.i32, .i64, .f32, .f64] {
                let parameters = [ValueType](repeating: type, count: count)
                sample.add("identity \(type)", parameters, [type], code: Code.get(count - 1))
                sample.add(
                    "pass \(type)", parameters, [type],
                    code: Self.each(0..<count, Code.get) + [0x10]
                        + WasmBytes.unsigned(sample.module.functions.count - 1))
                sample.add("locals \(type)", [], locals: [(count, type.rawValue)], code: [])
            }
            try compile(sample, "\(count) parameters")
        }
    }

    @Test func aFrameAboveItsReserveIsRefused() throws {
        var sample = Sample()
        sample.add("f", [.i64], code: [])
        let module = try TestModule(sample.module.bytes)
        let reserve = StackReserve(module.module.module, plan: module.plan)
        let check = FrameCheck(
            module: module.module.module, reserve: reserve,
            inlining: Inlining(module.module.module, plan: nil, reserve: reserve)
        ) { "f\($0)" }
        let allowed = reserve.bytes(ofFunction: 0)
        try check.run(["f0": allowed - 16])
        try check.run(["f0": allowed - 100, "entry0": 68])
        #expect(throws: LoweringError.self) { try check.run(["f0": allowed - 15]) }
        #expect(throws: LoweringError.self) { try check.run(["f0": allowed - 100, "entry0": 69]) }
        #expect(throws: LoweringError.self) { try check.run(["f0": allowed - 100, "typed0": 69]) }
        #expect("\(LoweringError.frame(function: 3, bytes: 100, reserve: 64))".contains("100 bytes, the reserve is 64"))
    }

    @Test func theRuntimeHasTheBudgetOfTheRule() {
        #expect(UInt64(SMELT_RT_ENTRY_STACK) == StackReserve.budget)
    }
}
