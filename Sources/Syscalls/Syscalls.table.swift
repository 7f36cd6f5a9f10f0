// The table of syscalls: one row per syscall and generation (FVM syscalls specification, sections 9 and 11).
// `actor::upgrade_actor` and `actor::install_actor` are behind features that no Filecoin network enables.

extension SyscallRow {
    /// Rows that mean the same in both generations.
    static let common: [SyscallRow] = [
        SyscallRow(.vmExit, "vm", "exit", [.u32("code"), .u32("block"), .input("message")]),
        SyscallRow(.vmMessageContext, "vm", "message_context", result: .messageContext),

        SyscallRow(.networkContext, "network", "context", result: .networkContext),
        SyscallRow(.networkTipsetCid, "network", "tipset_cid", result: .number32, [.u64("epoch"), .output("cid")]),
        SyscallRow(.networkTotalFilCircSupply, "network", "total_fil_circ_supply", result: .tokenAmount),

        SyscallRow(
            .ipldBlockRead, "ipld", "block_read", result: .number32, [.u32("block"), .u32("offset"), .output("data")]),
        SyscallRow(.ipldBlockStat, "ipld", "block_stat", result: .ipldStat, [.u32("block")]),

        SyscallRow(.selfCurrentBalance, "self", "current_balance", result: .tokenAmount),

        SyscallRow(.actorResolveAddress, "actor", "resolve_address", result: .number64, [.input("address")]),
        SyscallRow(
            .actorLookupDelegatedAddress, "actor", "lookup_delegated_address", result: .number32,
            [.u64("actor"), .output("address")]),
        SyscallRow(
            .actorGetActorCodeCid, "actor", "get_actor_code_cid", result: .number32, [.u64("actor"), .output("cid")]),
        SyscallRow(.actorNextActorAddress, "actor", "next_actor_address", result: .number32, [.output("address")]),
        SyscallRow(
            .actorCreateActor, "actor", "create_actor", [.u64("actor"), .cid("code"), .input("delegated address")]),
        SyscallRow(.actorGetBuiltinActorType, "actor", "get_builtin_actor_type", result: .number32, [.cid("code")]),
        SyscallRow(
            .actorGetCodeCidForType, "actor", "get_code_cid_for_type", result: .number32,
            [.u32("type"), .output("cid")]),
        SyscallRow(.actorBalanceOf, "actor", "balance_of", result: .tokenAmount, [.u64("actor")]),

        SyscallRow(
            .cryptoVerifySignature, "crypto", "verify_signature", result: .number32,
            [.u32("type"), .input("signature"), .input("address"), .input("text")]),
        SyscallRow(
            .cryptoRecoverSecpPublicKey, "crypto", "recover_secp_public_key", result: .publicKey,
            [.fixed("hash", bytes: 32), .fixed("signature", bytes: 65)]),
        SyscallRow(
            .cryptoHash, "crypto", "hash", result: .number32, [.u64("hash code"), .input("data"), .output("digest")]),
        SyscallRow(
            .cryptoComputeUnsealedSectorCid, "crypto", "compute_unsealed_sector_cid", result: .number32,
            [.u64("proof type"), .input("pieces"), .output("cid")]),
        SyscallRow(
            .cryptoVerifyConsensusFault, "crypto", "verify_consensus_fault", result: .consensusFault,
            [.input("first header"), .input("second header"), .input("extra")]),
        SyscallRow(
            .cryptoVerifyAggregateSeals, "crypto", "verify_aggregate_seals", result: .number32, [.input("info")]),
        SyscallRow(.cryptoVerifyReplicaUpdate, "crypto", "verify_replica_update", result: .number32, [.input("info")]),
        SyscallRow(.cryptoBatchVerifySeals, "crypto", "batch_verify_seals", [.input("infos"), .array("results")]),

        SyscallRow(.gasCharge, "gas", "charge", [.input("name"), .u64("amount")]),
        SyscallRow(.gasAvailable, "gas", "available", result: .number64),

        SyscallRow(
            .sendSend, "send", "send", result: .send,
            [
                .input("recipient"), .u64("method"), .u32("parameters"), .u64("value, high"), .u64("value, low"),
                .u64("gas limit"), .u64("flags"),
            ]),

        SyscallRow(.debugEnabled, "debug", "enabled", result: .number32),
        SyscallRow(.debugStoreArtifact, "debug", "store_artifact", [.input("name"), .input("data")]),
    ]

    /// Rows of ref-fvm 3 alone: nv18 to nv20.
    static let onlyV3: [SyscallRow] = [
        SyscallRow(.ipldBlockOpenV3, "ipld", "block_open", result: .ipldOpen, [.cid("cid")]),
        SyscallRow(.ipldBlockCreateV3, "ipld", "block_create", result: .number32, [.u64("codec"), .input("data")]),
        SyscallRow(
            .ipldBlockLinkV3, "ipld", "block_link", result: .number32,
            [.u32("block"), .u64("hash code"), .u32("hash length"), .output("cid")]),
        SyscallRow(.selfRootV3, "self", "root", result: .number32, [.output("cid")]),
        SyscallRow(.selfSetRootV3, "self", "set_root", [.cid("cid")]),
        SyscallRow(.cryptoVerifyPostV3, "crypto", "verify_post", result: .number32, [.input("info")]),
        SyscallRow(.debugLogV3, "debug", "log", [.input("text")]),
        SyscallRow(.selfSelfDestructV3, "self", "self_destruct", [.input("beneficiary")]),
        SyscallRow(.eventEmitEventV3, "event", "emit_event", [.input("event")]),
        SyscallRow(
            .randGetChainRandomnessV3, "rand", "get_chain_randomness", result: .digest,
            [.u64("tag"), .u64("epoch"), .input("entropy")]),
        SyscallRow(
            .randGetBeaconRandomnessV3, "rand", "get_beacon_randomness", result: .digest,
            [.u64("tag"), .u64("epoch"), .input("entropy")]),
    ]

    /// Rows of ref-fvm 4 alone: nv21 and later.
    static let onlyV4: [SyscallRow] = [
        SyscallRow(.ipldBlockOpenV4, "ipld", "block_open", result: .ipldOpen, [.cid("cid")]),
        SyscallRow(.ipldBlockCreateV4, "ipld", "block_create", result: .number32, [.u64("codec"), .input("data")]),
        SyscallRow(
            .ipldBlockLinkV4, "ipld", "block_link", result: .number32,
            [.u32("block"), .u64("hash code"), .u32("hash length"), .output("cid")]),
        SyscallRow(.selfRootV4, "self", "root", result: .number32, [.output("cid")]),
        SyscallRow(.selfSetRootV4, "self", "set_root", [.cid("cid")]),
        SyscallRow(.cryptoVerifyPostV4, "crypto", "verify_post", result: .number32, [.input("info")]),
        SyscallRow(.debugLogV4, "debug", "log", [.input("text")]),
        SyscallRow(.selfSelfDestructV4, "self", "self_destruct", [.u32("burn")]),
        SyscallRow(.eventEmitEventV4, "event", "emit_event", [.input("entries"), .input("keys"), .input("values")]),
        SyscallRow(.randGetChainRandomnessV4, "rand", "get_chain_randomness", result: .digest, [.u64("epoch")]),
        SyscallRow(.randGetBeaconRandomnessV4, "rand", "get_beacon_randomness", result: .digest, [.u64("epoch")]),
        SyscallRow(
            .cryptoVerifyBlsAggregate, "crypto", "verify_bls_aggregate", result: .number32,
            [.u32("count"), .fixed("signature", bytes: 96), .array("keys"), .array("texts"), .array("lengths")]),
    ]
}
