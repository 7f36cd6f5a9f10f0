import Engine
import NativeEngine
import Primitives
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
}
