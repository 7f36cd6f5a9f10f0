import Crypto
import IPLD
import Primitives
import Syscalls

@testable import Kernel

/// A call of each syscall that succeeds, and what it gives when a buffer of it is empty.
struct Baseline {
    var syscall: Syscall
    var arguments: [Argument]
    /// The result when the argument at an index has length 0, by index; nil is success.
    var whenEmpty: [Int: ErrorNumber?] = [:]
    var receiver: UInt64 = 100
    /// A network version that links the syscall.
    var network: UInt32 = 18

    static let address = Address.id(1002).bytes
    static let digest = [UInt8](repeating: 7, count: 32)

    static func cbor(_ write: (inout CborWriter) -> Void) -> [UInt8] {
        var writer = CborWriter()
        write(&writer)
        return writer.bytes
    }

    static let pieces = cbor {
        $0.array(1)
        $0.array(2)
        $0.unsigned(UInt64(2048))
        $0.link(commitment)
    }
    static let commitment =
        (try? Cid(codec: Cid.unsealedCommitment, hashCode: Cid.sha2256Trunc254Padded, digest: digest)) ?? Sample.root

    static let post = cbor {
        $0.array(4)
        $0.byteString(digest)
        $0.array(1)
        $0.array(2)
        $0.int64(8)
        $0.byteString([1])
        $0.array(2)
        for number in UInt64(1)...2 {
            $0.array(3)
            $0.int64(3)
            $0.unsigned(number)
            $0.link(Sample.root)
        }
        $0.unsigned(UInt64(1000))
    }

    static let aggregate = cbor {
        $0.array(5)
        $0.unsigned(UInt64(1000))
        $0.int64(8)
        $0.int64(0)
        $0.byteString([1, 2])
        $0.array(4)
        for number in UInt64(1)...4 {
            $0.array(5)
            $0.unsigned(number)
            $0.byteString(digest)
            $0.byteString(digest)
            $0.link(Sample.root)
            $0.link(commitment)
        }
    }

    static let replica = cbor {
        $0.array(5)
        $0.int64(3)
        $0.link(Sample.root)
        $0.link(Sample.block)
        $0.link(commitment)
        $0.array(3)
        for byte in [UInt8(1), 200, 255] { $0.unsigned(byte) }
    }

    static func seals(_ count: UInt64) -> [UInt8] {
        cbor {
            $0.array(Int(count))
            for number in 0..<count {
                $0.array(8)
                $0.int64(-1)
                $0.array(2)
                $0.unsigned(UInt64(1000))
                $0.unsigned(number)
                $0.array(2)
                $0.unsigned(UInt64(5))
                $0.unsigned(UInt64.max)
                $0.byteString(digest)
                $0.byteString([])
                $0.byteString([9])
                $0.link(Sample.root)
                $0.link(commitment)
            }
        }
    }

    static let event = cbor {
        $0.array(1)
        $0.array(4)
        $0.unsigned(UInt64(3))
        $0.text("key")
        $0.unsigned(UInt64(0x55))
        $0.byteString([1, 2, 3])
    }

    /// One row per syscall of either generation.
    static let all = v3 + v4

    /// One row per syscall that v4 alone has, in the table's order.
    private static let v4: [Baseline] = [
        Baseline(syscall: .ipldBlockOpenV4, arguments: [.input(Sample.block.bytes)]),
        Baseline(
            syscall: .ipldBlockCreateV4, arguments: [.number(0x71), .input([0x81, 1])], whenEmpty: [1: .serialization]),
        Baseline(
            syscall: .ipldBlockLinkV4, arguments: [.number(1), .number(0xB220), .number(32), .output(38)],
            whenEmpty: [3: .bufferTooSmall]),
        Baseline(syscall: .selfRootV4, arguments: [.output(38)], whenEmpty: [0: .bufferTooSmall]),
        Baseline(syscall: .selfSetRootV4, arguments: [.input(Sample.block.bytes)]),
        Baseline(syscall: .selfSelfDestructV4, arguments: [.number(1)]),
        Baseline(syscall: .cryptoVerifyPostV4, arguments: [.input(post)], whenEmpty: [0: .illegalArgument]),
        Baseline(
            syscall: .cryptoVerifyBlsAggregate,
            arguments: [
                .number(1), .input([UInt8](repeating: 1, count: 96)), .input([UInt8](repeating: 1, count: 48)),
                .input([5, 6]), .input([2, 0, 0, 0]),
            ]),
        Baseline(
            syscall: .eventEmitEventV4, arguments: [.input([]), .input([]), .input([])],
            whenEmpty: [0: nil, 1: nil, 2: nil]),
        Baseline(syscall: .randGetChainRandomnessV4, arguments: [.number(990)]),
        Baseline(syscall: .randGetBeaconRandomnessV4, arguments: [.number(990)]),
        Baseline(syscall: .debugLogV4, arguments: [.input([0x61])], whenEmpty: [0: nil]),
    ].map { row in
        var row = row
        row.network = 21
        return row
    }

