import Crypto
import GasSchedule
import IPLD
import Primitives
import Syscalls
import Testing

@testable import Kernel

/// Hashes, signatures, sectors and proofs.
struct CryptoSyscallTests {
    @Test func hashesAreTruncatedToTheBufferAndPricedByFunction() throws {
        let bench = try SyscallBench()
        let prices: [(HashFunction, UInt64)] = [
            (.sha2256, 7_000), (.blake2b256, 10_000), (.blake2b512, 10_000), (.keccak256, 33_000),
            (.ripemd160, 35_000),
        ]
        for (function, price) in prices {
            let outcome = bench.call(.cryptoHash, .number(function.rawValue), .input([1, 2, 3]), .output(100))
            let digest = function.hash([1, 2, 3])
            #expect(outcome.isSuccess && outcome.gas == 14_000_000 + 3 * price)
            #expect(bench.result(0, UInt32.self) == UInt32(digest.count))
            #expect(bench.output(2, digest.count) == digest)
        }
        bench.guest.write([UInt8](repeating: 0, count: 64), at: 1024 + 2 * 4096)
        #expect(bench.call(.cryptoHash, .number(0x12), .input([]), .output(3)).isSuccess)
        #expect(bench.result(0, UInt32.self) == 3)
        #expect(bench.output(2, 4) == [0xE3, 0xB0, 0xC4, 0])
        for code in [UInt64(0), 0x11, 0x1_0000_0012, .max] {
            let refused = bench.call(.cryptoHash, .number(code), .input([1]), .output(32))
            #expect(refused.error == .illegalArgument && refused.charges.isEmpty)
        }
    }

    @Test func publicKeysAreRecovered() throws {
        let bench = try SyscallBench()
        let outcome = bench.call(
            .cryptoRecoverSecpPublicKey, .input(Signature.digest), .input(Signature.bytes))
        #expect(outcome.isSuccess && outcome.gas == 14_000_000 + 1_637_292_000)
        #expect(bench.resultBytes(65) == Signature.key)
        for broken in [[UInt8](repeating: 0, count: 65), Signature.bytes.dropLast() + [28]] {
            let refused = bench.call(.cryptoRecoverSecpPublicKey, .input(Signature.digest), .input(broken))
            #expect(refused.error == .illegalArgument && refused.charges == ["OnRecoverSecpPublicKey"])
        }
    }

    @Test func signaturesOfTheWrongKindAreInvalidAndOtherAddressesAreErrors() throws {
        let bench = try SyscallBench()
        let secp = try Address.secp256k1(publicKey: Signature.key)
        let bls = try Address.bls([0xC0] + [UInt8](repeating: 0, count: 47))
        func verify(_ type: UInt64, _ signature: [UInt8], _ address: Address) -> SyscallBench.Outcome {
            bench.call(
                .cryptoVerifySignature, .number(type), .input(signature), .input(address.bytes), .input([1, 2]))
        }
        for (type, signature, address) in [
            (UInt64(1), Signature.bytes, secp), (1, Array(Signature.bytes.dropLast()), secp),
            (2, [UInt8](repeating: 0, count: 96), secp), (1, Signature.bytes, bls),
            (2, [0xC0] + [UInt8](repeating: 0, count: 95), bls), (2, [], bls),
        ] {
            #expect(verify(type, signature, address).isSuccess)
            #expect(bench.result(0, Int32.self) == -1)
        }
        let refused = verify(1, Signature.bytes, .id(5))
        #expect(refused.error == .illegalArgument && refused.charges == ["OnVerifySignature"])
        #expect(refused.gas == 14_000_000 + 1_637_292_000 + 2 * 10_000)
        for type in [UInt64(0), 3] {
            let unknown = verify(type, Signature.bytes, secp)
            #expect(unknown.error == .illegalArgument && unknown.charges.isEmpty)
        }
        #expect(verify(2, [], bls).gas == 14_000_000 + 16_598_605_000 + 2 * 26_000)
    }

