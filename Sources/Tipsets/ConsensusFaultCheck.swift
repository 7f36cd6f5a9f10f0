import Chain
import Crypto
import IPLD
import Kernel
import Primitives
import StateTree

/// Whether two headers show that their miner broke the rules (FVM chain layer 2.8; Lotus, chain/vm/fvm.go).
public struct ConsensusFaultCheck {
    /// Epochs behind which nothing changes any more.
    static let finality: Int64 = 900

    let lookups: ChainLookups
    let rules: NodeRules
    /// The state that the tipset's machine began with.
    let startState: Cid
    /// The machine's own epoch.
    let epoch: Int64
    /// Has states of the chain below.
    let store: any Blockstore

    private struct NoFault: Error { var reason: String }

    /// nil is "no fault".
    func fault(_ first: [UInt8], _ second: [UInt8], extra: [UInt8]) throws(ChainLookups.Failure) -> ConsensusFault? {
        do {
            let (a, b) = (try header(first), try header(second))
            guard let kind = try kind(a, b, extra), !isPaused(a), !isPaused(b) else { return nil }
            for block in [a, b] { try checkSignature(block) }
            return ConsensusFault(target: a.miner, epoch: b.height, kind: kind)
        } catch let failure as ChainLookups.Failure {
            throw failure
        } catch let error as NoFault {
            guard rules.answersNoFaultOnFailure else { throw .refused(error.reason) }
            return nil
        } catch {
            throw .refused("\(error)")
        }
    }

    private func isPaused(_ header: BlockHeader) -> Bool {
        guard rules.knowsFaultPause, let pause = lookups.network.faultPause else { return false }
        return header.height > pause - Self.finality && header.height < pause + Self.finality
    }

    private func header(_ bytes: [UInt8]) throws -> BlockHeader {
        do { return try BlockHeader(cbor: bytes) } catch { throw NoFault(reason: "not a header: \(error)") }
    }

    /// Of the node's own encoding, whatever bytes came.
    private func cid(_ header: BlockHeader) throws -> Cid {
        .blake2b256(codec: Cid.dagCbor, data: try header.encoded())
    }

    private func haveSameParents(_ a: BlockHeader, _ b: BlockHeader) -> Bool {
        rules.comparesParentsAsSets
            ? a.parents.count == b.parents.count && Set(a.parents) == Set(b.parents) : a.parents == b.parents
    }

    private func kind(_ a: BlockHeader, _ b: BlockHeader, _ extra: [UInt8]) throws -> ConsensusFault.Kind? {
        guard try cid(a) != cid(b), a.miner == b.miner, a.height <= b.height else { return nil }
        var kind: ConsensusFault.Kind?
        if a.height == b.height { kind = .doubleForkMining }
        if haveSameParents(a, b), a.height != b.height { kind = .timeOffsetMining }
        if !extra.isEmpty {
            let c = try header(extra)
            if haveSameParents(a, c), a.height == c.height, b.parents.contains(try cid(c)),
                !b.parents.contains(try cid(a))
            {
                kind = .parentGrinding
            }
        }
        return kind
    }

    // MARK: Signatures

    private func checkSignature(_ block: BlockHeader) throws {
        guard let signature = block.blockSignature, let type = signature.first else {
            throw NoFault(reason: "a header has no signature")
        }
        var unsigned = block
        unsigned.blockSignature = nil
        let key = try workerKey(block)
        let (data, message) = (Array(signature.dropFirst()), try unsigned.encoded())
        let isValid =
            switch type {
            case 1: Secp256k1.verify(signature: data, message: message, signer: key)
            case 2: BLS.verify(signature: data, message: message, signer: key)
            default: false
            }
        guard isValid else { throw NoFault(reason: "a header's signature is not by \(key)") }
    }

    /// The key of the miner's worker, from the state that counts for a block's height.
    private func workerKey(_ block: BlockHeader) throws -> Address {
        guard block.height >= epoch - Self.finality else {
            throw NoFault(reason: "height \(block.height) is too far below epoch \(epoch)")
        }
        let root = try lookbackState(max(0, block.height - Self.finality))
        guard let miner = block.miner.id,
            let actor = try onState({ (tree) throws(StateError) in try tree.actor(miner) }, root)
        else {
            throw NoFault(reason: "no miner \(block.miner) \(Self.finality) epochs before")
        }
        guard case .array(let fields)? = try? CborValue(try read(actor.state, "state of \(block.miner)")),
            case .link(let info)? = fields.first,
            case .array(let facts)? = try? CborValue(try read(info, "info of \(block.miner)")), facts.count > 1,
            case .bytes(let bytes) = facts[1], let worker = try? Address(bytes: bytes)
        else { throw NoFault(reason: "\(block.miner) is no miner") }
        return try key(of: worker)
    }

    private func lookbackState(_ height: Int64) throws(ChainLookups.Failure) -> Cid {
        do throws(ChainError) {
            guard height < lookups.height else { return startState }
            return try lookups.line.atOrAbove(height + 1).parentStateRoot
        } catch { throw .chain(error) }
    }

    /// In the state the machine began with, not in the older one.
    private func key(of worker: Address) throws -> Address {
        guard worker.addressProtocol != .bls, worker.addressProtocol != .secp256k1 else { return worker }
        let found = try onState(
            { (tree) throws(StateError) in
                guard let id = try tree.resolve(worker) else { return nil }
                return try tree.actor(id)
            }, startState)
        guard let actor = found else { throw NoFault(reason: "no worker \(worker)") }
        if let address = actor.delegatedAddress { return address }
        guard case .array(let fields)? = try? CborValue(try read(actor.state, "state of \(worker)")),
            case .bytes(let bytes)? = fields.first, let key = try? Address(bytes: bytes)
        else { throw NoFault(reason: "\(worker) is no account") }
        return key
    }

    private func onState(
        _ body: (StateTree) throws(StateError) -> ActorState?, _ root: Cid
    ) throws(ChainLookups.Failure) -> ActorState? {
        do throws(StateError) { return try body(StateTree(store: store, root: root)) } catch {
            if case .missingBlock(let cid, let what) = error { throw .chain(.missing(cid, what)) }
            throw .chain(.malformed(error.description))
        }
    }

    private func read(_ cid: Cid, _ what: String) throws(ChainLookups.Failure) -> [UInt8] {
        do throws(ChainError) { return try store.chainBlock(cid, what) } catch { throw .chain(error) }
    }
}
