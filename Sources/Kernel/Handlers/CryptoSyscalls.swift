import Crypto
import Engine
import GasSchedule
import IPLD
import Primitives

/// 0 for valid, −1 for not.
private func verdict(_ isValid: Bool) -> SyscallResult { .number(Int32(isValid ? 0 : -1)) }

extension Kernel {
    // MARK: Signatures and hashes

    func cryptoVerifySignature(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let number = try arguments.u32()
        guard let type = SignatureType(rawValue: number) else {
            throw .syscall(.illegalArgument, "signature type \(number) is neither 1 nor 2")
        }
        let signatureRange = try arguments.input(guest)
        let address = try arguments.address(guest)
        let textRange = try arguments.input(guest)
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

    /// Signatures of several keys over several texts, added up to one (FIP-0079).
    func cryptoVerifyBlsAggregate(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let count = try arguments.u32()
        let (keyBytes, overflow) = count.multipliedReportingOverflow(by: UInt32(BLS.publicKeyLength))
        guard !overflow else { throw .syscall(.illegalArgument, "\(count) signatures") }
        let signatureRange = try arguments.fixed(guest)
        let keyRange = try guest.range(offset: arguments.array(), length: keyBytes)
        let textOffset = try arguments.array()
        // Four bytes each fit, since 48 do.
        let lengthRange = try guest.range(offset: arguments.array(), length: 4 * count)
        let lengths = try guest.withBytes(lengthRange) { (bytes) throws(ExecutionError) in
            (0..<Int(count)).map { index in
                (0..<4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[4 * index + $1]) }
            }
        }
        // The reference adds up in 32 bits.
        let textRange = try guest.range(offset: textOffset, length: lengths.reduce(0, &+))
        try gas.charge(
            prices.onVerifyBlsAggregate(signatures: UInt64(count), textSize: UInt64(textRange.length)))
        guard lengths.reduce(UInt64(0), { $0 + UInt64($1) }) == UInt64(textRange.length) else {
            throw .syscall(.illegalArgument, "the texts' lengths add up to more than 32 bits")
        }
        guard count > 0 else { return verdict(true) }
        let signature = try guest.bytes(signatureRange)
        let keys = try guest.bytes(keyRange)
        let texts = try guest.bytes(textRange)
        var messages: [[UInt8]] = []
        var start = 0
        for length in lengths {
            messages.append(Array(texts[start..<start + Int(length)]))
            start += Int(length)
        }
        let publicKeys = stride(from: 0, to: keys.count, by: BLS.publicKeyLength).map {
            Array(keys[$0..<$0 + BLS.publicKeyLength])
        }
        return verdict(BLS.verifyAggregate(signature: signature, messages: messages, publicKeys: publicKeys))
    }

    func cryptoRecoverSecpPublicKey(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let digest = try arguments.fixed(guest)
        let signature = try arguments.fixed(guest)
        try gas.charge(prices.onRecoverSecpPublicKey())
        let key = Secp256k1.recover(
            digest: try guest.bytes(digest), signature: try guest.bytes(signature))
        guard let key else { throw .syscall(.illegalArgument, "no public key fits the signature") }
        return .value(.publicKey(key))
    }

    func cryptoHash(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let code = try arguments.u64()
        let unchecked = try arguments.uncheckedInput()
        let output = try arguments.output(guest)
        let input = try guest.check(unchecked)
        guard let function = HashFunction(rawValue: code) else {
            throw .syscall(.illegalArgument, "hash function 0x\(String(code, radix: 16)) is not known")
        }
        try gas.charge(prices.onHashing(function, size: UInt64(input.length)))
        let digest = try guest.withBytes(input) { (bytes) throws(ExecutionError) in function.hash(bytes) }
        // A short buffer takes the front of the digest; that is no error.
        let count = min(digest.count, Int(output.length))
        return .number(try guest.write(Array(digest.prefix(count)), to: output, "the digest"))
    }

    // MARK: Sectors and proofs

