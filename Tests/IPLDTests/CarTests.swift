import Crypto
import IPLD
import Primitives
import Testing

private func archive(_ values: [[UInt8]]) -> Car {
    let blocks = values.map { Car.Block(cid: Cid.blake2b256(codec: Cid.raw, data: $0), data: $0) }
    return Car(roots: blocks.prefix(1).map(\.cid), blocks: blocks)
}

/// Where each section of an archive starts, the header's first.
private func sectionStarts(_ bytes: [UInt8]) throws -> [Int] {
    var starts: [Int] = []
    var offset = 0
    while offset < bytes.count {
        starts.append(offset)
        let length = try Varint.read(bytes.span, at: &offset)
        offset += Int(length)
    }
    return starts
}

@Suite struct CarTests {
    private let values: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 7, count: 300)]

    @Test func writtenArchiveReadsBack() throws {
        let car = archive(values)
        let bytes = car.write()
        let back = try Car.read(bytes)
        #expect(back.roots == car.roots && back.blocks == car.blocks)
        #expect(back.write() == bytes)
    }

    @Test func headerWithOneRootHas60Bytes() {
        let bytes = archive(values).write()
        #expect(bytes[0] == 60)
        #expect(Hex.encode(Array(bytes[1..<10])) == "a265726f6f747381d8")
    }

    @Test func identityAndSha256BlocksAreChecked() throws {
        var car = archive(values)
        car.blocks.append(
            Car.Block(cid: try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: [5]), data: [5]))
        car.blocks.append(
            Car.Block(cid: try Cid(codec: Cid.raw, hashCode: Cid.sha2256, digest: Sha2.hash256([6])), data: [6]))
        car.blocks.append(
            Car.Block(
                cid: try Cid(bytes: [0x12, 0x20] + Sha2.hash256([9])), data: [9]))
        #expect(try Car.read(car.write()).blocks == car.blocks)
        car.blocks[3].data = [4]
        #expect(throws: CarError.self) { try Car.read(car.write()) }
    }

    @Test func truncationAtEveryByteIsRefusedOrEndsAtASection() throws {
        let bytes = archive(values).write()
        let ends = Set(try sectionStarts(bytes).dropFirst())
        for length in 0..<bytes.count {
            let cut = Array(bytes.prefix(length))
            if ends.contains(length) {
                #expect(try Car.read(cut).blocks.count < values.count)
            } else {
                do {
                    _ = try Car.read(cut)
                    Issue.record("accepted \(length) bytes")
                } catch {
                    #expect(error.offset <= length)
                    #expect(error.description.hasPrefix("car at 0x"))
                }
            }
        }
    }

    @Test func everyFlippedBitOfABlockIsRefused() throws {
        let bytes = archive(values).write()
        let starts = try sectionStarts(bytes)
        for index in starts[1]..<bytes.count {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                // A flip in a codec gives another valid CID of the same data, so the block is there under no name
                // anyone asks for; every other flip is an error.
                guard let car = try? Car.read(changed) else { continue }
                #expect(car.blocks.map(\.data) == values)
                #expect(car.blocks.map(\.cid) != archive(values).blocks.map(\.cid))
            }
        }
    }

    @Test func flippedBitsOfTheHeaderNeverTrap() throws {
        let bytes = archive(values).write()
        for index in 0..<(try sectionStarts(bytes)[1]) {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                if let car = try? Car.read(changed) { #expect(!car.roots.isEmpty) }
            }
        }
    }

    @Test func wrongHashNamesBlockAndOffset() throws {
        var car = archive(values)
        car.blocks[1].data = [1]
        let bytes = car.write()
        let start = try sectionStarts(bytes)[2]
        do {
            _ = try Car.read(bytes)
            Issue.record("accepted")
        } catch {
            #expect(error == CarError(.wrongHash(car.blocks[1].cid, size: 1), at: start))
            #expect(error.description.contains(car.blocks[1].cid.text))
            #expect(error.description.contains("0x\(String(start, radix: 16))"))
        }
    }

    @Test func lengthsThatLieAreRefused() {
        let header = Array(archive(values).write().prefix(61))
        for length: UInt64 in [1000, 1 << 31, 1 << 32, 1 << 63, .max] {
            #expect(throws: CarError(.truncated(needed: length, left: 1), at: 61)) {
                try Car.read(header + Varint.encode(length) + [1])
            }
        }
        #expect(throws: CarError(.emptySection, at: 61)) { try Car.read(header + [0]) }
        #expect(throws: CarError(.length(.tooLong), at: 61)) {
            try Car.read(header + [UInt8](repeating: 0xff, count: 12))
        }
        #expect(throws: CarError(.cid(.truncated), at: 61)) { try Car.read(header + [5, 1, 0x55, 0, 9, 0]) }
    }

    @Test func unknownHashFunctionsAreRefused() throws {
        let cid = try Cid(codec: Cid.raw, hashCode: Cid.poseidonBLS12381, digest: [1])
        let car = Car(roots: [cid], blocks: [Car.Block(cid: cid, data: [1])])
        let start = try sectionStarts(car.write())[1]
        #expect(throws: CarError(.unknownHash(cid), at: start)) { try Car.read(car.write()) }
    }

    @Test func aHeaderThatSaysSomethingTwiceIsRefused() {
        let version = "6776657273696f6e01"
        let header = Hex.decode("a3" + "65726f6f7473" + "81d82a46000171000180" + version + version) ?? []
        let error = #expect(throws: CarError.self) { try Car.read(Varint.encode(UInt64(header.count)) + header) }
        #expect(error?.description.contains("'version' twice") == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        "", "a0", "80", "a16776657273696f6e01", "a265726f6f7473806776657273696f6e01",
        "a265726f6f747381f66776657273696f6e01", "a265726f6f747381d82a460001710001806776657273696f6e02",
        "a265726f6f747381d82a46000171000180", "ff",
    ])
    func headersThatAreNotVersion1AreRefused(hex: String) {
        let header = Hex.decode(hex) ?? []
        #expect(throws: CarError.self) { try Car.read(Varint.encode(UInt64(header.count)) + header) }
    }
}

