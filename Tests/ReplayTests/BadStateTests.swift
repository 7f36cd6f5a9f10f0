import Engine
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

@testable import Replay

/// Archives and machines that fail: always said, never a crash, never a receipt.
@Suite struct BadStateTests {
    let directory: TemporaryDirectory
    let transfer: JSONValue?

    init() throws {
        directory = try TemporaryDirectory()
        transfer = try sharedData(transferVector).map { try JSON.parse(try readFile($0)) }
    }

    func run(_ json: JSONValue, engine: any ActorEngine = NoEngine()) throws -> VectorReport {
        let path = try directory.write("vector.json", Array(json.text().utf8))
        let runner = try ReplayRunner(ReplayOptions(paths: [path]), engine: engine, bundles: [])
        var reports: [VectorReport] = []
        _ = try runner.run { reports.append($0) }
        return try #require(reports.first)
    }

    func run(car: [UInt8]) throws -> VectorReport? {
        guard let transfer else { return nil }
        return try run(transfer.replacing(["car"], with: .string(Base64.encode(gzip(car)))))
    }

    func archive() throws -> [UInt8]? {
        guard let transfer else { return nil }
        return try Vector(json: Array(transfer.text().utf8), file: "x").car
    }

    @Test func aTruncatedArchiveIsNamedWithItsOffset() throws {
        guard let car = try archive() else { return }
        for length in [0, 1, 10, 59, 61, car.count / 2, car.count - 1] {
            let report = try #require(try run(car: Array(car.prefix(length))))
            #expect(report.status == .failed)
            #expect(report.problem?.contains("car at 0x") == true, "\(length): \(report.problem ?? "")")
        }
    }

    @Test func anyFlippedBitIsFound() throws {
        guard let car = try archive() else { return }
        for position in stride(from: 3, to: car.count, by: car.count / 40) {
            var broken = car
            broken[position] ^= 1 << UInt8(position % 8)
            let report = try #require(try run(car: broken))
            #expect(report.status == .failed)
            #expect(report.problem?.contains("car") == true)
        }
    }

    @Test func everyMissingBlockIsSaidOrNotNeeded() throws {
        guard let bytes = try archive() else { return }
        let car = try Car.read(bytes)
        var failures = 0
        for index in car.blocks.indices {
            var part = car
            part.blocks.remove(at: index)
            let report = try #require(try run(car: part.write()))
            guard report.status == .failed else { continue }
            failures += 1
            let text = TextReport().text(report)
            #expect(text.contains("\(car.blocks[index].cid)"), "\(text)")
            // Without a receipt it is the vector that is wanting.
            #expect(report.isBadInput == report.messages.isEmpty, "\(text)")
        }
        // State root, actors' HAMT, system actor, manifest: without these there is no execution.
        #expect(failures > 5)
    }

    /// The messages before it are executed and compared as ever.
    @Test(arguments: [1, 2]) func aMessageThatDoesNotDecodeLeavesTheOthersTheirResults(receipts: Int) throws {
        guard let transfer, let first = transfer["apply_messages"]?.array?.first,
            let receipt = transfer["postconditions"]?["receipts"]?.array?.first
        else { return }
        let cutOff = JSONValue.object([JSONValue.Member("bytes", .string(Base64.encode([0x8a, 0, 0x42, 0])))])
        let report = try run(
            transfer.replacing(["apply_messages"], with: .array([first, cutOff]))
                .replacing(
                    ["postconditions", "receipts"], with: .array([JSONValue](repeating: receipt, count: receipts))))
        #expect(report.status == .failed && report.isBadInput && !report.isLocalFailure)
        #expect(report.messages.map(\.exitCode) == [.ok])
        #expect(report.mismatches.isEmpty)
        let problem = try #require(report.problem)
        #expect(problem.contains("apply_messages[1].bytes: not a message: cbor at 0x2"), "\(problem)")
    }

    @Test func theArchiveMustHaveThePreStateAmongItsRoots() throws {
        guard let bytes = try archive() else { return }
        var car = try Car.read(bytes)
        car.roots = [car.roots[1]]
        let report = try #require(try run(car: car.write()))
        #expect(report.problem?.contains("pre-state root") == true)
    }

    @Test func aBlockThatIsNotWhatItsPlaceDemandsIsAnErrorOfTheState() throws {
        guard let transfer, let bytes = try archive() else { return }
        let car = try Car.read(bytes)
        for block in [[0x80], [0x83, 5, 0xf6, 0xf6], [0xff], [0x9b, 255, 255, 255, 255, 255, 255, 255, 255], []]
            as [[UInt8]]
        {
            let cid = Cid.blake2b256(codec: Cid.dagCbor, data: block)
            let broken = Car(roots: [cid], blocks: car.blocks + [Car.Block(cid: cid, data: block)])
            let report = try run(
                transfer.replacing(["car"], with: .string(Base64.encode(gzip(broken.write()))))
                    .replacing(["preconditions", "state_tree", "root_cid", "/"], with: .string(cid.text)))
            #expect(report.status == .failed)
            #expect(report.problem?.contains("state root") == true)
        }
    }

    /// Fails as a machine fails: disk full, worker killed.
    final class BrokenEngine: ActorEngine {
        func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
            throw .compilation("no space left on device")
        }
    }

    @Test func aFailureOfThisMachineIsNotAMismatch() throws {
        guard let path = sharedData("vectors/nv18/fil_10_multisig__Propose__Ok__1.json") else { return }
        let report = try run(try JSON.parse(try readFile(path)), engine: BrokenEngine())
        #expect(report.status == .failed)
        #expect(report.isLocalFailure)
        #expect(report.messages.isEmpty && report.mismatches.isEmpty)
        #expect(report.problem?.contains("no space left on device") == true)
    }

    @Test func codeThatIsNowhereIsSaidWithTheActorsName() throws {
        guard let path = sharedData("vectors/nv18/fil_10_multisig__Propose__Ok__1.json") else { return }
        let report = try run(try JSON.parse(try readFile(path)))
        #expect(report.isLocalFailure)
        #expect(report.problem?.contains("multisig") == true)
        #expect(report.problem?.contains("bundle") == true)
    }
}
