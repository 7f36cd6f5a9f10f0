import Bundle
import TestSupport
import Testing
import WasmFormat

@testable import Metering

@Suite struct StackReserveTests {
    private func reserve(_ module: WasmModule) throws -> StackReserve {
        let analyzed = try analyze(module.bytes)
        return StackReserve(analyzed.module.module, plan: analyzed.plan)
    }

    /// Calls `callee`, exported.
    private func caller(of callee: Int, locals: Int = 0) -> WasmModule.Function {
        let groups: [(count: Int, type: UInt8)] = locals > 0 ? [(locals, UInt8(0x7E))] : []
        return .init(
            locals: groups, code: [0x10] + WasmBytes.unsigned(callee))
    }

    /// For the built-in actors of every bundle the counted height alone decides, and with room to spare.
    @Test(arguments: [
        "mainnet-v10", "mainnet-v11", "mainnet-v12", "mainnet-v14", "mainnet-v16", "mainnet-v18",
        "testing-fake-proofs-v10",
    ])
    func theHeightBoundsTheBuiltInActors(bundle: String) throws {
        guard let path = sharedData("bundles/builtin-actors-\(bundle).car.zst") else { return }
        let bundle = try ActorBundle.open(path: path)
        #expect(bundle.codes.count >= 16)
        for (name, cid) in bundle.codes {
            let analyzed = try analyze(try #require(bundle.code(cid)))
            let reserve = StackReserve(analyzed.module.module, plan: analyzed.plan)
            #expect(reserve.isBounded, "\(name)")
            #expect(reserve.entryBytes <= StackReserve.budget / 8 * 7, "\(name): \(reserve.entryBytes)")
        }
    }

    @Test func aReserveCountsParametersLocalsArgumentsInstructionsAndCharges() throws {
        var module = WasmModule()
        module.types = [WasmBytes.functionType([], []), WasmBytes.functionType([0x7F, 0x7E], [])]
        module.functions = [
            .init(code: []),
            .init(locals: [(3, 0x7F), (0, 0x7E), (2, 0x7E)], code: []),
            .init(type: 1, "nop i32.const 1 local.get 1 call 2"),
        ]
        let bytes = try reserve(module).functions.map { UInt64($0) * StackReserve.unit }
        // 384 and one instruction; the end has no charge.
        #expect(bytes[0] == 400)
        #expect(bytes[1] == bytes[0] + 5 * 16)
        // Five instructions, a call, two arguments, one charge: 384 + 2 * 56 + 40 + 16 + 16 + 16.
        #expect(bytes[2] == 592)
    }

    @Test func smallFramesAreBoundedAndLargeOnesAreNot() throws {
        var module = WasmModule()
        module.functions = [caller(of: 0)]
        module.exports = [("f", 0, 0)]
        #expect(try reserve(module).isBounded)
        module.functions = [caller(of: 0, locals: 5_000)]
        let large = try reserve(module)
        #expect(!large.isBounded && large.isCallable(0))
        #expect(large.entryBytes == StackReserve.budget + large.bytes(ofFunction: 0))
    }

    /// A large function that no cycle contains is there once; only what recurses is multiplied.
    @Test func onlyCyclesRepeat() throws {
        var module = WasmModule()
        module.functions = [caller(of: 1, locals: 40_000), caller(of: 1)]
        module.exports = [("f", 0, 0)]
        let once = try reserve(module)
        #expect(once.isBounded && once.entryBytes < 5 << 20)
        module.functions[1] = caller(of: 0)
        #expect(try !reserve(module).isBounded)
    }

    /// An indirect call may lead to every function of its type that can be in a table.
    @Test func indirectCallsCloseCycles() throws {
        var module = WasmModule()
        module.types = [WasmBytes.functionType([], []), WasmBytes.functionType([], [0x7F])]
        module.functions = [
            .init(locals: [(5_000, 0x7E)], code: Assembler.assemble("i32.const 0 call_indirect 0 0")),
            .init(type: 1, code: Assembler.assemble("i32.const 1")),
        ]
        module.tables = [[0x70, 0, 1]]
        #expect(try reserve(module).isBounded, "the table is empty")
        module.elements = [[0, 0x41, 0, 0x0B, 1, 1]]
        #expect(try reserve(module).isBounded, "its function has another type")
        module.elements = [[0, 0x41, 0, 0x0B, 1, 0]]
        #expect(try !reserve(module).isBounded)
        module.types.append(WasmBytes.functionType([], []))
        module.functions[0].code = Assembler.assemble("i32.const 0 call_indirect 2 0")
        #expect(try !reserve(module).isBounded, "equal types are one type")
    }

    /// The initialiser of a global refers to a function without its trampoline: calls through it add no height.
    @Test func referencesPastTrampolinesAreNotBounded() throws {
        var module = WasmModule()
        module.functions = [.init(code: [])]
        #expect(try reserve(module).isBounded)
        module.globals = [[0x70, 0, 0xD2, 0, 0x0B]]
        #expect(try !reserve(module).isBounded)
    }

    @Test func whatIsNotMeteredOrLinkedIsNotBounded() throws {
        var module = WasmModule()
        module.functions = [.init(code: [])]
        let analyzed = try analyze(module.bytes)
        #expect(!StackReserve(analyzed.module.module, plan: nil).isBounded)
        let linked = StackReserve(analyzed.module.module, plan: analyzed.plan, isLinked: true)
        #expect(!linked.isBounded && linked.entryBytes == 2 * StackReserve.budget)
    }

    /// The bound is that of the worst chain of calls, found by trying them all.
    @Test func theBoundIsNeverBelowTheWorstChain() throws {
        var state: UInt64 = 1
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        var bounded = 0
        for _ in 0..<300 {
            let count = 1 + random(6)
            var module = WasmModule()
            module.functions = (0..<count).map { index in
                let calls = (0..<random(3)).flatMap { _ in [UInt8(0x10)] + WasmBytes.unsigned(random(count)) }
                let operands = random(4)
                let pushes = (0..<operands).flatMap { _ in [UInt8(0x41), UInt8(0)] }
                let locals = random(100) == 0 ? 30_000 : random(1_500)
                return .init(
                    locals: [(locals, UInt8(0x7E))], code: pushes + [UInt8](repeating: 0x1A, count: operands) + calls)
            }
            let analyzed = try analyze(module.bytes)
            var plan = analyzed.plan
            plan.stackLimit = UInt32(10 + random(80))
            let reserve = StackReserve(analyzed.module.module, plan: plan)
            guard reserve.isBounded else { continue }
            bounded += 1
            // By height used so far: the most units that a chain ending in each function reserves.
            let limit = Int(plan.stackLimit)
            var best = [[Int]](repeating: [Int](repeating: -1, count: count), count: limit + 1)
            for height in 0...limit {
                for index in 0..<count where Int(plan.functions[index].stackCost) == height {
                    best[height][index] = max(best[height][index], Int(reserve.functions[index]))
                }
                for index in 0..<count where best[height][index] >= 0 {
                    for instruction in analyzed.module.module.bodies[index].instructions
                    where instruction.opcode == .call {
                        let callee = Int(instruction.index)
                        let next = height + Int(plan.functions[callee].stackCost)
                        guard next <= limit else { continue }
                        best[next][callee] = max(
                            best[next][callee], best[height][index] + Int(reserve.functions[callee]))
                    }
                }
            }
            let worst = UInt64(max(0, best.joined().max() ?? 0)) * StackReserve.unit
            let largest = UInt64(reserve.functions.max() ?? 0) * StackReserve.unit
            #expect(worst + largest <= reserve.entryBytes && worst <= StackReserve.budget)
        }
        #expect(bounded > 100)
    }
}
