/// The syscalls of the FVM, one case per import name. The raw value is the ABI index: cases are appended,
/// never reordered.
public enum Syscall: UInt8, Sendable, Hashable, CaseIterable {
    case vmExit
    case vmMessageContext
    case networkContext
    case networkTipsetCid
    case networkTotalFilCircSupply
    case ipldBlockOpen
    case ipldBlockCreate
    case ipldBlockRead
    case ipldBlockStat
    case ipldBlockLink
    case selfRoot
    case selfSetRoot
    case selfCurrentBalance
    case selfSelfDestruct
    case actorResolveAddress
    case actorLookupDelegatedAddress
    case actorGetActorCodeCid
    case actorNextActorAddress
    case actorCreateActor
    case actorGetBuiltinActorType
    case actorGetCodeCidForType
    case actorBalanceOf
    case cryptoVerifySignature
    case cryptoRecoverSecpPublicKey
    case cryptoHash
    case cryptoVerifyPost
    case cryptoComputeUnsealedSectorCid
    case cryptoVerifyConsensusFault
    case cryptoVerifyAggregateSeals
    case cryptoVerifyReplicaUpdate
    case cryptoBatchVerifySeals
    case eventEmitEvent
    case randGetChainRandomness
    case randGetBeaconRandomness
    case gasCharge
    case gasAvailable
    case sendSend
    case debugLog
    case debugEnabled
    case debugStoreArtifact
    /// v4 only.
    case cryptoVerifyBlsAggregate
}