    @Test func sectorCommitmentsNeedPiecesThatFit() throws {
        let bench = try SyscallBench()
        #expect(bench.call(.cryptoComputeUnsealedSectorCid, .number(0), .input(Baseline.pieces), .output(41)).isSuccess)
        #expect(bench.result(0, UInt32.self) == 39 && bench.output(2, 39) == Baseline.commitment.bytes)
        // An empty list in the reference's lenient reading, into a buffer that is too small.
        let small = bench.call(.cryptoComputeUnsealedSectorCid, .number(3), .input([0x00]), .output(38))
        #expect(small.error == .bufferTooSmall && small.charges == ["OnComputeUnsealedSectorCid"])
        for type in [UInt64(15), UInt64(bitPattern: -1), .max >> 1] {
            let unknown = bench.call(
                .cryptoComputeUnsealedSectorCid, .number(type), .input(Baseline.pieces), .output(41))
            #expect(unknown.error == .illegalArgument && unknown.charges.isEmpty, "v3 knows types up to 14")
        }
        for size in [UInt64(0), 64, 3000, 4096, 1 << 63] {
            let pieces = Baseline.cbor {
                $0.array(1)
                $0.array(2)
                $0.unsigned(size)
                $0.link(Baseline.commitment)
            }
            let refused = bench.call(.cryptoComputeUnsealedSectorCid, .number(0), .input(pieces), .output(41))
            #expect(refused.error == .illegalArgument && refused.charges == ["OnComputeUnsealedSectorCid"])
        }
    }

    @Test func structuresMustBeWholeAndAlone() throws {
        let bench = try SyscallBench()
        let structures: [(Syscall, [UInt8])] = [
            (.cryptoVerifyPostV3, Baseline.post), (.cryptoVerifyAggregateSeals, Baseline.aggregate),
            (.cryptoVerifyReplicaUpdate, Baseline.replica),
        ]
        for (syscall, bytes) in structures {
            #expect(bench.call(syscall, .input(bytes)).isSuccess)
            #expect(bench.result(0, Int32.self) == 0)
            #expect(bench.call(syscall, .input(bytes + [0])).error == .illegalArgument)
            for length in stride(from: 0, to: bytes.count, by: 7) {
                let refused = bench.call(syscall, .input(Array(bytes.prefix(length))))
                #expect(refused.error == .illegalArgument && refused.charges.isEmpty)
            }
            #expect(bench.call(syscall, .input([0x9F] + bytes.dropFirst() + [0xFF])).error == .illegalArgument)
        }
    }

