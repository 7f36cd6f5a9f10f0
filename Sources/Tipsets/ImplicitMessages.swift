import Chain
import IPLD
import Machine
import Primitives
import StateTree

/// The messages a node makes itself (FVM chain layer 2.3; Lotus, chain/consensus/filcns).
enum ImplicitMessages {
    /// What the node's wrapper of the machine writes over whatever the node itself wrote.
    static let gasLimit: UInt64 = (1 << 62) - 1
    private static let cronActor: UInt64 = 3
    private static let epochTick: UInt64 = 2
    private static let awardBlockReward: UInt64 = 2

    static func cron(_ epoch: Int64) -> Message {
        message(to: cronActor, epoch, method: epochTick, params: [])
    }

    /// - Parameters:
    ///   - penalty: of all messages under the block.
    ///   - tip: what they pay the miner.
    static func reward(
        _ header: BlockHeader, _ epoch: Int64, penalty: TokenAmount, tip: TokenAmount
    ) throws(TokenAmountError) -> Message {
        var params = CborWriter()
        params.array(4)
        params.byteString(header.miner.bytes)
        params.byteString(try penalty.cborBytes)
        params.byteString(try tip.cborBytes)
        params.int64(header.electionProof?.winCount ?? 0)
        return message(to: Singleton.reward, epoch, method: awardBlockReward, params: params.bytes)
    }

    private static func message(to id: UInt64, _ epoch: Int64, method: UInt64, params: [UInt8]) -> Message {
        Message(
            to: .id(id), from: .id(Singleton.system), nonce: UInt64(clamping: epoch), value: .zero,
            gasLimit: gasLimit, feeCap: .zero, premium: .zero, method: method, params: params)
    }
}
