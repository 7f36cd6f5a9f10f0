// The table of syscalls: one row per syscall and generation (FVM syscalls specification, sections 9 and 11).
// `actor::upgrade_actor` and `actor::install_actor` are behind features that no Filecoin network enables.

extension SyscallRow {
    /// Rows that both generations link with one signature.
    static let common: [SyscallRow] = [
        SyscallRow(.vmExit, "vm", "exit", [.u32("code"), .u32("block"), .input("message")]),
        SyscallRow(.vmMessageContext, "vm", "message_context", result: 80),

        SyscallRow(.networkContext, "network", "context", result: 44),
        SyscallRow(.networkTipsetCid, "network", "tipset_cid", result: 4, [.u64("epoch"), .output("cid")]),
        SyscallRow(.networkTotalFilCircSupply, "network", "total_fil_circ_supply", result: 16),

        SyscallRow(.ipldBlockOpen, "ipld", "block_open", result: 16, [.cid("cid")]),
        SyscallRow(.ipldBlockCreate, "ipld", "block_create", result: 4, [.u64("codec"), .input("data")]),
        SyscallRow(.ipldBlockRead, "ipld", "block_read", result: 4, [.u32("block"), .u32("offset"), .output("data")]),
        SyscallRow(.ipldBlockStat, "ipld", "block_stat", result: 12, [.u32("block")]),
        SyscallRow(
            .ipldBlockLink, "ipld", "block_link", result: 4,
            [.u32("block"), .u64("hash code"), .u32("hash length"), .output("cid")]),

        SyscallRow(.selfRoot, "self", "root", result: 4, [.output("cid")]),
        SyscallRow(.selfSetRoot, "self", "set_root", [.cid("cid")]),
        SyscallRow(.selfCurrentBalance, "self", "current_balance", result: 16),

        SyscallRow(.actorResolveAddress, "actor", "resolve_address", result: 8, [.input("address")]),
        SyscallRow(
            .actorLookupDelegatedAddress, "actor", "lookup_delegated_address", result: 4,
            [.u64("actor"), .output("address")]),
        SyscallRow(
            .actorGetActorCodeCid, "actor", "get_actor_code_cid", result: 4, [.u64("actor"), .output("cid")]),
        SyscallRow(.actorNextActorAddress, "actor", "next_actor_address", result: 4, [.output("address")]),
        SyscallRow(
            .actorCreateActor, "actor", "create_actor", [.u64("actor"), .cid("code"), .input("delegated address")]),
        SyscallRow(.actorGetBuiltinActorType, "actor", "get_builtin_actor_type", result: 4, [.cid("code")]),
        SyscallRow(
            .actorGetCodeCidForType, "actor", "get_code_cid_for_type", result: 4, [.u32("type"), .output("cid")]),
        SyscallRow(.actorBalanceOf, "actor", "balance_of", result: 16, [.u64("actor")]),

        SyscallRow(
            .cryptoVerifySignature, "crypto", "verify_signature", result: 4,
            [.u32("type"), .input("signature"), .input("address"), .input("text")]),
        SyscallRow(
            .cryptoRecoverSecpPublicKey, "crypto", "recover_secp_public_key", result: 65,
            [.fixed("hash", bytes: 32), .fixed("signature", bytes: 65)]),
        SyscallRow(
            .cryptoHash, "crypto", "hash", result: 4, [.u64("hash code"), .input("data"), .output("digest")]),
        SyscallRow(.cryptoVerifyPost, "crypto", "verify_post", result: 4, [.input("info")]),
        SyscallRow(
            .cryptoComputeUnsealedSectorCid, "crypto", "compute_unsealed_sector_cid", result: 4,
            [.u64("proof type"), .input("pieces"), .output("cid")]),
        SyscallRow(
            .cryptoVerifyConsensusFault, "crypto", "verify_consensus_fault", result: 20,
            [.input("first header"), .input("second header"), .input("extra")]),
        SyscallRow(.cryptoVerifyAggregateSeals, "crypto", "verify_aggregate_seals", result: 4, [.input("info")]),
        SyscallRow(.cryptoVerifyReplicaUpdate, "crypto", "verify_replica_update", result: 4, [.input("info")]),
        SyscallRow(.cryptoBatchVerifySeals, "crypto", "batch_verify_seals", [.input("infos"), .array("results")]),

        SyscallRow(.gasCharge, "gas", "charge", [.input("name"), .u64("amount")]),
        SyscallRow(.gasAvailable, "gas", "available", result: 8),

        SyscallRow(
            .sendSend, "send", "send", result: 20,
            [
                .input("recipient"), .u64("method"), .u32("parameters"), .u64("value, high"), .u64("value, low"),
                .u64("gas limit"), .u64("flags"),
            ]),

        SyscallRow(.debugLog, "debug", "log", [.input("text")]),
        SyscallRow(.debugEnabled, "debug", "enabled", result: 4),
        SyscallRow(.debugStoreArtifact, "debug", "store_artifact", [.input("name"), .input("data")]),
    ]

    /// Rows of ref-fvm 3 alone: nv18 to nv20.
    static let onlyV3: [SyscallRow] = [
        SyscallRow(.selfSelfDestruct, "self", "self_destruct", [.input("beneficiary")]),
        SyscallRow(.eventEmitEvent, "event", "emit_event", [.input("event")]),
        SyscallRow(
            .randGetChainRandomness, "rand", "get_chain_randomness", result: 32,
            [.u64("tag"), .u64("epoch"), .input("entropy")]),
        SyscallRow(
            .randGetBeaconRandomness, "rand", "get_beacon_randomness", result: 32,
            [.u64("tag"), .u64("epoch"), .input("entropy")]),
    ]

    /// Rows of ref-fvm 4 alone: nv21 to nv28.
    static let onlyV4: [SyscallRow] = [
        SyscallRow(.selfSelfDestruct, "self", "self_destruct", [.u32("burn")]),
        SyscallRow(.eventEmitEvent, "event", "emit_event", [.input("entries"), .input("keys"), .input("values")]),
        SyscallRow(.randGetChainRandomness, "rand", "get_chain_randomness", result: 32, [.u64("epoch")]),
        SyscallRow(.randGetBeaconRandomness, "rand", "get_beacon_randomness", result: 32, [.u64("epoch")]),
        SyscallRow(
            .cryptoVerifyBlsAggregate, "crypto", "verify_bls_aggregate", result: 4,
            [.u32("count"), .fixed("signature", bytes: 96), .array("keys"), .array("texts"), .array("lengths")]),
    ]
}
