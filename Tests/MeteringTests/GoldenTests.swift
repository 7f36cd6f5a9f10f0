import Bundle
import Crypto
import JSON
import TestSupport
import Testing

@testable import Metering

/// Plans of real actors against results of the executable model of the reference (`fvm/instr.py`).
@Suite struct GoldenTests {
    private static let v10 = "bundles/builtin-actors-mainnet-v10.car.zst"

    private func actors(_ bundle: String) throws -> [(name: String, wasm: [UInt8])]? {
        guard let path = sharedData(bundle) else { return nil }
        let bundle = try ActorBundle.open(path: path)
        return try bundle.codes.map { ($0.name, try #require(bundle.code($0.cid))) }
    }

    /// Every column of every function and trampoline, the digest of all blocks, and the initial charges' base.
    @Test func plansOfV10EqualTheGoldenFiles() throws {
        guard let actors = try actors(Self.v10) else { return }
        #expect(actors.count == 16)
        for (name, wasm) in actors {
            let file = try #require(sharedBytes("fvm/instr-golden/v10.\(name).hygge.json"))
            let golden = try JSON.parse(file)
            #expect(golden["module_sha256"]?.string == hex(Sha2.hash256(wasm)), "\(name)")
            let view = InstrumentedView(try analyze(wasm))
            #expect(view.digest == golden["blocks_sha256"]?.string, "\(name)")
            let rows = try #require(golden["functions"]?.array).map { row in
                try #require(row.array).map { try #require($0.integer(Int.self)) }
            }
            #expect(view.rows.map(\.columns) == rows, "\(name)")
        }
    }

    /// The files with full lists name the position in the source body of every block and run-time charge.
    @Test(arguments: ["placeholder", "ethaccount", "system"])
    func sourcePositionsEqualTheFullFiles(actor: String) throws {
        guard let actors = try actors(Self.v10) else { return }
        let wasm = try #require(actors.first { $0.name == actor }).wasm
        let golden = try JSON.parse(try #require(sharedBytes("fvm/instr-golden/v10.\(actor).hygge.full.json")))
        let functions = try #require(golden["functions"]?.array).filter { $0["thunk_of"]?.isNull == true }
        let plan = try analyze(wasm).plan
        #expect(plan.functions.count == functions.count)
        for (function, expected) in zip(plan.functions, functions) {
            let blocks = try #require(expected["blocks"]?.array).map { block in
                let fields = try #require(block.array)
                return MeteringPlan.BlockCharge(
                    position: try #require(fields[2].integer()), milligas: try #require(fields[1].integer()))
            }
            #expect(function.blocks == blocks)
            let linear = try #require(expected["dynamic"]?.array).map { charge in
                let fields = try #require(charge.array)
                return MeteringPlan.LinearCharge(
                    position: try #require(fields[2].integer()), milligasPerUnit: try #require(fields[1].integer()))
            }
            #expect(function.linear == linear)
        }
    }

    /// `Golden/plan/digests.tsv` holds bundle, actor and the digest that the model gives for it.
    @Test func plansOfAllBundlesHaveTheModelsDigests() throws {
        let table = try #require(fileBytes(packageRoot + "/Tests/Golden/plan/digests.tsv"))
        let rows = String(decoding: table, as: UTF8.self).split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(rows.count == 112)
        var bundles: [Substring] = []
        for row in rows where !bundles.contains(row[0]) { bundles.append(row[0]) }
        for bundle in bundles {
            guard let actors = try actors("bundles/\(bundle).car.zst") else { continue }
            let expected = rows.filter { $0[0] == bundle }
            #expect(actors.count == expected.count)
            for (name, wasm) in actors {
                let row = try #require(expected.first { $0[1] == name })
                #expect(InstrumentedView(try analyze(wasm)).digest == row[2], "\(bundle) \(name)")
            }
        }
    }
}
