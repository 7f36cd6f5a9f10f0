import Crypto
import Engine
import GasSchedule
import IPLD
import Primitives

extension Kernel {
    /// 0 for valid, −1 for not.
    private func verdict(_ isValid: Bool) -> SyscallResult { .number(Int32(isValid ? 0 : -1)) }

    func cryptoVerifySignature(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        guard let type = SignatureType(rawValue: arguments.u32(0)) else {
            throw .syscall(.illegalArgument, "signature type \(arguments.u32(0)) is neither 1 nor 2")
        }
        let signatureRange = try guest.range(arguments, 1)
        let address = try guest.address(arguments, 3)
        let textRange = try guest.range(arguments, 5)
        try gas.charge(prices.onVerifySignature(type, textSize: UInt64(textRange.length)))
        guard address.addressProtocol == .secp256k1 || address.addressProtocol == .bls else {
            throw .syscall(.illegalArgument, "\(address.text()) is no key address")
        }
        // No valid signature is longer than BLS's; a longer one is not worth a copy.
        guard signatureRange.length <= UInt32(BLS.signatureLength) else { return verdict(false) }
        let signature = try guest.bytes(signatureRange)
        let text = try guest.bytes(textRange)
        return switch type {
        case .secp256k1: verdict(Secp256k1.verify(signature: signature, message: text, signer: address))
        case .bls: verdict(BLS.verify(signature: signature, message: text, signer: address))
        }
    }

    func cryptoRecoverSecpPublicKey(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let digest = try guest.range(offset: arguments.u32(0), length: 32)
        let signature = try guest.range(offset: arguments.u32(1), length: 65)
        try gas.charge(prices.onRecoverSecpPublicKey())
        let key = Secp256k1.recover(
            digest: try guest.bytes(digest), signature: try guest.bytes(signature))
        guard let key else { throw .syscall(.illegalArgument, "no public key fits the signature") }
        return .value(ResultBytes(raw: key))
    }

    func cryptoHash(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let output = try guest.range(arguments, 3)
        let input = try guest.range(arguments, 1)
        guard let function = HashFunction(rawValue: arguments[0]) else {
            throw .syscall(.illegalArgument, "hash function 0x\(String(arguments[0], radix: 16)) is not known")
        }
        try gas.charge(prices.onHashing(function, size: UInt64(input.length)))
        let digest = function.hash(try guest.bytes(input))
        // A short buffer takes the front of the digest; that is no error.
        let count = min(digest.count, Int(output.length))
        return .number(try guest.write(Array(digest.prefix(count)), to: output, "the digest"))
    }

    func cryptoComputeUnsealedSectorCid(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let proofType = Int64(bitPattern: arguments[0])
        let sectorSize = UnsealedSectorCid.sectorSize(
            sealProof: proofType, nonInteractive: network.profile.behaviour.knowsNonInteractiveSeals)
        guard let sectorSize else {
            throw .syscall(.illegalArgument, "seal proof type \(proofType) is not known")
        }
        let encoded = try guest.range(arguments, 1)
        let pieces = try guest.decode(encoded, "pieces") { (reader) throws(CborError) in
            try reader.list { (element) throws(CborError) in try UnsealedSectorCid.Piece(&element) }
        }
        let buffer = try guest.range(arguments, 3)
        try gas.charge(prices.onComputeUnsealedSectorCid())
        let cid: Cid
        do throws(UnsealedSectorError) {
            cid = try UnsealedSectorCid.compute(sectorSize: sectorSize, pieces: pieces)
        } catch {
            throw .syscall(.illegalArgument, error.description)
        }
        return .number(try guest.write(cid.bytes, to: buffer, "the sector's CID"))
    }

    func cryptoVerifyPost(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let encoded = try guest.range(arguments, 0)
        var info = try guest.decode(encoded, "a window PoSt") { (reader) throws(CborError) in
            try WindowPoStInfo(&reader)
        }
        try gas.charge(prices.onVerifyPost(sectors: UInt64(info.challengedSectors.count)))
        CalibrationExemption.apply(to: &info, chainID: network.chainID, epoch: network.epoch)
        return verdict(try ask { () throws(ProofFailure) in try calls.externs.proofs.verifyPost(info) })
    }

