import ArtifactFormat
import ArtifactStore
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import CompilePool

@Suite struct FirstUseTests {
    let folder = TemporaryFolder()

    private var store: ArtifactStore { ArtifactStore(directory: folder.path + "/store") { _ in } }

    private func firstUse(optimisedWorker: String? = nil) -> FirstUse {
        var baseline = CompileSettings()
        baseline.tier = .baseline
        return FirstUse(
            optimised: CompilePool(store: store, worker: optimisedWorker),
            baseline: CompilePool(store: store, settings: baseline))
    }

    /// What `ready` was called with, waited for.
    private final class Box: Sendable {
        private let objects = Mutex<[LoadableObject]>([])
        func put(_ object: LoadableObject) { objects.withLock { $0.append(object) } }
        var all: [LoadableObject] { objects.withLock { $0 } }

        func first(seconds: Int = 120) -> LoadableObject? {
            for _ in 0..<seconds * 100 where all.isEmpty { usleep(10_000) }
            return all.first
        }
    }

    private func baselineKey(_ module: [UInt8]) throws -> (CompilerIdentity, CompileInput) {
        (try CompilePool(store: nil).identity(), CompileInput(name: "test", wasm: module))
    }

    @Test func codeBeginsInTheBaselineTierAndIsReplacedByOptimisedCode() throws {
        let (compiler, input) = try baselineKey(Modules.constant(21))
        let use = firstUse()
        let box = Box()
        let first = try #require(use.load(code: input.cid, wasm: { input.wasm }, ready: box.put)?.actor)
        var settings = CompileSettings()
        settings.tier = .baseline
        #expect(first.manifest.inputs.key == compiler.inputs(wasm: input.cid, settings: settings).key)
        let object = try #require(box.first())
        let optimised = compiler.inputs(wasm: input.cid, settings: CompileSettings())
        #expect(throws: Never.self) { try ArtifactFormat.verify(object.bytes, expecting: .key(optimised.key)) }
        #expect(use.given.baseline == 1 && use.given.replaced == 1 && use.given.optimised == 0)
    }

    @Test func optimisedCodeInTheStoreIsGivenAtOnceAndNothingIsMadeBehindIt() throws {
        let (_, input) = try baselineKey(Modules.constant(22))
        let made = try #require(CompilePool(store: store).compile([input])[0].actor)
        let use = firstUse()
        let box = Box()
        let first = try #require(use.load(code: input.cid, wasm: { nil }, ready: box.put)?.actor)
        #expect(first.object == made.object && use.given.optimised == 1 && use.given.baseline == 0)
        #expect(box.all.isEmpty)
    }

    @Test func aRefusedModuleIsRefusedAtOnce() {
        let input = CompileInput(name: "test", wasm: Modules.invalid)
        let use = firstUse()
        for _ in 0..<2 {
            guard case .refused? = use.load(code: input.cid, wasm: { input.wasm }, ready: { _ in }) else {
                Issue.record("not refused")
                return
            }
        }
        #expect(use.given == FirstUse.Given())
    }

    @Test func codeThatNobodyHasIsNil() {
        let input = CompileInput(name: "test", wasm: Modules.constant(23))
        #expect(firstUse().load(code: input.cid, wasm: { nil }, ready: { _ in }) == nil)
    }

    @Test func whereTheOptimisingCompilerFailsTheBaselineCodeStays() throws {
        let input = CompileInput(name: "test", wasm: Modules.constant(24))
        let use = firstUse(optimisedWorker: "/bin/false")
        let box = Box()
        #expect(use.load(code: input.cid, wasm: { input.wasm }, ready: box.put)?.actor != nil)
        #expect(use.given.baseline == 1 && use.given.replaced == 0 && box.all.isEmpty)
    }
}
