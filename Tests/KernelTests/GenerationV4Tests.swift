import Crypto
import GasSchedule
import IPLD
import Primitives
import StateTree
import Syscalls
import Testing

@testable import Kernel

/// What means something else, or exists only, from network version 21 on.
struct GenerationV4Tests {
    private func bench(readOnly: Bool = false, _ prepare: (FakeCalls) -> Void = { _ in }) throws -> SyscallBench {
        try SyscallBench(readOnly: readOnly, network: 21, prepare)
    }

    /// A list of links.
    private func links(_ cids: [Cid]) -> [UInt8] {
        Baseline.cbor {
            $0.array(cids.count)
            for cid in cids { $0.link(cid) }
        }
    }

    // MARK: Reachability

    @Test func onlyWhatIsReachableIsOpenedLinkedToOrSetAsRoot() throws {
        let bench = try bench()
        let closed = bench.call(.ipldBlockOpenV4, .input(Sample.block.bytes))
        #expect(closed.error == .notFound && closed.charges == ["OnBlockOpenBase"])
        #expect(closed.gas == 14_000_000 + 300_000 + 187_440_000)
        let made = bench.call(.ipldBlockCreateV4, .number(0x71), .input(links([Sample.block])))
        #expect(made.error == .notFound && made.charges == ["OnScanIpldLinks", "OnBlockCreate"])
        let set = bench.call(.selfSetRootV4, .input(Sample.block.bytes))
        #expect(set.error == .notFound && set.charges == ["OnActorSetRoot"])
        #expect(bench.calls.actors[100]?.state == Sample.root)

        // The parameters' links are reachable, and so is what lies behind them once it is opened.
        let outer = links([Sample.block, Sample.block])
        let cid = Cid.blake2b256(codec: 0x71, data: outer)
        bench.calls.blocks[cid] = outer
        _ = try bench.kernel.registry.insertReachable(Block(codec: 0x71, data: links([cid]), links: [cid]))
        #expect(bench.call(.ipldBlockOpenV4, .input(Sample.block.bytes)).error == .notFound)
        let opened = bench.call(.ipldBlockOpenV4, .input(cid.bytes))
        #expect(opened.isSuccess && opened.charges == ["OnBlockOpenBase", "OnScanIpldLinks", "OnBlockOpen"])
        // Three items and two links; two links tracked, one per occurrence.
        #expect(
            bench.calls.charges.suffix(2) == [
                GasCharge("OnScanIpldLinks", compute: 3 * 35_000 + 2 * 400_000),
                GasCharge("OnBlockOpen", compute: 600_000, other: 10_000 * UInt64(outer.count) - 600_000),
            ])
        #expect(bench.call(.ipldBlockOpenV4, .input(Sample.block.bytes)).isSuccess)
        #expect(bench.call(.ipldBlockCreateV4, .number(0x71), .input(links([Sample.block]))).isSuccess)
        #expect(bench.call(.selfSetRootV4, .input(Sample.block.bytes)).isSuccess)
        #expect(bench.calls.actors[100]?.state == Sample.block)
    }

    @Test func theRootAndLinkedBlocksBecomeReachable() throws {
        let bench = try bench { $0.blocks[Sample.root] = [0x80] }
        #expect(bench.call(.ipldBlockOpenV4, .input(Sample.root.bytes)).error == .notFound)
        let root = bench.call(.selfRootV4, .output(38))
        #expect(root.isSuccess && root.gas == 14_000_000 + 300_000)
        #expect(bench.call(.ipldBlockOpenV4, .input(Sample.root.bytes)).isSuccess)

        #expect(bench.call(.ipldBlockCreateV4, .number(0x55), .input([7])).isSuccess)
        let handle = UInt64(bench.result(0, UInt32.self))
        let linked = bench.call(.ipldBlockLinkV4, .number(handle), .number(0xB220), .number(32), .output(38))
        #expect(linked.isSuccess && linked.gas == 14_000_000 + 506_300_000 + 3_352_400)
        let cid = Cid.blake2b256(codec: 0x55, data: [7])
        #expect(bench.call(.selfSetRootV4, .input(cid.bytes)).isSuccess)
        let ipld = bench.calls.recording.events.filter { if case .ipld = $0 { true } else { false } }
        #expect(ipld == [.ipld(.get, Sample.root, size: 1), .ipld(.put, cid, size: 1)])
    }

    @Test func returnsOfSendsBringTheirLinks() throws {
        let bench = try bench()
        bench.calls.sendResult = .success(
            CallOutcome(exitCode: .ok, block: Block(codec: 0x71, data: links([Sample.block]), links: [Sample.block])))
        let sent = bench.call(
            .sendSend, .input(Address.id(1002).bytes), .number(6), .number(0), .number(0), .number(0), .number(.max),
            .number(0))
        #expect(sent.isSuccess)
        #expect(bench.call(.ipldBlockOpenV4, .input(Sample.block.bytes)).isSuccess)
    }

    @Test func codecsAreLookedAtBeforeAnythingIsPaid() throws {
        let bench = try bench()
        let refused = bench.call(.ipldBlockCreateV4, .number(0x70), .input([1]))
        #expect(refused.error == .illegalCodec && refused.charges.isEmpty)
        for codec in [UInt64(0x55), 0x51] {
            let made = bench.call(.ipldBlockCreateV4, .number(codec), .input([0xFF]))
            #expect(made.isSuccess && made.gas == 14_000_000 + 10_000)
        }
    }

    @Test func theScanIsStrictAboutWhatItReads() throws {
        let bench = try bench()
        let identity = try Cid(codec: 0x71, hashCode: Cid.identity, digest: links([Sample.block]))
        let commitment = try Cid(codec: 0xF101, hashCode: 0x1012, digest: [UInt8](repeating: 1, count: 32))
        let cases: [([UInt8], ErrorNumber?)] = [
            ([0x80], nil), ([0x18, 0], nil), ([0xC1, 0], nil), ([0xF7], nil), ([0xFB, 0, 0, 0, 0, 0, 0, 0, 0], nil),
            (links([commitment]), nil), ([0x61, 0xFF], nil),
            ([], .serialization), ([0x80, 0], .serialization), ([0x81], .serialization), ([0x1C], .serialization),
            ([0x9F, 0xFF], .serialization), ([0x42, 1], .serialization), ([0xD8, 42, 0], .serialization),
            ([0xD8, 42, 0x40], .serialization), ([0xD8, 42, 0x41, 1], .serialization),
            ([0xD8, 42, 0x58, 40, 0] + Sample.block.bytes + [0], .serialization),
            ([0xBB, 255, 255, 255, 255, 255, 255, 255, 255], .serialization),
            (links([Cid.blake2b256(codec: 0x70, data: [])]), .notFound),
            (links([try Cid(codec: 0x71, hashCode: 0x12, digest: [UInt8](repeating: 1, count: 32))]), .notFound),
            (links([identity]), .notFound),
        ]
        for (bytes, expected) in cases {
            let outcome = bench.call(.ipldBlockCreateV4, .number(0x71), .input(bytes))
            #expect(outcome.error == expected, "\(bytes)")
            // What the scan used is paid also when it fails.
            #expect(outcome.charges.first == "OnScanIpldLinks")
            #expect(outcome.gas >= 14_000_000 + 35_000)
        }
        bench.kernel.registry.makeReachable(Sample.block)
        #expect(bench.call(.ipldBlockCreateV4, .number(0x71), .input(links([identity]))).isSuccess)
    }

    @Test func aScanThatCannotBePaidTakesAllGas() throws {
        let bench = try bench()
        try bench.calls.gas.charge(GasCharge("test", compute: bench.calls.gas.available - 14_000_000 - 80_000))
        bench.guest.counter = bench.kernel.update()
        let outcome = bench.call(.ipldBlockCreateV4, .number(0x71), .input([0x83, 0, 0, 0]))
        #expect(outcome.end == .outOfGas && bench.calls.gas.available == 0)
        #expect(bench.calls.charges.last == GasCharge("OnScanIpldLinks", compute: 80_000))
    }

    // MARK: Self-destruct

    @Test func selfDestructBurnsOrDemandsThatNothingIsLeft() throws {
        let bench = try bench()
        let refused = bench.call(.selfSelfDestructV4, .number(0))
        #expect(refused.error == .illegalOperation && refused.charges == ["OnDeleteActor", "OnSelfBalance"])
        #expect(bench.call(.selfSelfDestructV4, .number(1)).isSuccess)
        #expect(bench.calls.log == ["transfer 50 from 100 to 99", "delete 100"])
        #expect(bench.call(.selfSelfDestructV4, .number(0)).isSuccess)
        #expect(try self.bench(readOnly: true).call(.selfSelfDestructV4, .number(1)).error == .readOnly)
    }

    @Test func readOnlyCallsSetNoRootAndUnknownAddressesAreNotFound() throws {
        let readOnly = try bench(readOnly: true)
        let set = readOnly.call(.selfSetRootV4, .input(Sample.root.bytes))
        #expect(set.error == .readOnly && set.charges.isEmpty)
        let unknown = try Address(bytes: [2] + [UInt8](repeating: 6, count: 20))
        let resolved = readOnly.call(.actorResolveAddress, .input(unknown.bytes))
        #expect(resolved.error == .notFound && resolved.charges == ["OnResolveAddress"])
    }

    @Test(arguments: [ExecutionError.outOfGas, .syscall(.notFound, "no f099"), .fatal("x")])
    func whateverGoesWrongWithTheBurnIsFatal(_ error: ExecutionError) throws {
        let bench = try bench { $0.transferError = error }
        guard case .fatal = bench.call(.selfSelfDestructV4, .number(1)).end else {
            Issue.record("\(error) was not fatal")
            return
        }
    }

    // MARK: Randomness

    @Test func randomnessIsTheDigestPricedByItsLookback() throws {
        let bench = try bench()
        for (syscall, byte) in [(Syscall.randGetChainRandomnessV4, UInt8(1)), (.randGetBeaconRandomnessV4, 2)] {
            let outcome = bench.call(syscall, .number(990))
            #expect(outcome.isSuccess && outcome.gas == 14_000_000 + 146_200_000 + 10 * 75_000)
            #expect(bench.resultBytes(32) == [UInt8](repeating: byte, count: 32))
        }
        #expect(bench.call(.randGetChainRandomnessV4, .number(UInt64(bitPattern: -5))).isSuccess, "priced, not refused")
        // 1000 − min overflows.
        let far = bench.call(.randGetChainRandomnessV4, .number(1 << 63))
        #expect(far.error == .illegalArgument && far.charges.isEmpty)
        bench.calls.fakeExterns.failure = .refused("unknown")
        let refused = bench.call(.randGetChainRandomnessV4, .number(990))
        #expect(refused.error == .illegalArgument && refused.charges == ["OnGetRandomness"])
        #expect(bench.call(.randGetBeaconRandomnessV4, .number(1001)).end == .outOfGas, "a future epoch")
    }

    @Test func tipsetsAreFoundAtAnyLookback() throws {
        let bench = try bench()
        let outcome = bench.call(.networkTipsetCid, .number(1), .output(38))
        #expect(outcome.isSuccess && outcome.gas == 14_000_000 + 146_200_000 + 999 * 75_000)
    }

    // MARK: Events

    private func entry(_ key: Int, _ value: Int, flags: UInt64 = 3, codec: UInt64 = 0x55) -> [UInt8] {
        [flags, codec].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
            + [key, value].flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    private func emit(
        _ bench: SyscallBench, _ entries: [[UInt8]], _ keys: [UInt8], _ values: [UInt8], count: UInt64? = nil
    ) -> SyscallBench.Outcome {
        var raw = bench.place(.eventEmitEventV4, [.input(entries.flatMap { $0 }), .input(keys), .input(values)])
        raw[1] = count ?? UInt64(entries.count)
        return bench.raw(.eventEmitEventV4, raw)
    }

    @Test func eventsComeInThreeBuffers() throws {
        let bench = try bench()
        let keys = Array("k1ü".utf8)
        let outcome = emit(bench, [entry(2, 3), entry(2, 0, flags: 0, codec: 0x51)], keys, [7, 8, 9])
        #expect(outcome.isSuccess && outcome.charges == ["OnActorEvent"])
        let size = UInt64(12 + 9 * 2 + 4 + 3)
        #expect(outcome.gas == 14_000_000 + 2_500_000 + 2 * 1_400_000 + 4 * 16_000 + size * 17_200)
        #expect(
            bench.calls.events == [
                ActorEvent(
                    emitter: 100,
                    entries: [
                        .init(flags: 3, key: Array("k1".utf8), codec: 0x55, value: [7, 8, 9]),
                        .init(flags: 0, key: Array("ü".utf8), codec: 0x51, value: []),
                    ])
            ])
        #expect(emit(bench, [], [], []).isSuccess)
    }

    @Test func eventsAreRefusedForEachRule() throws {
        let bench = try SyscallBench(memorySize: 1 << 20, network: 21)
        let key = [UInt8](repeating: 0x61, count: 40)
        let cases: [([[UInt8]], [UInt8], [UInt8], ErrorNumber)] = [
            ([entry(1, 0, flags: 4)], [0x61], [], .illegalArgument),
            ([entry(32, 0)], Array(key.prefix(32)), [], .limitExceeded),
            ([entry(0, 8193)], [], [1], .illegalArgument),
            ([entry(2, 0)], [0x61], [], .illegalArgument), ([entry(1, 2)], [0x61], [1], .illegalArgument),
            ([entry(1, 0), entry(1, 0)], Array("ü".utf8), [], .illegalArgument),
            ([entry(1, 0, codec: 0x71)], [0x61], [], .illegalCodec),
            ([entry(1, 1)], [0x61, 0x61], [1], .illegalArgument), ([entry(1, 1)], [0x61], [1, 2], .illegalArgument),
            ([entry(1, 0)], [0xFF], [], .illegalArgument),
        ]
        for (entries, keys, values, error) in cases {
            let outcome = emit(bench, entries, keys, values)
            #expect(outcome.error == error && outcome.charges == ["OnActorEvent"], "\(entries) \(keys) \(values)")
        }
        #expect(emit(bench, [entry(31, 0)], Array(key.prefix(31)), []).isSuccess)
        let many = bench.raw(.eventEmitEventV4, [1024, 256, 0, 0, 0, 0])
        #expect(many.error == .limitExceeded && many.charges == ["OnActorEvent"])
        let long = bench.raw(.eventEmitEventV4, [1024, 0, 0, 0, 0, 8193])
        #expect(long.error == .limitExceeded && long.charges == ["OnActorEvent"])
        // 24 bytes each: the table has no end in 32 bits.
        let endless = bench.raw(.eventEmitEventV4, [0, 1 << 28, 0, 0, 0, 0])
        #expect(endless.error == .illegalArgument && endless.charges.isEmpty)
        #expect(bench.calls.events.count == 1)
        #expect(try emit(self.bench(readOnly: true), [], [], []).error == .readOnly)
    }

    // MARK: Aggregates

    @Test func noSignatureAtAllIsValidAndBadOnesAreNot() throws {
        let bench = try bench()
        func verify(_ count: UInt64, lengths: [UInt8] = []) -> SyscallBench.Outcome {
            bench.guest.write(lengths, at: 8000)
            return bench.raw(.cryptoVerifyBlsAggregate, [64, count, 1024, 2048, 4096, 8000])
        }
        bench.guest.write([UInt8](repeating: 0xFF, count: 96), at: 1024)
        let none = verify(0)
        #expect(none.isSuccess && none.gas == 14_000_000 + 8_299_302_000)
        #expect(bench.result(0, Int32.self) == 0)
        let one = verify(1, lengths: [3, 0, 0, 0])
        #expect(one.isSuccess && one.gas == 14_000_000 + 2 * 8_299_302_000 + 3 * 7_000)
        #expect(bench.result(0, Int32.self) == -1)
        for count in [UInt64(89_478_486), UInt64(UInt32.max), 2000] {
            let refused = verify(count)
            #expect(refused.error == .illegalArgument && refused.charges.isEmpty, "\(count)")
        }
        // 2^32 + 2 bytes look like 2 until they are to be tiled.
        let wrapped = verify(2, lengths: [1, 0, 0, 0x80, 1, 0, 0, 0x80])
        #expect(wrapped.error == .illegalArgument && wrapped.charges == ["OnVerifyBlsAggregateSignature"])
    }

    // MARK: Debugging

    /// No recorded vector has debugging on: the reference appends the text to its trace (ref-fvm 4 `debug::log`).
    @Test func logLinesStandInTheTraceInTheirPlace() throws {
        let bench = try bench { $0.network.actorDebugging = true }
        #expect(bench.call(.debugLogV4, .input(Array("ü".utf8))).isSuccess)
        #expect(bench.call(.debugLogV4, .input([0xFF])).error == .illegalArgument)
        let shape = bench.calls.recording.events.prefix(4).map { event in
            switch event {
            case .charge(let charge): charge.name
            case .log(let text): "log \(text)"
            default: "other"
            }
        }
        #expect(shape == ["wasm_exec", "OnSyscall", "log ü", "wasm_exec"])
        #expect(bench.calls.fakeExterns.logged == ["100: ü"])
        let off = try self.bench()
        #expect(off.raw(.debugLogV4, [UInt64(UInt32.max), UInt64(UInt32.max)]).isSuccess)
    }

    // MARK: Proofs

    @Test func theCalibrationNetworksMistakeIsV3sAlone() throws {
        for (version, syscall, seen) in [
            (UInt32(18), Syscall.cryptoVerifyPostV3, Int64(8)), (21, .cryptoVerifyPostV4, 13),
        ] {
            let verifier = WatchingProofs()
            let bench = try SyscallBench(network: version) {
                $0.network.chainID = 314_159
                $0.network.epoch = 498_691
                $0.fakeExterns.proofs = NodeProofs(verifier: verifier)
            }
            var post = Baseline.post
            // The proof's type is the only 8 behind an array of two.
            let place = try #require(post.indices.dropLast().first { post[$0] == 0x82 && post[$0 + 1] == 8 })
            post[place + 1] = 13
            #expect(bench.call(syscall, .input(post)).isSuccess)
            #expect(verifier.types == [seen])
        }
    }

    @Test func nonInteractiveSealsHaveSectors() throws {
        let outcome = try bench().call(
            .cryptoComputeUnsealedSectorCid, .number(15), .input(Baseline.pieces), .output(41))
        #expect(outcome.isSuccess)
    }
}

/// Notes the types of the proofs it is shown.
private final class WatchingProofs: ProofVerifier, @unchecked Sendable {
    // One test's, on one thread.
    private(set) var types: [Int64] = []

    func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool {
        types += info.proofs.map(\.type)
        return true
    }
    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool { true }
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool { true }
    func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool { true }
}
