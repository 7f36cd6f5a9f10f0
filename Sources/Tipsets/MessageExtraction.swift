import Chain
import Engine
import IPLD
import Kernel
import Machine
import Primitives
import Replay
import StateTree

/// Why something of a tipset cannot stand alone.
public struct ExtractionFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    /// Whether it is this machine's.
    public let isLocal: Bool

    init(_ description: String, isLocal: Bool = false) {
        self.description = description
        self.isLocal = isLocal
    }

    init(_ error: TipsetError) { self.init(error.description, isLocal: error.isLocal) }
}

extension RetracedMessage {
    /// The message as a vector: on the state it saw, with the blocks it reads, the randomness and the tipsets' CIDs it asks
    /// for and nothing else, demanding what came of it. Built-in actors' code is left to a bundle, as in the recorded
    /// vectors.
    ///
    /// - Parameter name: of the vector.
    /// - Throws: where it asks for what vectors have no place for; whatever is given back comes to the same.
    public func vector(named name: String) throws(ExtractionFailure) -> Vector {
        do throws(TipsetError) { return try made(name) } catch {
            throw ExtractionFailure("\(self.name): \(error)", isLocal: error.isLocal)
        }
    }

    private func made(_ name: String) throws(TipsetError) -> Vector {
        let noting = NotingBlockstore(store)
        var noted: NotedAnswers?
        let alone = try apply(on: noting) { own in
            let made = NotedAnswers(own)
            noted = made
            return made
        }
        guard alone.result == applied.result else {
            throw .state("it gives other results alone: it depends on more than the state before it")
        }
        guard alone.externs.faultsFound == 0 else {
            throw .state("it reports a consensus fault, for which vectors have no place")
        }
        guard !alone.externs.wasRefused else {
            throw .state("a proof in it was answered 'not valid', for which vectors have no place")
        }
        let root = try TipsetError.onState { () throws(StateError) in try alone.machine.flush() }
        let code = Set(alone.machine.manifest.codes)
        let stage = stage
        let asksNode = !alone.externs.answered.isEmpty || alone.externs.faultsAsked > 0
        let vector = Vector(
            name: name,
            description: "Message \(index) of the tipset at height \(outcome.tipset.height): "
                + "\(applied.report.place ?? "")",
            car: Vector.archive(roots: [stateBefore], blocks: noting.read.filter { !code.contains($0.key) }),
            preStateRoot: stateBefore,
            environment: .init(
                baseFee: outcome.tipset.baseFee, circulatingSupply: stage.circulatingSupply,
                chainID: execution.network.chainID, timestamp: stage.timestamp),
            variants: [.init(id: "\(stage.version)", epoch: stage.epoch, networkVersion: stage.version)],
            messages: [applied.entry], randomness: noted?.randomness ?? [], tipsetCids: noted?.tipsetCids ?? [],
            verifications: asksNode ? .node : .conformance,
            postconditions: .init(stateRoot: root, results: [alone.result]))
        // The engine has the code already, since the message ran.
        let report = vector.withResults(engine: execution.engine, bundles: []).reports[0]
        guard report.status == .passed else {
            let why = report.problem ?? report.mismatches.first.map { "\($0)" } ?? ""
            throw .state("it comes to something else as a vector: \(why)")
        }
        return vector
    }
}

/// Answers as others do, and notes what a vector can hold.
private final class NotedAnswers: Externs {
    private let base: TipsetExterns
    private(set) var randomness: [RandomnessAnswer] = []
    private(set) var tipsetCids: [TipsetCidAnswer] = []
    var proofs: any ProofSyscalls { base.proofs }

    init(_ base: TipsetExterns) { self.base = base }

    private func note(_ source: RandomnessAnswer.Source, _ epoch: Int64, _ digest: [UInt8]) -> [UInt8] {
        let answer = RandomnessAnswer(source: source, epoch: epoch, digest: digest)
        if !randomness.contains(answer) { randomness.append(answer) }
        return digest
    }

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        note(.chain, epoch, try base.chainRandomness(epoch: epoch))
    }

    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        note(.beacon, epoch, try base.beaconRandomness(epoch: epoch))
    }

    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid {
        let answer = TipsetCidAnswer(epoch: epoch, cid: try base.tipsetCid(epoch: epoch))
        if !tipsetCids.contains(answer) { tipsetCids.append(answer) }
        return answer.cid
    }

    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? {
        try base.consensusFault(first: first, second: second, extra: extra)
    }
}
