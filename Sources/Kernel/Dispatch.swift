import Engine
import Primitives
import Syscalls

/// What a syscall's body came to, besides the ends it throws.
enum SyscallResult {
    /// Success of a syscall without a result.
    case done
    /// Success; the bytes go to the address the caller gave.
    case value(ResultBytes)
}

extension Kernel {
    /// Runs a syscall's body.
    func dispatch(
        _ syscall: Syscall, _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        switch syscall {
        case .vmExit: try vmExit(&arguments, &guest)
        case .vmMessageContext: try vmMessageContext()
        case .networkContext: try networkContext()
        case .networkTipsetCid: try networkTipsetCid(&arguments, &guest)
        case .networkTotalFilCircSupply: try networkTotalFilCircSupply()
        case .ipldBlockOpenV3: try ipldBlockOpenV3(&arguments, &guest)
        case .ipldBlockOpenV4: try ipldBlockOpenV4(&arguments, &guest)
        case .ipldBlockCreateV3: try ipldBlockCreateV3(&arguments, &guest)
        case .ipldBlockCreateV4: try ipldBlockCreateV4(&arguments, &guest)
        case .ipldBlockRead: try ipldBlockRead(&arguments, &guest)
        case .ipldBlockStat: try ipldBlockStat(&arguments)
        case .ipldBlockLinkV3: try ipldBlockLinkV3(&arguments, &guest)
        case .ipldBlockLinkV4: try ipldBlockLinkV4(&arguments, &guest)
        case .selfRootV3: try selfRootV3(&arguments, &guest)
        case .selfRootV4: try selfRootV4(&arguments, &guest)
        case .selfSetRootV3: try selfSetRootV3(&arguments, &guest)
        case .selfSetRootV4: try selfSetRootV4(&arguments, &guest)
        case .selfCurrentBalance: try selfCurrentBalance()
        case .selfSelfDestructV3: try selfSelfDestructV3(&arguments, &guest)
        case .selfSelfDestructV4: try selfSelfDestructV4(&arguments)
        case .actorResolveAddress: try actorResolveAddress(&arguments, &guest)
        case .actorLookupDelegatedAddress: try actorLookupDelegatedAddress(&arguments, &guest)
        case .actorGetActorCodeCid: try actorGetActorCodeCid(&arguments, &guest)
        case .actorNextActorAddress: try actorNextActorAddress(&arguments, &guest)
        case .actorCreateActor: try actorCreateActor(&arguments, &guest)
        case .actorGetBuiltinActorType: try actorGetBuiltinActorType(&arguments, &guest)
        case .actorGetCodeCidForType: try actorGetCodeCidForType(&arguments, &guest)
        case .actorBalanceOf: try actorBalanceOf(&arguments)
        case .cryptoVerifySignature: try cryptoVerifySignature(&arguments, &guest)
        case .cryptoRecoverSecpPublicKey: try cryptoRecoverSecpPublicKey(&arguments, &guest)
        case .cryptoHash: try cryptoHash(&arguments, &guest)
        case .cryptoVerifyPostV3: try cryptoVerifyPostV3(&arguments, &guest)
        case .cryptoVerifyPostV4: try cryptoVerifyPostV4(&arguments, &guest)
        case .cryptoComputeUnsealedSectorCid: try cryptoComputeUnsealedSectorCid(&arguments, &guest)
        case .cryptoVerifyConsensusFault: try cryptoVerifyConsensusFault(&arguments, &guest)
        case .cryptoVerifyAggregateSeals: try cryptoVerifyAggregateSeals(&arguments, &guest)
        case .cryptoVerifyReplicaUpdate: try cryptoVerifyReplicaUpdate(&arguments, &guest)
        case .cryptoBatchVerifySeals: try cryptoBatchVerifySeals(&arguments, &guest)
        case .cryptoVerifyBlsAggregate: try cryptoVerifyBlsAggregate(&arguments, &guest)
        case .eventEmitEventV3: try eventEmitEventV3(&arguments, &guest)
        case .eventEmitEventV4: try eventEmitEventV4(&arguments, &guest)
        case .randGetChainRandomnessV3: try randomnessV3(.chain, &arguments, &guest)
        case .randGetChainRandomnessV4: try randomnessV4(.chain, &arguments)
        case .randGetBeaconRandomnessV3: try randomnessV3(.beacon, &arguments, &guest)
        case .randGetBeaconRandomnessV4: try randomnessV4(.beacon, &arguments)
        case .gasCharge: try gasCharge(&arguments, &guest)
        case .gasAvailable: gasAvailable()
        case .sendSend: try sendSend(&arguments, &guest)
        case .debugLogV3: try debugLogV3(&arguments, &guest)
        case .debugLogV4: try debugLogV4(&arguments, &guest)
        case .debugEnabled: debugEnabled()
        case .debugStoreArtifact: try debugStoreArtifact(&arguments, &guest)
        }
    }
}
