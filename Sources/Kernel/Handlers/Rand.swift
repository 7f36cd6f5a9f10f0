import Crypto
import Engine
import GasSchedule

extension Kernel {
    enum RandomnessSource: String {
        case chain
        case beacon
    }

    /// v3: the digest of the epoch mixed with a tag and entropy. Any epoch goes to the node.
    func randomness(
        _ source: RandomnessSource, _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let tag = arguments.i64(0)
        let epoch = arguments.i64(1)
        let entropy = try guest.range(arguments, 2)
        // Only prices by lookback use the difference, and the reference lets it wrap.
        try gas.charge(
            prices.onGetRandomness(lookback: network.epoch &- epoch, entropySize: UInt64(entropy.length)))
        let digest: [UInt8]
        do throws(ExternFailure) {
            digest =
                switch source {
                case .chain: try calls.externs.chainRandomness(epoch: epoch)
                case .beacon: try calls.externs.beaconRandomness(epoch: epoch)
                }
        } catch {
            switch error {
            case .refused(let reason):
                throw .syscall(.illegalArgument, "no \(source.rawValue) randomness for epoch \(epoch): \(reason)")
            case .local(let reason): throw .local(reason)
            }
        }
        guard digest.count == 32 else {
            throw .local("\(source.rawValue) randomness for epoch \(epoch) has \(digest.count) bytes, not 32")
        }
        let input = try bigEndian(tag) + digest + bigEndian(epoch) + guest.bytes(entropy)
        return .value(ResultBytes(raw: Blake2b.hash256(input)))
    }

    private func bigEndian(_ value: Int64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
