import Engine
import Primitives
import Syscalls

/// What a syscall's body came to, besides the errors it throws.
enum SyscallResult {
    /// Success of a syscall without a result.
    case done
    /// Success; the bytes go to the address the caller gave.
    case value(ResultBytes)
    /// `vm::exit`.
    case exit(ExitCode, block: UInt32, message: String)
}

extension Kernel {
    /// Runs a syscall's body. `arguments` are the declared parameters, without the result's address.
    func dispatch(
        _ syscall: Syscall, _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        switch syscall {
        case .vmExit: vmExit(arguments, &guest)
        case .vmMessageContext: try vmMessageContext()
        case .networkContext: try networkContext()
        case .networkTipsetCid: try networkTipsetCid(arguments, &guest)
        case .networkTotalFilCircSupply: try networkTotalFilCircSupply()
        case .ipldBlockOpen: try ipldBlockOpen(arguments, &guest)
        case .ipldBlockCreate: try ipldBlockCreate(arguments, &guest)
        case .ipldBlockRead: try ipldBlockRead(arguments, &guest)
        case .ipldBlockStat: try ipldBlockStat(arguments)
        case .ipldBlockLink: try ipldBlockLink(arguments, &guest)
        case .selfRoot: try selfRoot(arguments, &guest)
        case .selfSetRoot: try selfSetRoot(arguments, &guest)
        case .selfCurrentBalance: try selfCurrentBalance()
        case .selfSelfDestruct: try selfSelfDestruct(arguments, &guest)
        case .actorResolveAddress: try actorResolveAddress(arguments, &guest)
        case .actorLookupDelegatedAddress: try actorLookupDelegatedAddress(arguments, &guest)
        case .actorGetActorCodeCid: try actorGetActorCodeCid(arguments, &guest)
        case .actorNextActorAddress: try actorNextActorAddress(arguments, &guest)
        case .actorCreateActor: try actorCreateActor(arguments, &guest)
        case .actorGetBuiltinActorType: try actorGetBuiltinActorType(arguments, &guest)
        case .actorGetCodeCidForType: try actorGetCodeCidForType(arguments, &guest)
        case .actorBalanceOf: try actorBalanceOf(arguments)
        case .cryptoVerifySignature: try cryptoVerifySignature(arguments, &guest)
        case .cryptoRecoverSecpPublicKey: try cryptoRecoverSecpPublicKey(arguments, &guest)
        case .cryptoHash: try cryptoHash(arguments, &guest)
        case .cryptoVerifyPost: try cryptoVerifyPost(arguments, &guest)
        case .cryptoComputeUnsealedSectorCid: try cryptoComputeUnsealedSectorCid(arguments, &guest)
        case .cryptoVerifyConsensusFault: try cryptoVerifyConsensusFault(arguments, &guest)
        case .cryptoVerifyAggregateSeals: try cryptoVerifyAggregateSeals(arguments, &guest)
        case .cryptoVerifyReplicaUpdate: try cryptoVerifyReplicaUpdate(arguments, &guest)
        case .cryptoBatchVerifySeals: try cryptoBatchVerifySeals(arguments, &guest)
        case .eventEmitEvent: try eventEmitEvent(arguments, &guest)
        case .randGetChainRandomness: try randomness(.chain, arguments, &guest)
        case .randGetBeaconRandomness: try randomness(.beacon, arguments, &guest)
        case .gasCharge: try gasCharge(arguments, &guest)
        case .gasAvailable: gasAvailable()
        case .sendSend: try sendSend(arguments, &guest)
        case .debugLog: try debugLog(arguments, &guest)
        case .debugEnabled: debugEnabled()
        case .debugStoreArtifact: try debugStoreArtifact(arguments, &guest)
        case .cryptoVerifyBlsAggregate:
            throw .fatal("crypto::verify_bls_aggregate is no syscall of generation v3")
        }
    }
}
