import ArtifactFormat
import CodeSettings
import CompilePool
import Engine
import NativeEngine
import TestSupport
import Testing

/// Compiled code, mapped and run: what it returns, and where it says it trapped.
@Suite struct TrapPlaceTests {
    /// Nothing is imported.
    private final class NoImports: ImportHandler {
        func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome { .end }
    }

    private func run(_ wasm: [UInt8], _ bounds: Bounds) throws -> GuestOutcome {
        let pool = CompilePool(store: nil, settings: CompileSettings(bounds: bounds), jobs: 1)
        let actor = try #require(pool.compile([CompileInput(name: "test", wasm: wasm)])[0].actor)
        let instance = try NativeModule(object: actor.object).makeInstance(
            handler: NoImports(), limiter: ResourceLimiter(limit: 1 << 30))
        instance.gasCounter = 1 << 40
        #expect(try instance.instantiate() == .returned([]))
        return try instance.call("f", [])
    }

    /// The place of a byte sequence in a module that has it once.
    private func place(of bytes: [UInt8], in wasm: [UInt8]) -> UInt32? {
        wasm.indices.first { wasm[$0...].starts(with: bytes) }.map { UInt32($0) }
    }

    @Test(arguments: Bounds.allCases)
    func aConstantComesBack(_ bounds: Bounds) throws {
        #expect(try run(Modules.constant(42), bounds) == .returned([42]))
    }

    @Test(arguments: Bounds.allCases)
    func trapsNameTheByteOfTheirInstruction(_ bounds: Bounds) throws {
        let cases: [(body: [UInt8], instruction: [UInt8], text: String)] = [
            ([0x41, 1, 0x1a, 0x00], [0x00, 0x0b], "unreachable"),
            ([0x41, 1, 0x41, 0, 0x6d], [0x6d, 0x0b], "integer divide by zero"),
            ([0x41, 2, 0x1a, 0x41, 0x7f, 0x28, 2, 0], [0x28, 2, 0, 0x0b], "out of bounds memory access"),
        ]
        for (body, instruction, text) in cases {
            let wasm = Modules.function(body)
            guard case .trapped(let trap, let site) = try run(wasm, bounds) else {
                Issue.record("\(text): no trap")
                continue
            }
            #expect(trap.description == text)
            #expect(site?.function == 0, "\(text)")
            #expect(site?.offset == place(of: instruction, in: wasm), "\(text)")
        }
    }
}