    /// One row per syscall of v3, in the table's order.
    private static let v3: [Baseline] = [
        Baseline(syscall: .vmExit, arguments: [.number(16), .number(0), .input([0x61])]),
        Baseline(syscall: .vmMessageContext, arguments: []),
        Baseline(syscall: .networkContext, arguments: []),
        Baseline(
            syscall: .networkTipsetCid, arguments: [.number(999), .output(38)], whenEmpty: [1: .bufferTooSmall]),
        Baseline(syscall: .networkTotalFilCircSupply, arguments: []),
        Baseline(syscall: .ipldBlockOpenV3, arguments: [.input(Sample.block.bytes)]),
        Baseline(
            syscall: .ipldBlockCreateV3, arguments: [.number(0x55), .input([1, 2, 3])], whenEmpty: [1: nil]),
        Baseline(
            syscall: .ipldBlockRead, arguments: [.number(1), .number(0), .output(2)], whenEmpty: [2: nil]),
        Baseline(syscall: .ipldBlockStat, arguments: [.number(1)]),
        Baseline(
            syscall: .ipldBlockLinkV3, arguments: [.number(1), .number(0xB220), .number(32), .output(38)],
            whenEmpty: [3: .bufferTooSmall]),
        Baseline(syscall: .selfRootV3, arguments: [.output(38)], whenEmpty: [0: .bufferTooSmall]),
        Baseline(syscall: .selfSetRootV3, arguments: [.input(Sample.block.bytes)]),
        Baseline(syscall: .selfCurrentBalance, arguments: []),
        Baseline(syscall: .selfSelfDestructV3, arguments: [.input(address)], whenEmpty: [0: .illegalArgument]),
        Baseline(syscall: .actorResolveAddress, arguments: [.input(address)], whenEmpty: [0: .illegalArgument]),
        Baseline(
            syscall: .actorLookupDelegatedAddress, arguments: [.number(1003), .output(22)],
            whenEmpty: [1: .bufferTooSmall]),
        Baseline(
            syscall: .actorGetActorCodeCid, arguments: [.number(1003), .output(38)],
            whenEmpty: [1: .bufferTooSmall]),
        Baseline(
            syscall: .actorNextActorAddress, arguments: [.output(21)], whenEmpty: [0: .bufferTooSmall]),
        Baseline(
            syscall: .actorCreateActor, arguments: [.number(2000), .input(Sample.code.bytes), .input(address)],
            whenEmpty: [2: nil], receiver: 1),
        Baseline(syscall: .actorGetBuiltinActorType, arguments: [.input(Sample.otherCode.bytes)]),
        Baseline(
            syscall: .actorGetCodeCidForType, arguments: [.number(2), .output(38)],
            whenEmpty: [1: .bufferTooSmall]),
        Baseline(syscall: .actorBalanceOf, arguments: [.number(1003)]),
        Baseline(
            syscall: .cryptoVerifySignature,
            arguments: [
                .number(1), .input([UInt8](repeating: 1, count: 65)),
                .input([1] + [UInt8](repeating: 2, count: 20)), .input([1, 2]),
            ], whenEmpty: [1: nil, 2: .illegalArgument, 3: nil]),
        Baseline(
            syscall: .cryptoRecoverSecpPublicKey, arguments: [.input(Signature.digest), .input(Signature.bytes)]),
        Baseline(
            syscall: .cryptoHash, arguments: [.number(0x12), .input([1, 2, 3]), .output(32)],
            whenEmpty: [1: nil, 2: nil]),
        Baseline(syscall: .cryptoVerifyPostV3, arguments: [.input(post)], whenEmpty: [0: .illegalArgument]),
        Baseline(
            syscall: .cryptoComputeUnsealedSectorCid, arguments: [.number(0), .input(pieces), .output(41)],
            whenEmpty: [1: .illegalArgument, 2: .bufferTooSmall]),
        Baseline(
            syscall: .cryptoVerifyConsensusFault, arguments: [.input([1]), .input([2]), .input([3])],
            whenEmpty: [0: nil, 1: nil, 2: nil]),
        Baseline(
            syscall: .cryptoVerifyAggregateSeals, arguments: [.input(aggregate)],
            whenEmpty: [0: .illegalArgument]),
        Baseline(
            syscall: .cryptoVerifyReplicaUpdate, arguments: [.input(replica)], whenEmpty: [0: .illegalArgument]),
        Baseline(
            syscall: .cryptoBatchVerifySeals, arguments: [.input(seals(3)), .input([0, 0, 0])],
            whenEmpty: [0: .illegalArgument]),
        Baseline(syscall: .eventEmitEventV3, arguments: [.input(event)], whenEmpty: [0: .illegalArgument]),
        Baseline(
            syscall: .randGetChainRandomnessV3, arguments: [.number(9), .number(990), .input([1])],
            whenEmpty: [2: nil]),
        Baseline(
            syscall: .randGetBeaconRandomnessV3, arguments: [.number(9), .number(990), .input([1])],
            whenEmpty: [2: nil]),
        Baseline(syscall: .gasCharge, arguments: [.input([0x61]), .number(5)], whenEmpty: [0: nil]),
        Baseline(syscall: .gasAvailable, arguments: []),
        Baseline(
            syscall: .sendSend,
            arguments: [
                .input(address), .number(2), .number(1), .number(0), .number(4), .number(.max), .number(0),
            ], whenEmpty: [0: .illegalArgument]),
        Baseline(syscall: .debugLogV3, arguments: [.input([0x61])], whenEmpty: [0: nil]),
        Baseline(syscall: .debugEnabled, arguments: []),
        Baseline(
            syscall: .debugStoreArtifact, arguments: [.input([0x61]), .input([1])],
            whenEmpty: [0: .illegalArgument, 1: nil]),
    ]

