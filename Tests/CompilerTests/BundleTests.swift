import ArtifactFormat
import ArtifactStore
import Bundle
import CompilePool
import TestSupport
import Testing

@Suite struct BundleTests {
    /// The actors of a released bundle; nil (said on standard error) when the shared data is not there.
    private func inputs(_ version: String) -> [CompileInput]? {
        guard let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst"),
            let bundle = try? ActorBundle.open(path: path)
        else { return nil }
        return bundle.codes.compactMap { name, cid in
            bundle.code(cid).map { CompileInput(name: name, cid: cid, wasm: $0) }
        }
    }

    @Test func theV10BundleCompilesAndNoFunctionFallsBelowTheOptimisingTier() throws {
        guard let inputs = inputs("v10") else { return }
        #expect(inputs.count == 16)
        let store = ArtifactStore(directory: sharedTestStore) { print("warning: \($0)") }
        var cpu: UInt64 = 0
        var peak: UInt64 = 0
        for (input, outcome) in zip(inputs, CompilePool(store: store).compile(inputs)) {
            let actor = try #require(outcome.actor, "\(input.name): \(outcome)")
            cpu += actor.usage?.cpuMicroseconds ?? 0
            peak = max(peak, actor.usage?.peakMemory ?? 0)
            // Known only when it was compiled now.
            #expect(actor.facts?.baselineFunctions ?? 0 == 0, "\(input.name)")
            #expect(actor.baselineReason == nil, "\(input.name)")
            #expect(actor.manifest.inputs.settings == CompileSettings().digest, "\(input.name)")
            #expect(actor.manifest.inputs.wasm == input.cid)
        }
        if cpu > 0 { print("v10: \(Double(cpu) / 1e6) s of processor time, \(peak >> 20) MiB at the highest") }
    }

    @Test func equalInputsGiveEqualBytesInAnyDirectoryWithAnyNumberOfWorkers() throws {
        guard let all = inputs("v10") else { return }
        let small = all.filter { $0.wasm.count < 160_000 }
        #expect(small.count == 3)
        let folder = TemporaryFolder()
        let runs = [1, 2, 3].map { jobs in
            let store = ArtifactStore(directory: "\(folder.path)/\(jobs)") { Issue.record("warning: \($0)") }
            let inputs = jobs == 2 ? Array(small.reversed()) : small
            let objects = CompilePool(store: store, jobs: jobs).compile(inputs).map { $0.actor?.object.bytes ?? [] }
            return jobs == 2 ? Array(objects.reversed()) : objects
        }
        #expect(runs[0] == runs[1] && runs[0] == runs[2])
        #expect(!runs[0].contains([]))
    }
}