    @Test func proofsArePricedByTheirSizes() throws {
        let bench = try SyscallBench()
        func own(_ outcome: SyscallBench.Outcome) -> UInt64 { outcome.gas - 14_000_000 }
        #expect(own(bench.call(.cryptoVerifyPostV3, .input(Baseline.post))) == 117_680_921_000 + 2 * 43_780_000)
        #expect(
            own(bench.call(.cryptoVerifyAggregateSeals, .input(Baseline.aggregate)))
                == 4 * 449_900_000 + 103_994_170_000)
        #expect(own(bench.call(.cryptoVerifyReplicaUpdate, .input(Baseline.replica))) == 36_316_136_000)
    }

    @Test func aVerifiersAnswerAndFailureReachTheActor() throws {
        let bench = try SyscallBench()
        let calls: [(Syscall, [UInt8])] = [
            (.cryptoVerifyPostV3, Baseline.post), (.cryptoVerifyAggregateSeals, Baseline.aggregate),
            (.cryptoVerifyReplicaUpdate, Baseline.replica),
        ]
        for (syscall, bytes) in calls {
            bench.calls.fakeExterns.proofs = NodeProofs(verifier: ChosenProofs(answer: .success(false)))
            #expect(bench.call(syscall, .input(bytes)).isSuccess && bench.result(0, Int32.self) == -1)
            bench.calls.fakeExterns.proofs = NodeProofs(
                verifier: ChosenProofs(answer: .failure(ExternFailure.refused("no proofs"))))
            let refused = bench.call(syscall, .input(bytes))
            #expect(refused.error == .illegalArgument && refused.charges.count == 1)
        }
    }

    @Test func batchesAreVerifiedElementByElement() throws {
        let bench = try SyscallBench()
        let seals = Argument.input(Baseline.seals(4))
        let stubbed = bench.call(.cryptoBatchVerifySeals, seals, .input([9, 9, 9, 9, 9]))
        #expect(stubbed.isSuccess && stubbed.charges.isEmpty && bench.output(1, 5) == [1, 1, 1, 1, 9])
        bench.calls.fakeExterns.proofs = NodeProofs(verifier: ChosenProofs(answer: .success(true)))
        let real = bench.call(.cryptoBatchVerifySeals, seals, .input([9, 9, 9, 9, 9]))
        #expect(real.charges == [String](repeating: "OnVerifySeal", count: 4))
        #expect(real.gas == 14_000_000 + 4 * 2_000_000)
        #expect(bench.output(1, 5) == [1, 0, 1, 0, 9])
        bench.calls.fakeExterns.proofs = NodeProofs(
            verifier: ChosenProofs(answer: .failure(ExternFailure.refused("bad"))))
        #expect(bench.call(.cryptoBatchVerifySeals, seals, .input([9])).isSuccess)
        #expect(bench.output(1, 4) == [0, 0, 0, 0])
    }

    @Test func longStructuresAreReadWholeAndNothingMayFollow() throws {
        let bench = try SyscallBench(memorySize: 1 << 20)
        let seals = Baseline.seals(120)
        #expect(seals.count > 12_000)
        bench.guest.write(seals, at: 8192)
        let length = UInt64(seals.count)
        let results: UInt64 = 500_000
        #expect(bench.raw(.cryptoBatchVerifySeals, [8192, length, results]).isSuccess)
        #expect(bench.guest.read(Int(results), 121) == [UInt8](repeating: 1, count: 120) + [0])
        for wrong in [length - 1, length + 1, length + 100_000, 4096, 4097, 16_384] {
            let refused = bench.raw(.cryptoBatchVerifySeals, [8192, wrong, results])
            #expect(refused.error == .illegalArgument && refused.charges.isEmpty, "\(wrong)")
        }
        // A list that says it has 2^64 − 1 elements, in front of many bytes that are none.
        bench.guest.write([0x9B] + [UInt8](repeating: 0xFF, count: 500_000), at: 8192)
        #expect(bench.raw(.cryptoBatchVerifySeals, [8192, 500_000, results]).error == .illegalArgument)
    }

    @Test func consensusFaultsAreBookedAsTheVerifierAccountsForThem() throws {
        let bench = try SyscallBench()
        let headers = [Argument.input([1]), .input([2]), .input([])]
        func verify() -> SyscallBench.Outcome {
            bench.raw(.cryptoVerifyConsensusFault, bench.place(.cryptoVerifyConsensusFault, headers))
        }
        #expect(verify().isSuccess && bench.resultBytes(20) == [UInt8](repeating: 0, count: 20))
        #expect(bench.calls.charges.last == GasCharge("OnVerifyConsensusFault", compute: 516_422_000))
        bench.calls.fakeExterns.proofs = NodeProofs(verifier: ChosenProofs(answer: .success(true)))
        bench.calls.fakeExterns.fault = ConsensusFault(target: .id(1077), epoch: -3, kind: .parentGrinding)
        #expect(verify().isSuccess)
        #expect(bench.calls.charges.last == GasCharge("OnVerifyConsensusFault", other: 516_422_000))
        #expect(bench.result(0, Int64.self) == -3 && bench.result(8, UInt64.self) == 1077)
        #expect(bench.result(16, UInt32.self) == 2)
        bench.calls.fakeExterns.failure = .refused("no headers")
        #expect(verify().error == .illegalArgument)
        bench.calls.fakeExterns.failure = nil
        bench.calls.fakeExterns.fault = ConsensusFault(
            target: try .secp256k1(publicKey: Signature.key), epoch: 1, kind: .doubleForkMining)
        guard case .fatal = verify().end else {
            Issue.record("a target that is no id address must be fatal")
            return
        }
    }

    @Test func theCalibrationNetworksMistakeIsKept() {
        func first(_ type: Int64, chain: UInt64, epoch: Int64) -> Int64? {
            var info = WindowPoStInfo(
                randomness: [], proofs: [.init(type: type, bytes: []), .init(type: type, bytes: [])],
                challengedSectors: [], prover: 0)
            CalibrationExemption.apply(to: &info, chainID: chain, epoch: epoch)
            #expect(info.proofs.last?.type == type)
            return info.proofs.first?.type
        }
        #expect(first(13, chain: 314_159, epoch: 498_691) == 8)
        #expect(first(13, chain: 314_159, epoch: 498_692) == 13)
        #expect(first(13, chain: 314, epoch: 1) == 13)
        #expect(first(12, chain: 314_159, epoch: 1) == 12)
    }
}
