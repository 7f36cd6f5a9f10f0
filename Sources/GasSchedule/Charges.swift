// The charges of a price list: names as traces show them, amounts composed from the list's constants.
// Formulas: ref-fvm `PriceList` methods. Sizes are bytes.

import Primitives

/// Facts that charges use and that are no prices (ref-fvm `non_gas_constants`).
public enum ChargeConstants {
    /// Bytes hashed for randomness besides the entropy.
    public static let randomnessHashBytes: UInt64 = 48
    /// Bytes that an event's emitter and framing add to it.
    public static let eventStampBytes: UInt64 = 12
    /// Bytes an event entry adds to its key and value.
    public static let eventEntryBytes: UInt64 = 9
    /// Actors that count as updated from the start of a message.
    public static let preloadedActors: [UInt64] = [0, 1, 2, 3, 4, 5, 6, 7, 10, 99]
}

// MARK: Messages and calls

extension PriceList {
    /// Takes the place of `onChainMessage` for implicit messages.
    public var implicitMessage: GasCharge { GasCharge("none") }

    /// Inclusion of a message of `size` bytes as it stands on chain.
    public func onChainMessage(size: UInt64) -> GasCharge {
        GasCharge(
            "OnChainMessage", compute: onChainMessageCompute.apply(size),
            other: actorUpdate.addingSaturating(onChainMessageStorage.apply(size)))
    }

    /// The return block of the message itself.
    public func onChainReturnValue(size: UInt64) -> GasCharge {
        GasCharge(
            "OnChainReturnValue", compute: onChainReturnCompute.apply(size),
            other: onChainReturnStorage.apply(size))
    }

    /// The return block of a nested call, where those are charged.
    public func onReturnValue(links: UInt64) -> GasCharge {
        GasCharge("OnReturnValue", compute: ipldLinkTracked.multipliedSaturating(by: links))
    }

    /// A call with a value, before the transfer.
    public func onValueTransfer() -> GasCharge { GasCharge("OnValueTransfer", compute: sendTransferFunds) }

    /// A call that runs code; `parameterLinks` are links of its parameter block.
    public func onMethodInvocation(parameterLinks: UInt64) -> GasCharge {
        GasCharge(
            "OnMethodInvocation",
            compute: sendInvokeMethod.addingSaturating(ipldLinkTracked.multipliedSaturating(by: parameterLinks)))
    }

    /// Every syscall, before its own charges.
    public func onSyscall() -> GasCharge { GasCharge("OnSyscall", compute: hostCall) }

    /// An actor the caller named itself; an actor created by a send also gets an address.
    public func onCreateActor(newAddress: Bool) -> GasCharge {
        let address = newAddress ? addressAssignment.addingSaturating(addressLookup) : 0
        return GasCharge("OnCreateActor", other: actorCreateStorage.addingSaturating(address))
    }

    /// `self::self_destruct`; free.
    public func onDeleteActor() -> GasCharge { GasCharge("OnDeleteActor") }
    /// The first look at an actor in a message.
    public func onActorLookup() -> GasCharge { GasCharge("OnActorLookup", other: actorLookup) }
    /// The first write of an actor in a message.
    public func onActorUpdate() -> GasCharge { GasCharge("OnActorUpdate", other: actorUpdate) }
    /// A look into the address map; free.
    public func onResolveAddress() -> GasCharge { GasCharge("OnResolveAddress") }
}

// MARK: Instances

extension PriceList {
    /// The initial elements of a table exported as `table`.
    public func wasmTableInit(elements: UInt32) -> GasCharge {
        let bytes = UInt64(elements).multipliedSaturating(by: WasmPrices.tableElementSize)
        return GasCharge("wasm_table_init", compute: memoryFill(bytes))
    }

    /// The initial pages of the exported memory.
    public func wasmMemoryInit(pages: UInt32) -> GasCharge {
        GasCharge(
            "wasm_memory_init", compute: memoryFill(UInt64(pages).multipliedSaturating(by: WasmPrices.pageSize)))
    }

    /// The part of `executed` milligas that paid for growth of memory by `growth` bytes.
    public func memoryGrowth(within executed: UInt64, growth: UInt64) -> UInt64 {
        min(executed, memoryFill(growth))
    }

    private func memoryFill(_ bytes: UInt64) -> UInt64 {
        wasm.memoryFillBase.addingSaturating(wasm.memoryFillPerByte.multipliedSaturating(by: bytes))
    }
}

// MARK: Cryptography and proofs

extension PriceList {
    /// The price of hashing by a function.
    public func hashing(_ function: HashFunction) -> LinearCost {
        switch function {
        case .sha2256: sha2256
        case .keccak256: keccak256
        case .ripemd160: ripemd160
        case .blake2b256: blake2b256
        case .blake2b512: blake2b512
        }
    }

    /// `crypto::hash` over `size` bytes.
    public func onHashing(_ function: HashFunction, size: UInt64) -> GasCharge {
        GasCharge("OnHashing", compute: hashing(function).apply(size))
    }

