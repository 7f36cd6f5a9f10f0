import Engine
import IPLD
import Kernel
import Primitives
import StateTree
import Testing

@testable import Machine

/// What a failed message says about its failure.
struct BacktraceTests {
    /// A state with actors 201, 202 and 203, whose code is the script of that number.
    private func failure(_ scripts: [UInt64: ScriptedCode.Script]) throws -> Backtrace? {
        let state = try SyntheticState()
        let engine = ScriptEngine()
        let machine = try state.machine(engine: engine)
        for (id, script) in scripts {
            let code = Cid.blake2b256(codec: Cid.raw, data: [UInt8(id)])
            try state.store.put(code, [UInt8(id)])
            machine.state.setActor(id, .empty(code: code, delegatedAddress: nil))
            engine.scripts[code.bytes] = script
        }
        let message = Message(
            to: .id(201), from: .id(SyntheticState.sender), nonce: 0, value: .zero, gasLimit: 100_000_000,
            feeCap: TokenAmount(100), premium: TokenAmount(1), method: 2, params: [])
        return try Executor(machine).apply(message, kind: .explicit, chainLength: 100).failure
    }

    private static let fine: ScriptedCode.Script = { _ in .returned([0]) }

    private static func exits(_ code: UInt64) -> ScriptedCode.Script {
        { guest in
            guest.exit(code)
            return .endedByHost
        }
    }

    @Test func aLaterCallThatSucceedsDoesNotHideTheOneThatFailed() throws {
        let failure = try #require(
            try failure([
                201: { guest in
                    guest.send(to: 202)
                    guest.send(to: 203)
                    guest.exit(20)
                    return .endedByHost
                }, 202: Self.exits(20), 203: Self.fine,
            ]))
        #expect(failure.frames.map(\.actor) == [202, 201])
    }

    @Test func whatSucceededWithACallThatFailedInsideIsForgotten() throws {
        // 202 fails inside 203, which copes with it; 201 fails for reasons of its own.
        let failure = try #require(
            try failure([
                201: { guest in
                    guest.send(to: 203)
                    guest.exit(21)
                    return .endedByHost
                },
                203: { guest in
                    guest.send(to: 202)
                    return .returned([0])
                }, 202: Self.exits(20),
            ]))
        #expect(failure.frames.map(\.actor) == [201] && failure.cause == nil)
    }

    @Test func runningOutOfGasNamesTheCharge() throws {
        let failure = try #require(
            try failure([
                201: { guest in
                    guest.send(to: 202)
                    return .endedByHost
                },
                202: { guest in
                    guest.charge(1_000_000_000)
                    return .endedByHost
                },
            ]))
        #expect(failure.frames.map(\.actor) == [202, 201])
        #expect(failure.frames.allSatisfy { $0.exitCode == .sysOutOfGas })
        #expect(failure.cause?.contains("costs 1000000000000 milligas") == true, "\(failure)")
    }
}

/// Code that is a Swift closure.
final class ScriptedCode: ActorModule, ActorInstance, @unchecked Sendable {
    // One test's, on one thread.
    typealias Script = @Sendable (ScriptedCode) -> GuestOutcome

    private static let i32: UInt8 = 0x7F
    private static let i64: UInt8 = 0x7E
    private static let imports: [(String, String, [UInt8])] = [
        ("send", "send", [9, 1, i32, i32, i32, i64, i32, i64, i64, i64, i64, i32]),
        ("vm", "exit", [4, 1, i32, i32, i32, i32, i32]), ("gas", "charge", [3, 1, i32, i32, i64, i32]),
    ]

    let facts = ModuleFacts(
        importedFunctions: imports.map {
            ModuleFacts.ImportedFunction(module: Array($0.0.utf8), name: Array($0.1.utf8), signature: $0.2)
        }, importsOtherThanFunctions: false, exportedMemoryPages: 1, exportedTableElements: nil,
        invoke: .function(signature: [1, 1, i32, i32]))
    var gasCounter: Int64 = 0
    private let script: Script
    private var handler: (any ImportHandler)?
    private var memory = [UInt8](repeating: 0, count: 65_536)

    init(_ script: @escaping Script) { self.script = script }

    func makeInstance(handler: any ImportHandler, limiter: ResourceLimiter) throws(EngineError) -> any ActorInstance {
        let instance = ScriptedCode(script)
        instance.handler = handler
        return instance
    }

    func instantiate() throws(EngineError) -> GuestOutcome { .returned([]) }
    func call(_ export: String, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome { script(self) }

    private func syscall(_ index: Int, _ arguments: [UInt64]) {
        guard let handler else { return }
        // Sound: both pointers are valid for the call, and nothing else touches what they address meanwhile.
        memory.withUnsafeMutableBufferPointer { memory in
            withUnsafeMutablePointer(to: &gasCounter) { counter in
                var guest = GuestContext(
                    base: memory.baseAddress, memorySize: UInt64(memory.count), counter: counter)
                _ = handler.callImport(index, arguments: arguments.span, guest: &guest)
            }
        }
    }

    /// A call of method 2 without value or limit.
    func send(to id: UInt64) {
        let address = Address.id(id).bytes
        memory.replaceSubrange(512..<512 + address.count, with: address)
        syscall(0, [0, 512, UInt64(address.count), 2, 0, 0, 0, .max, 0])
    }

    func exit(_ code: UInt64) { syscall(1, [code, 0, 0, 0]) }

    func charge(_ gas: UInt64) { syscall(2, [0, 0, gas]) }
}

/// Runs scripts by code CID.
final class ScriptEngine: ActorEngine, @unchecked Sendable {
    // One test's, on one thread.
    var scripts: [[UInt8]: ScriptedCode.Script] = [:]

    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        scripts[key].map { .module(ScriptedCode($0)) }
    }
}
