import ArtifactFormat
import ArtifactStore
import Bundle
import CompilePool
import Primitives
import TestSupport
import Testing
import WorkerProtocol

/// The actors of a released bundle; nil (said on standard error) when the shared data is not there.
func bundleInputs(_ version: String) -> [CompileInput]? {
    guard let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst"),
        let bundle = try? ActorBundle.open(path: path)
    else { return nil }
    return bundle.codes.compactMap { name, cid in
        bundle.code(cid).map { CompileInput(name: name, cid: cid, wasm: $0) }
    }
}

@Suite struct BundleTests {
    @Test func theV10BundleCompilesOptimisedAndTheSameWithAnyNumberOfWorkers() throws {
        guard let inputs = bundleInputs("v10") else { return }
        #expect(inputs.count == 16)
        let folder = TemporaryFolder()
        let store = ArtifactStore(directory: folder.path + "/store") { Issue.record("warning: \($0)") }
        let first = CompilePool(store: store, jobs: 2).compile(inputs)
        var cpu: UInt64 = 0
        var peak: UInt64 = 0
        for (input, outcome) in zip(inputs, first) {
            guard case .compiled(let actor) = outcome else {
                Issue.record("\(input.name): \(outcome)")
                continue
            }
            cpu += actor.usage?.cpuMicroseconds ?? 0
            peak = max(peak, actor.usage?.peakMemory ?? 0)
            #expect(actor.facts?.cheapFunctions == 0, "\(input.name)")
            #expect(actor.fallbackReason == nil, "\(input.name)")
            #expect(actor.manifest.inputs.wasm == input.cid)
            print(
                "\(input.name): \(input.wasm.count) bytes of WASM, \(actor.object.count) of object, "
                    + "\(actor.usage.map { "\($0.cpuMicroseconds / 1_000) ms, \($0.peakMemory >> 20) MiB" } ?? "")")
        }
        print("v10: \(Double(cpu) / 1e6) CPU s, \(peak >> 20) MiB at the highest")
        // From the store, all of them, with no compilation.
        for outcome in CompilePool(store: store).compile(inputs) {
            guard case .compiled(let actor) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(actor.facts == nil)
        }
        // Once more without a store, one at a time, in a worker of its own.
        let small = inputs.filter { $0.wasm.count < 200_000 }
        for (input, outcome) in zip(small, CompilePool(store: nil, jobs: 1).compile(small)) {
            guard case .compiled(let again) = outcome,
                let position = inputs.firstIndex(where: { $0.cid == input.cid }),
                case .compiled(let before) = first[position]
            else {
                Issue.record("\(input.name): \(outcome)")
                continue
            }
            #expect(again.object == before.object, "\(input.name)")
        }
    }
}