    /// `crypto::verify_signature` over `textSize` bytes.
    public func onVerifySignature(_ type: SignatureType, textSize: UInt64) -> GasCharge {
        let cost =
            switch type {
            case .secp256k1: secp256k1Signature
            case .bls: blsSignature
            }
        return GasCharge("OnVerifySignature", compute: cost.apply(textSize))
    }

    /// `crypto::recover_secp_public_key`.
    public func onRecoverSecpPublicKey() -> GasCharge {
        GasCharge("OnRecoverSecpPublicKey", compute: secp256k1Recover)
    }

    /// `crypto::verify_bls_aggregate` over texts of `textSize` bytes together.
    public func onVerifyBlsAggregate(signatures: UInt64, textSize: UInt64) -> GasCharge {
        let pairings = blsPairing.multipliedSaturating(by: signatures.addingSaturating(1))
        return GasCharge(
            "OnVerifyBlsAggregateSignature", compute: pairings.addingSaturating(blsHashing.apply(textSize)))
    }

    /// `crypto::compute_unsealed_sector_cid`.
    public func onComputeUnsealedSectorCid() -> GasCharge {
        GasCharge("OnComputeUnsealedSectorCid", compute: computeUnsealedSectorCid)
    }

    /// One element of a batch of seals.
    public func onVerifySeal() -> GasCharge { GasCharge("OnVerifySeal", compute: verifySeal) }

    /// An aggregate of `count` seals of a registered proof type; unlisted types cost what the first row says.
    public func onVerifyAggregateSeals(proofType: Int64, count: UInt64) -> GasCharge {
        let row = verifyAggregateSeal.first { $0.proof.rawValue == proofType } ?? verifyAggregateSeal.first
        let cost = row.map { $0.perSector.multipliedSaturating(by: count).addingSaturating($0.steps.lookup(count)) }
        return GasCharge("OnVerifyAggregateSeals", compute: cost ?? 0)
    }

    /// `crypto::verify_replica_update`.
    public func onVerifyReplicaUpdate() -> GasCharge {
        GasCharge("OnVerifyReplicaUpdate", compute: verifyReplicaUpdate)
    }

    /// `crypto::verify_post` with so many challenged sectors.
    public func onVerifyPost(sectors: UInt64) -> GasCharge {
        GasCharge("OnVerifyPost", compute: verifyPost.apply(sectors))
    }

    /// `crypto::verify_consensus_fault`.
    public func onVerifyConsensusFault() -> GasCharge {
        GasCharge("OnVerifyConsensusFault", other: verifyConsensusFault)
    }
}

// MARK: Blocks

extension PriceList {
    private func copyAndAllocate(_ size: UInt64) -> UInt64 {
        blockMemcpy.apply(size).addingSaturating(blockAllocate.apply(size))
    }

    /// `ipld::block_open` before the block is fetched.
    public func onBlockOpenBase() -> GasCharge {
        GasCharge("OnBlockOpenBase", compute: ipldLinkChecked, other: blockOpen.flat)
    }

    /// A block of `size` bytes with `links` links that was fetched.
    public func onBlockOpen(size: UInt64, links: UInt64) -> GasCharge {
        let memory = copyAndAllocate(size)
        let read = blockOpen.scale.multipliedSaturating(by: size)
        let tracked = ipldLinkTracked.multipliedSaturating(by: links)
        let retention = blockMemoryRetentionMinimum.apply(size)
            .subtractingSaturating(tracked.addingSaturating(read).addingSaturating(memory))
        return switch blockOpenForm {
        case .perByte:
            GasCharge("OnBlockOpenPerByte", compute: memory, other: read.addingSaturating(retention))
        case .withLinks:
            GasCharge(
                "OnBlockOpen", compute: tracked,
                other: read.addingSaturating(memory).addingSaturating(retention))
        }
    }

    /// `size` is what is copied.
    public func onBlockRead(size: UInt64) -> GasCharge {
        GasCharge("OnBlockRead", compute: blockMemcpy.apply(size))
    }

    /// `ipld::block_create` of `size` bytes with `links` links.
    public func onBlockCreate(size: UInt64, links: UInt64) -> GasCharge {
        let compute = copyAndAllocate(size).addingSaturating(ipldLinkChecked.multipliedSaturating(by: links))
        return GasCharge(
            "OnBlockCreate", compute: compute,
            other: blockMemoryRetentionMinimum.apply(size).subtractingSaturating(compute))
    }

    /// `ipld::block_link` of `size` bytes.
    public func onBlockLink(_ function: HashFunction, size: UInt64) -> GasCharge {
        GasCharge(
            "OnBlockLink",
            compute: copyAndAllocate(size).addingSaturating(hashing(function).apply(size))
                .addingSaturating(ipldLinkTracked),
            other: blockPersistCompute.addingSaturating(blockPersistStorage.apply(size)))
    }

    /// `ipld::block_stat`; free.
    public func onBlockStat() -> GasCharge { GasCharge("OnBlockStat") }