    func cryptoVerifyAggregateSeals(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let encoded = try guest.range(arguments, 0)
        let info = try guest.decode(encoded, "an aggregate of seals") { (reader) throws(CborError) in
            try AggregateSealInfo(&reader)
        }
        try gas.charge(
            prices.onVerifyAggregateSeals(proofType: info.sealProofType, count: UInt64(info.sectors.count)))
        return verdict(try ask { () throws(ProofFailure) in try calls.externs.proofs.verifyAggregateSeals(info) })
    }

    func cryptoVerifyReplicaUpdate(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let encoded = try guest.range(arguments, 0)
        let info = try guest.decode(encoded, "a replica update") { (reader) throws(CborError) in
            try ReplicaUpdateInfo(&reader)
        }
        try gas.charge(prices.onVerifyReplicaUpdate())
        return verdict(try ask { () throws(ProofFailure) in try calls.externs.proofs.verifyReplicaUpdate(info) })
    }

    func cryptoBatchVerifySeals(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let encoded = try guest.range(arguments, 0)
        let seals = try guest.decode(encoded, "a batch of seals") { (reader) throws(CborError) in
            try reader.list { (element) throws(CborError) in try SealInfo(&element) }
        }
        // As many elements as a memory of 4 GiB encodes fit 32 bits.
        let output = try guest.range(offset: arguments.u32(2), length: UInt32(clamping: seals.count))
        let proofs = calls.externs.proofs
        if proofs.accounting.chargesBatchSeals {
            for _ in seals { try gas.charge(prices.onVerifySeal()) }
        }
        // Whatever a verifier cannot work with counts as not valid here.
        let results = seals.map { (seal) -> UInt8 in (try? proofs.verifySeal(seal)) == true ? 1 : 0 }
        _ = try guest.write(results, to: output, "the results")
        return .done
    }

    func cryptoVerifyConsensusFault(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let first = try guest.range(arguments, 0)
        let second = try guest.range(arguments, 2)
        let extra = try guest.range(arguments, 4)
        var charge = prices.onVerifyConsensusFault()
        let proofs = calls.externs.proofs
        if proofs.accounting.booksConsensusFaultAsCompute { charge = GasCharge(charge.name, compute: charge.total) }
        try gas.charge(charge)
        let fault =
            proofs.asksNodeForConsensusFaults
            ? try consensusFault(guest.bytes(first), guest.bytes(second), guest.bytes(extra)) : nil
        var result = ResultBytes()
        if let fault {
            guard let target = fault.target.id else {
                throw .fatal("the node blamed \(fault.target.text()) for a consensus fault, which is no id address")
            }
            result.append(fault.epoch)
            result.append(target)
            result.append(fault.kind.rawValue)
        } else {
            result.append(Int64(0))
            result.append(UInt64(0))
            result.append(UInt32(0))
        }
        return .value(result)
    }

    private func consensusFault(
        _ first: [UInt8], _ second: [UInt8], _ extra: [UInt8]
    ) throws(ExecutionError) -> ConsensusFault? {
        do throws(ExternFailure) {
            return try calls.externs.consensusFault(first: first, second: second, extra: extra)
        } catch {
            switch error {
            case .refused(let reason): throw .syscall(.illegalArgument, reason)
            case .local(let reason): throw .local(reason)
            }
        }
    }

    private func ask(_ verify: () throws(ProofFailure) -> Bool) throws(ExecutionError) -> Bool {
        do throws(ProofFailure) {
            return try verify()
        } catch {
            throw .syscall(.illegalArgument, error.reason)
        }
    }
}

/// The calibration network's mistake, kept: there, up to an epoch, 32 GiB window PoSts of version 1.1 were
/// verified as version 1 (ref-fvm v3 `verify_post`). The price does not see it.
enum CalibrationExemption {
    private static let chainID: UInt64 = 314_159
    private static let lastEpoch: Int64 = 498_691
    private static let window32GiBV1: Int64 = 8
    private static let window32GiBV1P1: Int64 = 13

    static func apply(to info: inout WindowPoStInfo, chainID: UInt64, epoch: Int64) {
        guard chainID == self.chainID, epoch <= lastEpoch, info.proofs.first?.type == window32GiBV1P1 else { return }
        info.proofs[0].type = window32GiBV1
    }
}
