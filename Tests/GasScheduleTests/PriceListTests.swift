import GasSchedule
import Glibc
import JSON
import Primitives
import TestSupport
import Testing

/// The shared price lists, or nil (said on stderr) without shared data.
private func prices() throws -> JSONValue? {
    guard let path = sharedData("fvm/prices.json") else { return nil }
    let file = try #require(fopen(path, "rb"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return try JSON.parse(bytes)
}

/// Sizes and counts that reach flat parts, steps, slopes and saturation.
private let samples: [UInt64] = [
    0, 1, 2, 3, 4, 5, 6, 7, 13, 17, 26, 33, 52, 103, 205, 410, 1_000, 65_536, 1 << 20, 1 << 40, 1 << 63, .max,
]

/// A charge as the product makes it, for the named arguments of `prices.json`.
private func charge(_ name: String, _ list: PriceList, _ a: UInt64, _ b: UInt64) -> GasCharge? {
    switch name {
    case "none": list.implicitMessage
    case "OnChainMessage": list.onChainMessage(size: a)
    case "OnValueTransfer": list.onValueTransfer()
    case "OnMethodInvocation": list.onMethodInvocation(parameterLinks: a)
    case "OnChainReturnValue": list.onChainReturnValue(size: b)
    case "OnReturnValue": list.onReturnValue(links: b)
    case "OnSyscall": list.onSyscall()
    case "OnCreateActor": list.onCreateActor(newAddress: a != 0)
    case "OnDeleteActor": list.onDeleteActor()
    case "OnRecoverSecpPublicKey": list.onRecoverSecpPublicKey()
    case "OnVerifyBlsAggregateSignature": list.onVerifyBlsAggregate(signatures: a, textSize: b)
    case "OnComputeUnsealedSectorCid": list.onComputeUnsealedSectorCid()
    case "OnVerifySeal": list.onVerifySeal()
    case "OnVerifyReplicaUpdate": list.onVerifyReplicaUpdate()
    case "OnVerifyConsensusFault": list.onVerifyConsensusFault()
    case "OnGetRandomness": list.onGetRandomness(lookback: Int64(bitPattern: a), entropySize: a)
    case "OnBlockOpenBase": list.onBlockOpenBase()
    case "OnBlockOpenPerByte": list.onBlockOpen(size: a, links: 0)
    case "OnBlockOpen": list.onBlockOpen(size: a, links: b)
    case "OnBlockRead": list.onBlockRead(size: a)
    case "OnBlockCreate": list.onBlockCreate(size: a, links: b)
    case "OnBlockStat": list.onBlockStat()
    case "OnActorLookup": list.onActorLookup()
    case "OnActorUpdate": list.onActorUpdate()
    case "OnActorGetRoot": list.onActorGetRoot()
    case "OnActorSetRoot": list.onActorSetRoot()
    case "OnSelfBalance": list.onSelfBalance()
    case "OnBalanceOf": list.onBalanceOf()
    case "OnResolveAddress": list.onResolveAddress()
    case "OnLookupAddress": list.onLookupDelegatedAddress()
    case "OnGetActorCodeCid": list.onGetActorCodeCid()
    case "OnGetBuiltinActorType": list.onGetBuiltinActorType()
    case "OnGetCodeCidForType": list.onGetCodeCidForType()
    case "OnTipsetCid": list.onTipsetCid(lookback: Int64(bitPattern: a))
    case "OnNetworkContext": list.onNetworkContext()
    case "OnMessageContext": list.onMessageContext()
    case "OnScanIpldLinks":
        list.onScanIpldLinks(
            used: list.ipldScanPerField.multipliedSaturating(by: a)
                .addingSaturating(list.ipldScanPerCid.multipliedSaturating(by: b)))
    case "OnActorEventValidate": list.onActorEventValidate(size: a)
    case "OnActorEventAccept": list.onActorEventAccept(size: a, indexedElements: b, indexedBytes: b)
    case "OnActorEvent": list.onActorEvent(entries: a, keySize: b, valueSize: b)
    case "wasm_table_init": list.wasmTableInit(elements: UInt32(clamping: a))
    case "wasm_memory_init": list.wasmMemoryInit(pages: UInt32(clamping: a))
    default: nil
    }
}

/// Charges whose first argument is a name rather than a number, tested on their own.
private let keyed: Set<String> = [
    "OnVerifySignature", "OnHashing", "OnVerifyAggregateSeals", "OnVerifyPost", "OnBlockLink",
]

/// Charges of the file that a machine makes elsewhere or that nothing makes.
private let notInTheList: Set<String> = [
    "OnActorCreate", "OnInstallActor", "OnUtf8Validation", "wasm_exec", "wasm_memory_grow", "<actor supplied>",
]

