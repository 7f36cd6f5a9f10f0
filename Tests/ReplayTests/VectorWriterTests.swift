import Crypto
import IPLD
import JSON
import Machine
import Primitives
import TestSupport
import Testing

@testable import Replay

/// What is written is read again as it was, and nothing that would not be is written.
@Suite struct VectorWriterTests {

    /// A vector of every kind there is among the shared ones: randomness, events, fees, several messages.
    static func samples() throws -> [Vector] {
        var found: [Vector] = []
        for (folder, count) in [("vectors/nv18", 40), ("vectors/golden/nv18", 60), ("vectors/golden/nv28", 60)] {
            guard let directory = sharedData(folder) else { continue }
            let sources = try VectorSource.discover([directory])
            for index in stride(from: 0, to: sources.count, by: max(1, sources.count / count)) {
                found.append(try Vector(json: try sources[index].read(), file: sources[index].title))
            }
        }
        return found
    }

    @Test func aVectorWrittenIsTheVectorRead() throws {
        let samples = try Self.samples()
        for vector in samples {
            let bytes = try vector.encoded()
            #expect(try Vector(json: bytes, file: "x") == Vector(json: try vector.encoded(), file: "y"))
            var read = try Vector(json: bytes, file: "z")
            // Selectors are no part of what is written; all else is.
            read.unsupported = vector.unsupported
            #expect(read == vector)
        }
        guard !samples.isEmpty else { return }
        #expect(samples.contains { !$0.randomness.isEmpty } && samples.contains { $0.messages.count > 1 })
        #expect(samples.contains { $0.postconditions?.events?.contains { !$0.isEmpty } == true })
        #expect(samples.contains { $0.messages.contains { $0.kind == .implicit } })
    }

    @Test func writtenAndReadItReplaysAsBefore() throws {
        guard let path = sharedData(transferVector) else { return }
        let directory = try TemporaryDirectory()
        let vector = try Vector(json: try readFile(path), file: path)
        let copy = directory.path + "/copy.json"
        try vector.write(to: copy)
        func replay(_ path: String) throws -> VectorReport {
            var reports: [VectorReport] = []
            _ = try ReplayRunner(ReplayOptions(paths: [path]), engine: NoEngine(), bundles: []).run {
                reports.append($0)
            }
            return try #require(reports.first)
        }
        let (first, second) = (try replay(path), try replay(copy))
        #expect(first.status == .passed && second.status == .passed)
        #expect(first.messages.map(\.result) == second.messages.map(\.result))
        #expect(first.stateRoot == second.stateRoot)
    }

    @Test func everyMessageOfTheChainIsEncodedAsItStandsThere() throws {
        for vector in try Self.samples() {
            for entry in vector.messages { #expect(try entry.message.encoded() == entry.encoding) }
        }
    }

    @Test func aMessageMadeHereHasItsLengthOnChain() throws {
        let key = try Address.secp256k1([UInt8](repeating: 1, count: 20))
        func message(_ from: Address) -> Message {
            Message(
                to: .id(100), from: from, nonce: 3, value: TokenAmount(5), gasLimit: 9, feeCap: TokenAmount(200),
                premium: TokenAmount(1), method: 2, params: [0x80])
        }
        let delegated = try Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 2, count: 20))
        for (from, signature) in [(key, 69), (.id(7), 0), (delegated, 69)] {
            let entry = try VectorMessage(message(from))
            #expect(entry.chainLength == UInt64(entry.encoding.count + signature))
            #expect(try Message(cbor: entry.encoding) == message(from))
            #expect(entry.cid == .blake2b256(codec: Cid.dagCbor, data: entry.encoding))
        }
        #expect(try VectorMessage(message(key), chainLength: 4).chainLength == 4)
    }

    private static func made(baseFee: TokenAmount = TokenAmount(100)) throws -> Vector {
        let root = Cid.blake2b256(codec: Cid.dagCbor, data: [0x80])
        return Vector(
            name: "made", car: Vector.archive(roots: [root], blocks: [root: [0x80]]), preStateRoot: root,
            environment: .init(baseFee: baseFee, circulatingSupply: TokenAmount(0), chainID: 314),
            variants: [.init(id: "nv28", epoch: 5, networkVersion: NetworkVersion(rawValue: 28))], messages: [])
    }

    @Test func aVectorMadeHereIsRead() throws {
        let made = try Self.made()
        #expect(try Vector(json: try made.encoded(), file: "x") == made)
        #expect(made.postconditions == nil)
        #expect(try Car.read(made.car).roots == [made.preStateRoot])
    }

    @Test func whatCannotBeReadIsNotWritten() throws {
        let directory = try TemporaryDirectory()
        var none = try Self.made()
        none.variants = []
        var events = try Self.made()
        events.postconditions = .init(
            stateRoot: events.preStateRoot, receipts: [], events: [[]], gasOutputs: nil)
        let large = try TokenAmount(decimal: "340282366920938463463374607431768211456")
        let faults = [
            (none, "preconditions.variants"), (events, "postconditions.events"),
            (try Self.made(baseFee: large), "preconditions.basefee"),
        ]
        for (vector, field) in faults {
            let path = directory.path + "/made.json"
            do {
                try vector.write(to: path)
                Issue.record("\(field) was written")
            } catch {
                guard case .vector(let complaint) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(complaint.field == field && complaint.file == "made")
            }
            #expect(try Files.tree(directory.path, suffix: "").isEmpty)
        }
    }
}
