import Chain
import Crypto
import IPLD
import Primitives

/// What a tipset's machine asks of the chain below it (FVM chain layer 2.7, 2.8): always from the tipset's own height
/// down, also in the null rounds before it.
public struct ChainLookups {
    let network: ChainNetwork
    let line: ChainLine
    /// The height of the tipset that is executed.
    let height: Int64

    /// How many tipsets are looked at for an entry of the beacon.
    static let beaconSteps = 20

    public init(network: ChainNetwork, line: ChainLine, height: Int64) {
        self.network = network
        self.line = line
        self.height = height
    }

    /// Why there is no answer.
    enum Failure: Error {
        /// What a node says too.
        case refused(String)
        case chain(ChainError)
    }

    private func youngest(_ epoch: Int64) throws(Failure) -> ChainLine.Link {
        guard epoch <= height else { throw .refused("epoch \(epoch) is above the tipset's height \(height)") }
        return try onChain { () throws(ChainError) in try line.atOrAbove(max(0, epoch)) }
    }

    private func onChain<R>(_ body: () throws(ChainError) -> R) throws(Failure) -> R {
        do throws(ChainError) { return try body() } catch { throw .chain(error) }
    }

    /// The digest of a ticket: of a null round that of the next tipset above.
    func ticketDigest(_ epoch: Int64) throws(Failure) -> [UInt8] { try youngest(epoch).ticketDigest }

    /// The digest of the beacon's entry for an epoch.
    func beaconDigest(_ epoch: Int64) throws(Failure) -> [UInt8] {
        var link = try youngest(epoch)
        guard epoch >= 0 else {
            guard let entry = link.beaconEntries.last else { throw .refused("genesis has no entry of the beacon") }
            return Blake2b.hash256(entry.data)
        }
        let round = network.beaconRound(at: epoch)
        for _ in 0..<Self.beaconSteps {
            if let entry = link.beaconEntries.first(where: { $0.round == round }) {
                return Blake2b.hash256(entry.data)
            }
            guard let parent = try onChain({ () throws(ChainError) in try line.parent(of: link) }) else { break }
            link = parent
        }
        throw .refused("no block near epoch \(epoch) has round \(round) of the beacon")
    }

    /// The CID of a tipset's key: of a null round that of the next tipset below.
    func tipsetCid(_ epoch: Int64) throws(Failure) -> Cid {
        guard epoch <= height else { throw .refused("epoch \(epoch) is above the tipset's height \(height)") }
        let link = try onChain { () throws(ChainError) in try line.atOrBelow(max(0, epoch)) }
        return TipSet.keyCid(link.key)
    }
}
