import Engine
import Testing

@testable import NativeEngine

/// State of a compiled instance as a whole.
struct InstanceStateTests {
    private func instance() throws -> NativeInstance {
        let module = try NativeModule(object: HandmadeObject.first.get())
        let made = try module.makeInstance(handler: Echo(), limiter: ResourceLimiter(limit: 2 << 30))
        made.gasCounter = 1_000_000
        #expect(try made.instantiate() == .returned([]))
        return try #require(made as? NativeInstance)
    }

    @Test func globalsAreSetAndRead() throws {
        let instance = try instance()
        #expect(instance.globalSlots == [17])
        instance.setGlobals([.max])
        #expect(instance.globalSlots == [.max])
    }

    @Test func memoryIsWrittenComparedAndGrown() throws {
        let instance = try instance()
        let bytes: [UInt8] = [9, 8, 7]
        instance.write(bytes.span, at: instance.memorySize - 3)
        // There, not a byte before, and not where it would be beyond the end.
        let agrees = [3, 4, 2].map { instance.memory(has: bytes.span, at: instance.memorySize - $0) }
        #expect(agrees == [true, false, false])
        #expect(try instance.call("load", [instance.memorySize - 1]) == .returned([7]))
        let grown = instance.memorySize + 65_536
        #expect(try instance.growMemory(to: grown) && instance.memorySize == grown)
        #expect(try instance.call("load", [grown - 1]) == .returned([0]))
        #expect(try !instance.growMemory(to: 65_536))
    }

    @Test func aFunctionThatWasLookedUpIsCalled() throws {
        let instance = try instance()
        let add = try #require(instance.module.function(named: Array("add".utf8)))
        #expect(try instance.call(add, [40, 2]) == .returned([42]))
        #expect(throws: EngineError.self) { try instance.call(add, [40]) }
    }
}