    func cryptoComputeUnsealedSectorCid(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let proofType = try arguments.i64()
        let sectorSize = UnsealedSectorCid.sectorSize(
            sealProof: proofType, nonInteractive: network.profile.behaviour.knowsNonInteractiveSeals)
        guard let sectorSize else {
            throw .syscall(.illegalArgument, "seal proof type \(proofType) is not known")
        }
        let encoded = try arguments.input(guest)
        let pieces = try guest.decode(encoded, "pieces") { (reader) throws(CborError) in
            try reader.list { (element) throws(CborError) in try UnsealedSectorCid.Piece(&element) }
        }
        let buffer = try arguments.output(guest)
        try gas.charge(prices.onComputeUnsealedSectorCid())
        let cid: Cid
        do throws(UnsealedSectorError) {
            cid = try UnsealedSectorCid.compute(sectorSize: sectorSize, pieces: pieces)
        } catch {
            throw .syscall(.illegalArgument, error.description)
        }
        return .number(try guest.write(cid.bytes, to: buffer, "the sector's CID"))
    }

    /// Keeps a mistake of the calibration network.
    func cryptoVerifyPostV3(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        var info = try windowPoSt(&arguments, guest)
        CalibrationExemption.apply(to: &info, chainID: network.chainID, epoch: network.epoch)
        return verdict(try proofs.verifyPost(info, proofHost))
    }

    func cryptoVerifyPostV4(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        verdict(try proofs.verifyPost(windowPoSt(&arguments, guest), proofHost))
    }

    private func windowPoSt(
        _ arguments: inout Arguments, _ guest: borrowing GuestContext
    ) throws(ExecutionError) -> WindowPoStInfo {
        try guest.decode(arguments.input(guest), "a window PoSt") { (reader) throws(CborError) in
            try WindowPoStInfo(&reader)
        }
    }

    func cryptoVerifyAggregateSeals(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let encoded = try arguments.input(guest)
        let info = try guest.decode(encoded, "an aggregate of seals") { (reader) throws(CborError) in
            try AggregateSealInfo(&reader)
        }
        return verdict(try proofs.verifyAggregateSeals(info, proofHost))
    }

    func cryptoVerifyReplicaUpdate(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let encoded = try arguments.input(guest)
        let info = try guest.decode(encoded, "a replica update") { (reader) throws(CborError) in
            try ReplicaUpdateInfo(&reader)
        }
        return verdict(try proofs.verifyReplicaUpdate(info, proofHost))
    }

    func cryptoBatchVerifySeals(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let encoded = try arguments.input(guest)
        let seals = try guest.decode(encoded, "a batch of seals") { (reader) throws(CborError) in
            try reader.list { (element) throws(CborError) in try SealInfo(&element) }
        }
        // As many elements as a memory of 4 GiB encodes fit 32 bits.
        let output = try guest.range(offset: arguments.array(), length: UInt32(clamping: seals.count))
        let valid = try proofs.batchVerifySeals(seals, proofHost)
        _ = try guest.write(valid.map { $0 ? 1 : 0 }, to: output, "the results")
        return .done
    }

    func cryptoVerifyConsensusFault(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let first = try arguments.input(guest)
        let second = try arguments.input(guest)
        let extra = try arguments.input(guest)
        // Lent, not copied: nothing but the flat price is paid for up to 512 MiB each.
        let fault = try guest.withBytes(first) { (first) throws(ExecutionError) in
            try guest.withBytes(second) { (second) throws(ExecutionError) in
                try guest.withBytes(extra) { (extra) throws(ExecutionError) in
                    try proofs.verifyConsensusFault(first, second, extra, proofHost)
                }
            }
        }
        guard let fault else { return .value(.consensusFault(epoch: 0, target: 0, kind: 0)) }
        guard let target = fault.target.id else {
            throw .fatal("the node blamed \(fault.target.text()) for a consensus fault, which is no id address")
        }
        return .value(.consensusFault(epoch: fault.epoch, target: target, kind: fault.kind.rawValue))
    }

    private var proofs: any ProofSyscalls { calls.externs.proofs }

    private var proofHost: ProofHost { ProofHost(gas: gas, prices: prices, externs: calls.externs) }
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
