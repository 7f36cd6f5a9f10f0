import Engine
import Testing
import WasmReference

/// What a handler sees and does.
struct HostCallTests {
    /// Answers import 0 by the sum of its arguments, changes the counter, and ends the call at import 1.
    private final class Host: ImportHandler {
        var seenGas: Int64 = 0
        var seenMemory: [UInt8]?

        func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
            guard index == 0 else { return .end }
            seenGas = guest.gasCounter
            seenMemory = guest.read(offset: 0, count: 2)
            guest.gasCounter = 500_000
            return .result(arguments[0] &+ arguments[1])
        }
    }

    private func module() -> ModuleBuilder {
        var module = ModuleBuilder()
        module.importFunction("add", [ModuleBuilder.i64, ModuleBuilder.i64], [ModuleBuilder.i64])
        module.importFunction("end", [], [])
        module.memories = [[0, 1]]
        module.data = [[0, 0x41, 0, 0x0B, 2, 5, 6]]
        module.function("f", [ModuleBuilder.i64], [ModuleBuilder.i64], [0x20, 0, 0x42, 5, 0x10, 0])
        module.function("g", [], [], [0x10, 1, 0x00])
        return module
    }

    @Test func handlerSeesArgumentsMemoryAndTheCounterAfterTheBlocksCharge() throws {
        let host = Host()
        let instance = try module().started(handler: host)
        instance.gasCounter = 1_000_000
        #expect(try instance.call("f", [37]) == .returned([42]))
        // Trampoline with one parameter 56,000; get, const and call 12,000.
        #expect(host.seenGas == 1_000_000 - 56_000 - 12_000)
        #expect(host.seenMemory == [5, 6])
        #expect(instance.gasCounter == 500_000)
    }

    @Test func handlerEndsTheCallWithoutATrap() throws {
        let instance = try module().started(handler: Host())
        #expect(try instance.call("g", []) == .endedByHost)
    }

    @Test func unknownExportIsAnErrorOfTheCaller() throws {
        let instance = try module().started(handler: Host())
        #expect(throws: EngineError.self) { try instance.call("nothing", []) }
    }
}
