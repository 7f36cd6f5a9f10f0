import ArtifactFormat
import CActorRuntime
import Compiler
import Engine
import Lowering
import NativeEngine
import TestSupport
import Testing
import WasmFormat

/// Traps name their function and the byte offset of the instruction.
struct TrapPlaceTests {
    private final class NoImports: ImportHandler {
        func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome { .end }
    }

    @Test(arguments: everyWay)
    func trapsTellTheOffsetOfTheirInstruction(_ way: LoweringOptions) throws {
        var sample = Sample(pages: (1, 1))
        let shapes: [(String, [UInt8], Opcode)] = [
            ("unreachable", Code.get(0) + [0x1A, 0x00], .unreachable),
            ("division", Code.constant(.i32, 1) + Code.get(0) + [0x6D, 0x1A], .i32DivS),
            ("load", Code.constant(.i32, 65_536) + Code.access(.i64Load, offset: 0) + [0x1A], .i64Load),
            (
                "second load",
                Code.get(0) + Code.access(.i32Load, offset: 0) + Code.access(.i32Load8U, offset: 65_536) + [0x1A],
                .i32Load8U
            ),
            ("store", Code.get(0) + Code.constant(.i32, 1) + Code.access(.i32Store, offset: 70_000), .i32Store),
            ("fill", Code.get(0) + Code.get(0) + Code.constant(.i32, 70_000) + [0xFC, 0x0B, 0], .memoryFill),
        ]
        for (name, code, _) in shapes { sample.add(name, [.i32], [], code: code) }
        let module = try TestModule(sample.module.bytes)
        let objects = try Lowering.lower(module.module, plan: module.plan, options: way, product: .parts).objects
        let native = try NativeModule(object: LoadableObject(checking: Linker.find().link(objects)))
        for (index, (name, _, opcode)) in shapes.enumerated() {
            let instance = try native.makeInstance(handler: NoImports(), limiter: ResourceLimiter(limit: 1 << 31))
            instance.gasCounter = 1 << 40
            #expect(try instance.instantiate() == .returned([]))
            guard case .trapped(_, let site?) = try instance.call(name, [0]) else {
                Issue.record("\(name) does not trap at a known place")
                continue
            }
            let expected = module.module.module.bodies[index].instructions.last { $0.opcode == opcode }?.offset
            #expect(
                site == TrapSite(function: UInt32(index), offset: expected), "\(name) \(way.bounds) \(way.tier)")
        }
    }

    /// What both arms end in is one piece of code for the code generator, if it may.
    @Test(arguments: everyWay)
    func trapsOfEqualInstructionsInTwoArmsHaveEachItsPlace(_ way: LoweringOptions) throws {
        var sample = Sample(pages: (1, 1))
        func fill(_ count: UInt64) -> [UInt8] {
            Code.constant(.i32, 0) + Code.constant(.i32, 7) + Code.constant(.i32, count) + [0xFC, 0x0B, 0]
        }
        let arms = fill(70_000) + [0x05] + fill(80_000)
        sample.add("arms", [.i32], [], code: Code.get(0) + [0x04, 0x40] + arms + [0x0B])
        let module = try TestModule(sample.module.bytes)
        let objects = try Lowering.lower(module.module, plan: module.plan, options: way, product: .parts).objects
        let native = try NativeModule(object: LoadableObject(checking: Linker.find().link(objects)))
        let fills = module.module.module.bodies[0].instructions.filter { $0.opcode == .memoryFill }
        for (argument, fill) in zip([1, 0], fills) {
            let instance = try native.makeInstance(handler: NoImports(), limiter: ResourceLimiter(limit: 1 << 31))
            instance.gasCounter = 1 << 40
            #expect(try instance.instantiate() == .returned([]))
            guard case .trapped(_, let site) = try instance.call("arms", [UInt64(argument)]) else {
                Issue.record("no trap")
                continue
            }
            #expect(site == TrapSite(function: 0, offset: fill.offset), "\(argument) \(way.bounds) \(way.tier)")
        }
    }
}
