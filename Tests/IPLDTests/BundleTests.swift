import Bundle
import CZstd
import Crypto
import Glibc
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

private func block(_ codec: UInt64, _ data: [UInt8]) -> Car.Block {
    Car.Block(cid: Cid.blake2b256(codec: codec, data: data), data: data)
}

/// A bundle of two actors; `change` may spoil its blocks (manifest, data, code of system, code of init).
private func bundle(version: UInt64 = 1, _ change: (inout [Car.Block]) -> Void = { _ in }) -> [UInt8] {
    let codes = [block(Cid.raw, [1, 1]), block(Cid.raw, [2])]
    let entries = zip(["system", "init"], codes).map { CborValue.array([.text($0), .link($1.cid)]) }
    let data = block(Cid.dagCbor, CborValue.array(entries).encoded)
    let root = block(Cid.dagCbor, CborValue.array([.unsigned(version), .link(data.cid)]).encoded)
    var blocks = [root, data] + codes
    change(&blocks)
    return Car(roots: [root.cid], blocks: blocks).write()
}

private func compress(_ bytes: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let size = ZSTD_compress(&out, out.count, bytes, bytes.count, 3)
    return Array(out.prefix(size))
}

@Suite struct BundleTests {
    @Test func plainAndCompressedBundlesAreTheSame() throws {
        let plain = try ActorBundle(bytes: bundle())
        #expect(plain.codes.map(\.name) == ["system", "init"])
        #expect(plain.code(plain.codes[0].cid) == [1, 1])
        #expect(plain.manifest.code(named: "init") == plain.codes[1].cid)
        #expect(plain.manifest.code(named: "cron") == nil)
        let packed = try ActorBundle(bytes: compress(bundle()))
        #expect(packed.root == plain.root && packed.blocks == plain.blocks)
    }

    @Test func severalFramesAreOneBundle() throws {
        let bytes = bundle()
        let packed = compress(Array(bytes.prefix(50))) + compress(Array(bytes.dropFirst(50)))
        #expect(try ActorBundle(bytes: packed).blocks.count == 4)
    }

    /// Parallel compressors put such a frame first.
    @Test func skippableFramesMayStandAnywhere() throws {
        let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 9, 9, 9]
        let packed = compress(bundle())
        for bytes in [skippable + packed, packed + skippable, skippable + skippable + packed] {
            #expect(try ActorBundle(bytes: bytes).blocks.count == 4)
        }
    }

    /// A block of 500 MiB in a small file is refused by the length that stands in front of it.
    @Test func aBlockThatIsTooLargeIsRefusedBeforeItIsThere() throws {
        let size = UInt64(500 << 20)
        let start = bundle() + Varint.encode(size)
        let packed = compress(start + [UInt8](repeating: 0, count: 1 << 20))
        let error = #expect(throws: BundleError.self) { try ActorBundle(bytes: packed) }
        guard case .car(let reason)? = error, case .tooLarge(size, _) = reason.reason else {
            throw try #require(error)
        }
    }

    @Test func truncatedCompressionIsRefusedAtEveryByte() {
        let packed = compress(bundle())
        for length in 0..<packed.count {
            #expect(throws: BundleError.self) { try ActorBundle(bytes: Array(packed.prefix(length))) }
        }
        #expect(throws: BundleError.self) { try ActorBundle(bytes: packed + [1, 2, 3]) }
    }

    @Test func flippedBitsOfCompressedBundlesNeverTrap() {
        let packed = compress(bundle())
        for index in packed.indices {
            for bit in 0..<8 {
                var changed = packed
                changed[index] ^= 1 << UInt8(bit)
                if let bundle = try? ActorBundle(bytes: changed) { #expect(bundle.codes.count == 2) }
            }
        }
    }

    @Test func missingPartsAreNamed() throws {
        for (index, what) in ["manifest", "manifest data", "code of actor system", "code of actor init"].enumerated() {
            var gone: Cid?
            let bytes = bundle { gone = $0.remove(at: index).cid }
            let cid = try #require(gone)
            #expect(throws: BundleError.missing(cid, what)) { try ActorBundle(bytes: bytes) }
        }
    }

    @Test func otherManifestVersionsAreRefused() {
        for version: UInt64 in [0, 2, 1 << 40] {
            #expect(throws: BundleError.self) { try ActorBundle(bytes: bundle(version: version)) }
        }
    }

    @Test func oneRootIsNeeded() {
        let one = block(Cid.raw, [1])
        #expect(throws: BundleError.roots(2)) {
            try ActorBundle(bytes: Car(roots: [one.cid, one.cid], blocks: [one]).write())
        }
    }

    @Test func filesThatAreNoBundlesAreRefusedWithTheirPath() {
        #expect(throws: BundleError.file("/nowhere/x.car: No such file or directory")) {
            try ActorBundle.open(path: "/nowhere/x.car")
        }
        #expect(throws: BundleError.file("/: Is a directory")) { try ActorBundle.open(path: "/") }
        #expect(throws: BundleError.self) { try ActorBundle(bytes: []) }
        #expect(throws: BundleError.self) { try ActorBundle(bytes: Array("\0asm\u{1}\0\0\0".utf8)) }
    }

    @Test(arguments: ["v10", "v11"]) func mainnetManifestsHaveTheirActors(version: String) throws {
        guard let file = sharedBytes("fvm/selfcheck/manifest_\(version)_mainnet.json"),
            let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst")
        else { return }
        let fixture = try JSON.parse(file)
        let bundle = try ActorBundle.open(path: path)
        #expect(bundle.root.text == fixture["car_root"]?.string)
        #expect(bundle.manifestData.text == fixture["manifest_data"]?.string)
        #expect(Hex.encode(bundle.blocks[bundle.root] ?? []) == fixture["manifest_root_hex"]?.string)
        #expect(bundle.blocks.count == fixture["blocks"]?.integer())
        let actors = try fixture.list("actors")
        #expect(actors.count == 16 && bundle.codes.count == 16)
        for (actor, code) in zip(actors, bundle.codes) {
            #expect(code.name == actor["name"]?.string)
            #expect(code.cid.text == actor["code"]?.string)
            let wasm = try #require(bundle.code(code.cid))
            #expect(wasm.count == actor["wasm_size"]?.integer())
            #expect(Hex.encode(Sha2.hash256(wasm)) == actor["sha256"]?.string)
        }
    }

    @Test(arguments: ["mainnet-v12", "mainnet-v14", "mainnet-v16", "mainnet-v18", "testing-fake-proofs-v10"])
    func otherBundlesOpen(name: String) throws {
        guard let path = sharedData("bundles/builtin-actors-\(name).car.zst") else { return }
        let bundle = try ActorBundle.open(path: path)
        #expect(bundle.codes.count == 16)
        #expect(bundle.codes.first?.name == "system")
    }
}