    /// What a link scan used, milligas.
    public func onScanIpldLinks(used: UInt64) -> GasCharge { GasCharge("OnScanIpldLinks", compute: used) }
}

// MARK: Facts about actors, network and message

extension PriceList {
    /// `self::root`, where reachability is tracked.
    public func onActorGetRoot() -> GasCharge { GasCharge("OnActorGetRoot", compute: ipldLinkTracked) }
    /// `self::set_root`, where reachability is tracked.
    public func onActorSetRoot() -> GasCharge { GasCharge("OnActorSetRoot", compute: ipldLinkChecked) }
    /// `self::current_balance`; free.
    public func onSelfBalance() -> GasCharge { GasCharge("OnSelfBalance") }
    /// `actor::balance_of`; free.
    public func onBalanceOf() -> GasCharge { GasCharge("OnBalanceOf") }
    /// `actor::lookup_delegated_address`; free.
    public func onLookupDelegatedAddress() -> GasCharge { GasCharge("OnLookupAddress") }
    /// `actor::get_actor_code_cid`; free.
    public func onGetActorCodeCid() -> GasCharge { GasCharge("OnGetActorCodeCid") }

    /// `actor::get_builtin_actor_type`.
    public func onGetBuiltinActorType() -> GasCharge {
        GasCharge("OnGetBuiltinActorType", compute: builtinActorManifestLookup)
    }

    /// `actor::get_code_cid_for_type`.
    public func onGetCodeCidForType() -> GasCharge {
        GasCharge("OnGetCodeCidForType", compute: builtinActorManifestLookup)
    }

    /// `network::context`.
    public func onNetworkContext() -> GasCharge { GasCharge("OnNetworkContext", compute: networkContext) }
    /// `vm::message_context`.
    public func onMessageContext() -> GasCharge { GasCharge("OnMessageContext", compute: messageContext) }

    /// `lookback` epochs before the current one.
    public func onTipsetCid(lookback: Int64) -> GasCharge {
        let other =
            switch tipsetCid {
            case .byAge(let latest, let historical): lookback > 1 ? historical : latest
            case .byLookback(let cost): cost.apply(UInt64(bitPattern: lookback))
            }
        return GasCharge("OnTipsetCid", other: other)
    }

    /// Randomness `lookback` epochs before the current one, mixed with `entropySize` bytes; a list looks at
    /// one of the two.
    public func onGetRandomness(lookback: Int64, entropySize: UInt64) -> GasCharge {
        let other =
            switch randomness {
            case .byEntropy(let seed):
                seed.addingSaturating(
                    blake2b256.apply(entropySize.addingSaturating(ChargeConstants.randomnessHashBytes)))
            case .byLookback(let cost): cost.apply(UInt64(bitPattern: lookback))
            }
        return GasCharge("OnGetRandomness", other: other)
    }
}

// MARK: Events

extension PriceList {
    /// An encoded event of `size` bytes, before it is decoded.
    public func onActorEventValidate(size: UInt64) -> GasCharge {
        var validation = LinearCost()
        if case .encoded(let cost, _) = events { validation = cost }
        return GasCharge(
            "OnActorEventValidate", compute: copyAndAllocate(size).addingSaturating(validation.apply(size)))
    }

    /// An encoded event of `size` bytes that was found valid.
    public func onActorEventAccept(size: UInt64, indexedElements: UInt64, indexedBytes: UInt64) -> GasCharge {
        var index = LinearCost()
        if case .encoded(_, let cost) = events { index = cost }
        let stamped = size.addingSaturating(ChargeConstants.eventStampBytes)
        let indexing = index.flat.multipliedSaturating(by: indexedElements)
            .addingSaturating(index.scale.multipliedSaturating(by: indexedBytes))
        let memory = blockMemcpy.apply(stamped).multipliedSaturating(by: 2)
            .addingSaturating(blockAllocate.apply(stamped))
        return GasCharge(
            "OnActorEventAccept", compute: copyAndAllocate(stamped),
            other: indexing.addingSaturating(memory).addingSaturating(blake2b256.apply(stamped)))
    }

    /// An event handed over as entries.
    public func onActorEvent(entries: UInt64, keySize: UInt64, valueSize: UInt64) -> GasCharge {
        var (perEntry, utf8Validation) = (LinearCost(), LinearCost())
        if case .entries(let entry, let validation) = events { (perEntry, utf8Validation) = (entry, validation) }
        let size = ChargeConstants.eventStampBytes
            .addingSaturating(ChargeConstants.eventEntryBytes.multipliedSaturating(by: entries))
            .addingSaturating(keySize).addingSaturating(valueSize)
        let memory = copyAndAllocate(size)
        return GasCharge(
            "OnActorEvent",
            compute: memory.multipliedSaturating(by: 2).addingSaturating(perEntry.apply(entries))
                .addingSaturating(utf8Validation.apply(keySize)),
            other: blake2b256.apply(size).addingSaturating(memory))
    }
}