struct PriceListTests {
    @Test(arguments: PriceListID.allCases)
    func everyChargeEqualsItsPublishedFormula(_ id: PriceListID) throws {
        guard let file = try prices() else { return }
        let source = try #require(file["lists"]?[id.rawValue])
        let list = PriceList.named(id)
        var compared = 0
        for entry in try #require(source["charges"]?.array) {
            let name = try #require(entry["name"]?.string)
            if keyed.contains(name) || notInTheList.contains(name) { continue }
            let names = try #require(entry["args"]?.array).compactMap(\.string)
            for a in samples {
                for b in samples {
                    var values = [a, b, b]
                    if name == "wasm_table_init" { values[0] = UInt64(UInt32(clamping: a)) }
                    if name == "wasm_memory_init" { values[0] = UInt64(UInt32(clamping: a)) * 65_536 }
                    // A lookback is signed in the reference; its comparison is, too.
                    if name == "OnTipsetCid" && Int64(bitPattern: a) < 0 { continue }
                    let arguments = Dictionary(
                        uniqueKeysWithValues: zip(names, values.map { PriceFormula.Value.number($0) }))
                    let formula = PriceFormula(
                        constants: try #require(source["constants"]),
                        nonGasConstants: try #require(source["non_gas_constants"]), arguments: arguments)
                    let charged = charge(name, list, a, b)
                    let made = try #require(charged, "\(name) is not made")
                    #expect(made.name == name)
                    #expect(made.compute == (try formula.evaluate(try #require(entry["compute"]?.string))))
                    #expect(made.other == (try formula.evaluate(try #require(entry["other"]?.string))))
                    compared += 1
                }
            }
        }
        #expect(compared > 10_000)
    }

    @Test(arguments: PriceListID.allCases)
    func chargesByKindEqualTheirPublishedFormulas(_ id: PriceListID) throws {
        guard let file = try prices() else { return }
        let source = try #require(file["lists"]?[id.rawValue])
        let list = PriceList.named(id)
        let hashes: [(String, HashFunction)] = [
            ("Sha2_256", .sha2256), ("Blake2b256", .blake2b256), ("Blake2b512", .blake2b512),
            ("Keccak256", .keccak256), ("Ripemd160", .ripemd160),
        ]
        let seals: [(String, Int64)] = [
            ("StackedDRG2KiBV1", 0), ("StackedDRG32GiBV1P1", 8), ("StackedDRG64GiBV1P1", 9),
            ("StackedDRG32GiBV1P2_Feat_NiPoRep", 18), ("StackedDRG64GiBV1P2_Feat_NiPoRep", 19), ("unknown", -1),
        ]
        let posts = ["StackedDRGWindow512MiBV1", "StackedDRGWindow32GiBV1P1", "StackedDRGWindow64GiBV1", "unknown"]
        func expect(_ made: GasCharge, _ key: (name: String, value: String), _ n: (name: String, value: UInt64)) throws
        {
            let entry = try #require(source["charges"]?.array?.first { $0["name"]?.string == made.name })
            let formula = PriceFormula(
                constants: try #require(source["constants"]),
                nonGasConstants: try #require(source["non_gas_constants"]),
                arguments: [key.name: .name(key.value), n.name: .number(n.value)])
            #expect(made.compute == (try formula.evaluate(try #require(entry["compute"]?.string))))
            #expect(made.other == (try formula.evaluate(try #require(entry["other"]?.string))))
        }
        for n in samples {
            for (name, function) in hashes {
                try expect(list.onHashing(function, size: n), ("hasher", name), ("data_len", n))
                try expect(list.onBlockLink(function, size: n), ("hasher", name), ("size", n))
            }
            try expect(
                list.onVerifySignature(.secp256k1, textSize: n), ("sig_type", "Secp256k1"), ("data_len", n))
            try expect(list.onVerifySignature(.bls, textSize: n), ("sig_type", "BLS"), ("data_len", n))
            for (name, type) in seals {
                try expect(
                    list.onVerifyAggregateSeals(proofType: type, count: n), ("seal_proof", name), ("n", n))
            }
            for name in posts { try expect(list.onVerifyPost(sectors: n), ("post_proof", name), ("n", n)) }
        }
    }

    @Test(arguments: PriceListID.allCases)
    func windowPoStPricesAreTheSameForEveryType(_ id: PriceListID) throws {
        guard let file = try prices() else { return }
        let rows = try #require(file["lists"]?[id.rawValue]?["constants"]?["verify_post_lookup"]?.members)
        #expect(Set(rows.map(\.value)).count == 1)
    }

    @Test(arguments: PriceListID.allCases)
    func instructionPricesAreThePublishedOnes(_ id: PriceListID) throws {
        guard let file = try prices() else { return }
        let rules = try #require(file["lists"]?[id.rawValue]?["constants"]?["wasm_rules"])
        func rule(_ name: String) -> UInt64? { rules[name]?.integer(UInt64.self) }
        let wasm = PriceList.named(id).wasm
        #expect(wasm.instruction == rule("instruction_default"))
        #expect(wasm.math == rule("math_default"))
        #expect(wasm.jumpUnconditional == rule("jump_unconditional"))
        #expect(wasm.jumpConditional == rule("jump_conditional"))
        #expect(wasm.jumpIndirect == rule("jump_indirect"))
        #expect(wasm.call == rule("call"))
        #expect(wasm.memoryFillBase == rule("memory_fill_base_cost"))
        #expect(wasm.memoryAccess == rule("memory_access_cost"))
        #expect(wasm.memoryCopyPerByte == rule("memory_copy_per_byte_cost"))
        #expect(wasm.memoryFillPerByte == rule("memory_fill_per_byte_cost"))
        #expect(wasm.memoryGrowPerPage == 26_214_400)
        #expect(wasm.tableFillPerElement == 3_200)
        #expect(wasm.tableCopyPerElement == 3_200)
    }

    @Test func growthOfMemoryTakesAtMostWhatWasExecuted() {
        let list = PriceList.hygge
        #expect(list.memoryGrowth(within: 30_000_000, growth: 65_536) == 26_214_400)
        #expect(list.memoryGrowth(within: 1_000, growth: 65_536) == 1_000)
        #expect(list.memoryGrowth(within: 1_000, growth: 0) == 0)
        #expect(list.memoryGrowth(within: .max, growth: .max) == .max)
    }
}
