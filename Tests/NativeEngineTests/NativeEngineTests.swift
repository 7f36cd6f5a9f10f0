import ArtifactFormat
import Engine
import Synchronization
import Testing

@testable import NativeEngine

/// Gives one object for the key [1], a refusal for [2], nothing for others; counts how often it is asked.
private final class OneObject: ArtifactSource {
    let asked = Mutex(0)
    private let object: LoadableObject

    init() throws { object = try HandmadeObject.first.get() }

    func artifact(
        key: [UInt8], wasm: () -> [UInt8]?, better: @escaping @Sendable (LoadableObject) -> Void
    ) throws(EngineError) -> ArtifactAnswer? {
        asked.withLock { $0 += 1 }
        switch key {
        case [1]: return .object(object)
        case [2]: return .refused("function 3 at 0x10: type mismatch")
        case [3]: throw .compilation("worker ended by signal 9")
        default: return nil
        }
    }
}

struct NativeEngineTests {
    @Test func aModuleIsMadeOnceAndShared() throws {
        let source = try OneObject()
        let engine = NativeEngine(source: source)
        guard case .module(let first)? = try engine.load(key: [1], wasm: { nil }),
            case .module(let second)? = try engine.load(key: [1], wasm: { nil })
        else {
            Issue.record("no module")
            return
        }
        #expect(first === second && source.asked.withLock { $0 } == 1)
    }

    /// A clock that a test moves.
    private final class Clock: Sendable {
        let time = Mutex(ContinuousClock.now)
        func pass(_ seconds: Int) { time.withLock { $0 += .seconds(seconds) } }
    }

    @Test func aModuleNobodyAsksForIsUnmappedAndMappedAgain() throws {
        let (source, clock) = (try OneObject(), Clock())
        let engine = NativeEngine(source: source, patience: .seconds(100)) { clock.time.withLock { $0 } }
        weak var module: (any ActorModule)?
        func load() throws {
            if case .module(let loaded)? = try engine.load(key: [1], wasm: { nil }) { module = loaded }
        }
        try load()
        // Asked for again and again it stays as long as one likes.
        for _ in 0..<5 {
            clock.pass(60)
            try load()
        }
        #expect(module != nil && source.asked.withLock { $0 } == 1)
        clock.pass(101)
        _ = try engine.load(key: [9], wasm: { nil })
        #expect(module == nil)
        try load()
        #expect(module != nil && source.asked.withLock { $0 } == 3)
    }

    @Test func aModuleInUseStaysMapped() throws {
        let (source, clock) = (try OneObject(), Clock())
        let engine = NativeEngine(source: source, patience: .seconds(100)) { clock.time.withLock { $0 } }
        guard case .module(let module)? = try engine.load(key: [1], wasm: { nil }) else {
            Issue.record("no module")
            return
        }
        clock.pass(500)
        _ = try engine.load(key: [9], wasm: { nil })
        #expect(module.facts.exportedMemoryPages == (module as? NativeModule)?.facts.exportedMemoryPages)
        guard case .module(let again)? = try engine.load(key: [1], wasm: { nil }) else { return }
        #expect(again !== module)
    }

    @Test func refusalsMissingCodeAndLocalFailuresDiffer() throws {
        let engine = NativeEngine(source: try OneObject())
        guard case .refused(let text)? = try engine.load(key: [2], wasm: { nil }) else {
            Issue.record("not refused")
            return
        }
        #expect(text == "function 3 at 0x10: type mismatch")
        #expect(try engine.load(key: [9], wasm: { nil }) == nil)
        #expect(throws: EngineError.compilation("worker ended by signal 9")) {
            try engine.load(key: [3], wasm: { nil })
        }
    }

    @Test func aFailureIsNotRemembered() throws {
        let source = try OneObject()
        let engine = NativeEngine(source: source)
        _ = try? engine.load(key: [3], wasm: { nil })
        _ = try? engine.load(key: [3], wasm: { nil })
        #expect(source.asked.withLock { $0 } == 2)
    }
}

struct NativeLinkerTests {
    private func exporter(_ linker: NativeLinker) throws -> NativeInstance {
        let instance = try linker.link(NativeModule(object: HandmadeObject.alone.get())) { _, _ in nil }
        #expect(try instance.instantiate() == .returned([]))
        return instance
    }

    @Test func linkedFunctionsRunOnTheCallersGas() throws {
        let linker = NativeLinker()
        let exporter = try exporter(linker)
        let importer = try linker.link(NativeModule(object: HandmadeObject.first.get())) { module, name in
            module == Array("host".utf8) && name == Array("echo".utf8) ? exporter.export(Array("twice".utf8)) : nil
        }
        #expect(try importer.instantiate() == .returned([]))
        importer.gasCounter = 1000
        #expect(try importer.call("host", [21]) == .returned([42]))
        #expect(importer.gasCounter == 1000 - 10 - 100)
        // The exporter's trap is the importer's.
        guard case .trapped(.integerOverflow, _) = try importer.call("host", [UInt64(bitPattern: -1)]) else {
            Issue.record("no trap")
            return
        }
        #expect(importer.gasCounter == 1000 - 220)
        #expect(exporter.exportedGlobal(Array("counter".utf8)) == 17)
        #expect(exporter.exportedGlobal(Array("twice".utf8)) == nil)
    }

    @Test func unknownAndIncompatibleImportsAreNamed() throws {
        let linker = NativeLinker()
        let exporter = try exporter(linker)
        let module = try NativeModule(object: HandmadeObject.first.get())
        func failure(_ external: NativeExternal?) -> NativeLinkFailure? {
            do throws(NativeLinkFailure) {
                _ = try linker.link(module) { _, _ in external }
                return nil
            } catch { return error }
        }
        #expect(failure(nil)?.reason == "unknown import")
        #expect(failure(exporter.export(Array("add".utf8)))?.reason == "incompatible import type")
        #expect(failure(exporter.export(Array("memory".utf8)))?.name == Array("echo".utf8))
        #expect(failure(exporter.export(Array("twice".utf8))) == nil)
    }
}
