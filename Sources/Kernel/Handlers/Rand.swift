import Crypto
import Engine
import GasSchedule

/// Which of the node's two sources of randomness.
enum RandomnessSource: String, Sendable {
    case chain
    case beacon
}

extension Kernel {
    /// The digest of the epoch mixed with a tag and entropy. Any epoch goes to the node.
    func randomnessV3(
        _ source: RandomnessSource, _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let tag = try arguments.i64()
        let epoch = try arguments.i64()
        let entropy = try arguments.input(guest)
        // Only prices by lookback use the difference, and the reference lets it wrap.
        try gas.charge(
            prices.onGetRandomness(lookback: network.epoch &- epoch, entropySize: UInt64(entropy.length)))
        let digest = try digest(source, epoch)
        let input = try bigEndian(tag) + digest + bigEndian(epoch) + guest.bytes(entropy)
        return .value(.digest(Blake2b.hash256(input)))
    }

    /// The digest of the epoch as it is. The price goes by the lookback, which of a future epoch is beyond any limit.
    func randomnessV4(
        _ source: RandomnessSource, _ arguments: inout Arguments
    ) throws(ExecutionError) -> SyscallResult {
        let epoch = try arguments.i64()
        let current = network.epoch
        let (lookback, overflow) = current.subtractingReportingOverflow(epoch)
        guard !overflow else {
            throw .syscall(.illegalArgument, "epoch \(epoch) is too far from the current one, \(current)")
        }
        try gas.charge(prices.onGetRandomness(lookback: lookback, entropySize: 0))
        return .value(.digest(try digest(source, epoch)))
    }

    private func digest(_ source: RandomnessSource, _ epoch: Int64) throws(ExecutionError) -> [UInt8] {
        let digest: [UInt8]
        do throws(ExternFailure) {
            digest =
                switch source {
                case .chain: try calls.externs.chainRandomness(epoch: epoch)
                case .beacon: try calls.externs.beaconRandomness(epoch: epoch)
                }
        } catch {
            throw ExecutionError(error) { reason in
                .syscall(.illegalArgument, "no \(source.rawValue) randomness for epoch \(epoch): \(reason)")
            }
        }
        guard digest.count == 32 else {
            throw .local("\(source.rawValue) randomness for epoch \(epoch) has \(digest.count) bytes, not 32")
        }
        return digest
    }

    private func bigEndian(_ value: Int64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
