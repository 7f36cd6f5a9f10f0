import Crypto
import Engine
import Foundation
import GasSchedule
import Metering
import Primitives
import Syscalls
import Testing
import WasmReference

@testable import Kernel

/// Small actors in WebAssembly text, compiled when the test runs, under the interpreter.
struct WasmActorTests {
    private struct NotAssembled: Error {
        var log: String
    }

    /// The binary of a module in text form (`wat2wasm` of wabt).
    private static func assemble(_ text: String) throws -> [UInt8] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let source = directory.appendingPathComponent("actor.wat")
        let binary = directory.appendingPathComponent("actor.wasm")
        try Data(text.utf8).write(to: source)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["wat2wasm", source.path, "-o", binary.path]
        let log = Pipe()
        process.standardError = log
        try process.run()
        let said = log.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw NotAssembled(log: String(decoding: said, as: UTF8.self))
        }
        return Array(try Data(contentsOf: binary))
    }

    private func run(
        _ text: String, params: Block? = nil, calls: FakeCalls, limits: InstanceLimits? = nil
    ) throws -> Result<InvocationResult, ExecutionError> {
        let analyzed = try FrontEnd.analyze(
            try Self.assemble(text), profile: .fvm, prices: .fvm)
        let module = try ReferenceModule(analyzed)
        let frame = InvocationFrame(
            caller: 99, receiver: 100, method: 2, value: .zero, readOnly: false, depth: 1)
        do throws(ExecutionError) {
            return .success(
                try Invocation.run(
                    BoundModule(module, syscalls: .of(calls.network.profile.syscalls)), frame: frame,
                    params: params,
                    calls: calls, limiter: ResourceLimiter(limit: 2 << 30, instance: limits)))
        } catch {
            return .failure(error)
        }
    }

    private func calls(gasLimit: UInt64 = 10_000_000_000) throws -> FakeCalls {
        let calls = try FakeCalls(gasLimit: gasLimit)
        calls.actors[100] = Sample.state(balance: 5)
        return calls
    }

    @Test func anActorEchoesItsParameters() throws {
        let calls = try calls()
        let block = Block(codec: 0x51, data: [1, 2, 3])
        let result = try run(
            """
            (module (memory (export "memory") 1)
              (func (export "invoke") (param i32) (result i32) local.get 0))
            """, params: block, calls: calls)
        #expect(try result.get().outcome == CallOutcome(exitCode: .ok, block: block))
        // The entry's trampoline is 56 gas, the body's one instruction 4.
        #expect(
            calls.charges == [
                GasCharge("wasm_memory_init", compute: 26_214_400), GasCharge("wasm_exec"),
                GasCharge("wasm_exec", compute: 60_000), GasCharge("OnChainReturnValue", other: 3_900_000),
            ])
    }

    @Test func theExecutionBeforeABadResultAddressIsChargedTwice() throws {
        let calls = try calls()
        let result = try run(
            """
            (module (import "gas" "available" (func $available (param i32) (result i32)))
              (memory (export "memory") 1)
              (func (export "invoke") (param i32) (result i32)
                i32.const -1 call $available drop
                i32.const 0 call $available drop
                i32.const 0))
            """, calls: calls)
        #expect(try result.get().outcome.exitCode == .ok)
        let executed = calls.charges.filter { $0.name == "wasm_exec" }.map(\.compute)
        // Trampoline 56 and a block of five priced instructions, all paid at its start; then nothing more is
        // executed, and the first call's settlement is charged again by the second.
        #expect(executed == [0, 76_000, 76_000, 0])
    }

    @Test func growingMemoryIsSplitFromExecution() throws {
        let calls = try calls()
        let result = try run(
            """
            (module (memory (export "memory") 1)
              (func (export "invoke") (param i32) (result i32)
                i32.const 2 memory.grow drop i32.const 0))
            """, calls: calls)
        #expect(try result.get().outcome.exitCode == .ok)
        #expect(
            calls.charges.suffix(2) == [
                GasCharge("wasm_exec", compute: 56_000 + 12_000),
                GasCharge("wasm_memory_grow", compute: 52_428_800),
            ])
    }

    /// The network version says what an instance may take, not the engine.
    @Test func memoryGrowsUpToTheLimitHandedDown() throws {
        let text = """
            (module (memory (export "memory") 1)
              (func (export "invoke") (param i32) (result i32)
                i32.const 1 memory.grow i32.const 1 i32.ne if unreachable end
                i32.const 1 memory.grow i32.const -1 i32.ne if unreachable end
                i32.const 0))
            """
        let two = InstanceLimits(memory: 2 << 16, tableElements: 10)
        #expect(try run(text, calls: try calls(), limits: two).get().outcome.exitCode == .ok)
        #expect(try run(text, calls: try calls()).get().outcome.exitCode == .sysIllegalInstruction)
    }

    @Test func aLoopRunsOutOfGas() throws {
        let calls = try calls(gasLimit: 100_000)
        let result = try run(
            """
            (module (memory (export "memory") 1)
              (func (export "invoke") (param i32) (result i32) (loop $again (br $again)) i32.const 0))
            """, calls: calls)
        guard case .failure(.outOfGas) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(calls.gas.available == 0)
    }

    @Test func exitUnwindsTheGuest() throws {
        let calls = try calls()
        let result = try run(
            """
            (module (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1) (data (i32.const 8) "enough")
              (func $deep i32.const 21 i32.const 0 i32.const 8 i32.const 6 call $exit drop unreachable)
              (func (export "invoke") (param i32) (result i32) call $deep i32.const 0))
            """, calls: calls)
        let ended = try result.get()
        #expect(ended.outcome == CallOutcome(exitCode: ExitCode(rawValue: 21), block: nil))
        #expect(ended.message?.description == "enough")
    }

    @Test func anActorReadsItsRootAndLinksANewOne() throws {
        let calls = try calls()
        let result = try run(
            """
            (module
              (import "self" "root" (func $root (param i32 i32 i32) (result i32)))
              (import "self" "set_root" (func $set (param i32) (result i32)))
              (import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))
              (import "ipld" "block_link" (func $link (param i32 i32 i64 i32 i32 i32) (result i32)))
              (memory (export "memory") 1) (data (i32.const 8) "\\82\\01\\02")
              (func $must (param i32) local.get 0 if unreachable end)
              (func (export "invoke") (param i32) (result i32)
                (call $must (call $root (i32.const 0) (i32.const 200) (i32.const 100)))
                (call $must (call $create (i32.const 0) (i64.const 0x71) (i32.const 8) (i32.const 3)))
                (call $must (call $link (i32.const 4) (i32.load (i32.const 0)) (i64.const 0xb220) (i32.const 32)
                  (i32.const 300) (i32.const 100)))
                (call $must (call $set (i32.const 300)))
                i32.const 0))
            """, calls: calls)
        #expect(try result.get().outcome.exitCode == .ok)
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: [0x82, 1, 2])
        #expect(calls.actors[100]?.state == cid && calls.blocks[cid] == [0x82, 1, 2])
    }

    @Test func aTrapIsExit4WithItsPlace() throws {
        let calls = try calls()
        let result = try run(
            """
            (module (memory (export "memory") 1)
              (func (export "invoke") (param i32) (result i32) i32.const -1 i32.load))
            """, calls: calls)
        let ended = try result.get()
        #expect(ended.outcome.exitCode == .sysIllegalInstruction)
        #expect(ended.message?.description.hasPrefix("out of bounds memory access") == true)
    }
}
