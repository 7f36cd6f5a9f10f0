import ArtifactFormat
import CodeSettings
import Engine
import NativeEngine
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import FVM

enum NativeEngineWithoutObjects {
    static func make() -> any ActorEngine { NativeEngine(source: ActorObjects(pool: nil)) }
}

@Suite struct ActorObjectsTests {
    private let code = Cid.blake2b256(codec: Cid.raw, data: [1])

    @Test func codeThatIsNowhereIsToldFromCodeThatCannotRunHere() throws {
        let objects = ActorObjects(pool: nil)
        #expect(try objects.artifact(key: code.bytes, wasm: { nil }, better: { _ in }) == nil)
        #expect(throws: EngineError.self) {
            try objects.artifact(key: code.bytes, wasm: { [0, 0x61, 0x73, 0x6D] }, better: { _ in })
        }
    }

    @Test func whatIsNoObjectIsRefused() {
        #expect(throws: (any Error).self) { try ActorObjects(pool: nil).add(Array("no object".utf8)) }
    }

    /// An object as an embedder hands it over, of the code `code`.
    private func object(answer: Int) throws -> [UInt8] {
        let linked = try #require(
            linkedFixture(compilerFlags: "-O2 -DANSWER=\(answer)", source: "../../../Runtime/tests/object.c"))
        let compiler = CompilerIdentity(
            version: "1.0", build: Digest(of: [1]), llvmVersion: "19.1.7", llvmBuild: Digest(of: [2]),
            linkerVersion: "LLD 19.1.7", linkerBuild: Digest(of: [3]))
        return try ArtifactFormat.seal(linked, inputs: compiler.inputs(wasm: code, settings: CompileSettings()))
    }

    private func module(_ engine: NativeEngine) throws -> NativeModule? {
        guard case .module(let module)? = try engine.load(key: code.bytes, wasm: { nil }) else { return nil }
        return module as? NativeModule
    }

    @Test func ofAnObjectThatWasHandedOverNothingIsKeptBesideItsMapping() throws {
        let objects = ActorObjects(pool: nil)
        let bytes = try object(answer: 42)
        #expect(try objects.add(bytes) == code && objects.keptBytes == bytes.count)
        let time = Mutex(ContinuousClock.now)
        let engine = NativeEngine(source: objects, patience: .seconds(1)) { time.withLock { $0 } }
        let first = try #require(try module(engine))
        #expect(objects.keptBytes == 0)
        // The engine forgets it, and nobody has its bytes any more: the mapping is what is left.
        time.withLock { $0 += .seconds(5) }
        let nobodys = Cid.blake2b256(codec: Cid.raw, data: [9]).bytes
        if case .some = try engine.load(key: nobodys, wasm: { nil }) { Issue.record("code that nobody has") }
        #expect(try module(engine) === first && module(NativeEngine(source: objects)) === first)
    }

    @Test func anObjectThatIsHandedOverLaterIsMappedWhenItIsAskedFor() throws {
        let objects = ActorObjects(pool: nil)
        try objects.add(object(answer: 42))
        let first = try #require(try module(NativeEngine(source: objects)))
        let other = try object(answer: 43)
        try objects.add(other)
        #expect(objects.keptBytes == other.count)
        let second = try #require(try module(NativeEngine(source: objects)))
        #expect(second !== first && objects.keptBytes == 0)
    }
}