@Suite struct CarExportTests {
    /// An array of links.
    private func node(_ links: [Cid]) -> Car.Block {
        var writer = CborWriter()
        writer.array(links.count)
        for link in links { writer.link(link) }
        return Car.Block(cid: .blake2b256(codec: Cid.dagCbor, data: writer.bytes), data: writer.bytes)
    }

    private func raw(_ value: UInt8) -> Car.Block {
        Car.Block(cid: .blake2b256(codec: Cid.raw, data: [value]), data: [value])
    }

    @Test func whatARootReachesComesOnceInTheOrderOfTheLinks() throws {
        let leaves = [raw(1), raw(2), raw(3)]
        let left = node([leaves[1].cid, leaves[0].cid])
        let right = node([leaves[0].cid, left.cid])
        let root = node([left.cid, right.cid])
        let store = MemoryBlockstore()
        for block in leaves + [left, right, root] { try store.put(block.cid, block.data) }
        let car = try Car.reachable(from: root.cid, in: store)
        #expect(car.roots == [root.cid])
        #expect(car.blocks == [root, left, leaves[1], leaves[0], right])
        #expect(
            try Car.reachable(from: root.cid, in: store, includesRaw: { _ in false }).blocks == [root, left, right])
    }

    @Test func aPartialStateGivesWhatItHas() throws {
        let missing = raw(9)
        let there = raw(1)
        let root = node([missing.cid, there.cid])
        let store = MemoryBlockstore([root.cid: root.data, there.cid: there.data])
        #expect(try Car.reachable(from: root.cid, in: store).blocks == [root, there])
    }
}