    /// A fresh bench with debugging on, one block, and an actor with a delegated address.
    func bench() throws -> SyscallBench {
        let bench = try SyscallBench(receiver: receiver, network: network) { calls in
            calls.network.actorDebugging = true
            calls.sendResult = .success(
                CallOutcome(exitCode: ExitCode(rawValue: 20), block: Block(codec: Cid.raw, data: [5, 6])))
            let delegated = try? Address.delegated(
                namespace: 10, subaddress: [UInt8](repeating: 4, count: 20))
            calls.actors[1003] = Sample.state(balance: 77, delegated: delegated)
        }
        _ = try bench.kernel.registry.insertReachable(Block(codec: Cid.dagCbor, data: [0x82, 1, 2]))
        bench.kernel.registry.makeReachable(Sample.block)
        return bench
    }
}

/// A recoverable signature: the first of the shared ones, and its key.
enum Signature {
    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.map { UInt8($0 > 0x60 ? $0 - 0x57 : $0 - 0x30) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static let digest = bytes("4cde4b4749098ab4c4de3d841f3b4beb54cc00bc27e9e86d1e4e8370accd9010")
    static let bytes = bytes(
        "ff3cb2ffae92b343eb24e3a294ba58604796ed02c6e80d9c7e0752f0d9ce8bf4"
            + "596d41a2f95c7e4e6a841ec612756b3bc73d05dfbd004799af6724d0c8a55da901")
    static let key = bytes(
        "04887c3b67a20406703c764e60f152562106365f6fbabdc217eb5b29d6d82d51f1"
            + "db1962973714eea7e0674faeff3e71cfe728b5c24f494463d657db943b0f17e1")
}
