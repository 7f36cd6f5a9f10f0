import Crypto
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

/// Reads and rewrites real state: the pre- and post-states of the mainnet vectors.
@Suite struct VectorStateTests {
    private func rows(_ name: String, _ list: String? = nil) throws -> [String: JSONValue]? {
        guard let file = sharedBytes("fvm/selfcheck/\(name).json") else { return nil }
        let json = try JSON.parse(file)
        let rows = if let list { try json.list(list) } else { try #require(json.array) }
        return Dictionary(try rows.map { (try $0.text("vector"), $0) }) { _, last in last }
    }

    /// Applies `changes` to the HAMT `old` and returns the root it gets.
    private func reapply(
        _ changes: [[UInt8]: TreeDiff.Change], to old: Cid, _ file: VectorFile, bitWidth: Int
    ) throws -> Cid {
        let map = try Hamt(root: old, store: MemoryBlockstore(file.blocks), bitWidth: bitWidth)
        for (key, change) in changes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            #expect(try map.get(key).map(Array.init) == change.old?.encoded)
            if let new = change.new { try map.set(key, new.encoded) } else { try map.delete(key) }
        }
        return try map.flush()
    }

    @Test func everyBlockIsCanonicalAndRereadsAsItself() throws {
        var count = 0
        _ = try VectorFile.visitAll { file in
            for (cid, block) in file.blocks where cid.codec == Cid.dagCbor {
                #expect(try CborValue(block, mode: .strict).encoded == block)
                var reader = CborReader(block)
                #expect(try Array(reader.canonicalItem()) == block)
                var links: [Cid] = []
                try CborValue(block).forEachLink { links.append($0) }
                #expect(try LinkScan.links(block) == links)
                count += 1
            }
        }
        #expect(count == 0 || count > 10_000)
    }

    @Test func stateTreesAndAddressMapsGetTheirNewRoots() throws {
        guard let rows = try rows("hamt_diff") else { return }
        var maps = 0
        let files = try VectorFile.visitAll { file in
            let row = try #require(rows[file.id])
            let diff = TreeDiff(file: file)
            let old = try file.actors(file.preRoot)
            let new = try file.actors(file.postRoot)
            let changes = try diff.hamt(old, new)
            let ids = try changes.keys.map { key -> UInt64 in try #require(try Address(bytes: key).id) }
            let expected: [UInt64] = try row.list("changed").compactMap { $0.integer() }
            #expect(ids.sorted() == expected)
            #expect(try reapply(changes, to: old, file, bitWidth: 5) == new)
            // The init actor's map of addresses, where it changed.
            guard let state = changes[[0, 1]], let before = state.old?.elements?[1].cid,
                let after = state.new?.elements?[1].cid
            else { return }
            let oldMap = try #require(try file.tuple(before)[0].cid)
            let newMap = try #require(try file.tuple(after)[0].cid)
            guard oldMap != newMap else { return }
            #expect(try reapply(try diff.hamt(oldMap, newMap), to: oldMap, file, bitWidth: 5) == newMap)
            maps += 1
        }
        #expect(files == 0 || maps > 0)
    }

    /// Pairs of links that stand in the same places of two values.
    private func linkPairs(_ old: CborValue, _ new: CborValue, _ out: inout [(Cid, Cid)]) {
        if case .link(let a) = old, case .link(let b) = new {
            if a != b { out.append((a, b)) }
        } else if let a = old.elements, let b = new.elements {
            for (left, right) in zip(a, b) { linkPairs(left, right, &out) }
        }
    }

    private enum Shape {
        case hamt(bitWidth: Int)
        case amt
        case other
    }

    private func shape(_ old: CborValue, _ new: CborValue) -> Shape {
        func single(_ value: CborValue) -> (Shape, Int) {
            guard let fields = value.elements else { return (.other, 0) }
            if fields.count == 2, let bitfield = fields[0].bytes, bitfield.count <= 32,
                let pointers = fields[1].elements,
                pointers.allSatisfy({ $0.cid != nil || $0.elements != nil })
            {
                return (.hamt(bitWidth: 0), bitfield.count)
            }
            if fields.count == 4, fields[0..<3].allSatisfy({ $0.number != nil }), let node = fields[3].elements,
                node.count == 3, node[0].bytes != nil
            {
                return (.amt, 0)
            }
            return (.other, 0)
        }
        switch (single(old), single(new)) {
        case ((.hamt, let a), (.hamt, let b)):
            let bytes = max(a, b)
            return .hamt(bitWidth: bytes <= 4 ? 5 : bytes <= 8 ? 6 : 8)
        case ((.amt, _), (.amt, _)): return .amt
        default: return .other
        }
    }

    /// Walks the changed actors of a vector; every pair of HAMTs or AMTs that differ is rebuilt from the old one.
    private func rebuildAll(_ file: VectorFile) throws -> (hamts: Int, amts: Int) {
        let diff = TreeDiff(file: file)
        var work: [(Cid, Cid)] = []
        for change in try diff.hamt(try file.actors(file.preRoot), try file.actors(file.postRoot)).values {
            guard let old = change.old?.elements?[1].cid, let new = change.new?.elements?[1].cid, old != new else {
                continue
            }
            work.append((old, new))
        }
        var seen: Set<[Cid]> = []
        var hamts = 0
        var amts = 0
        while let (old, new) = work.popLast() {
            guard seen.insert([old, new]).inserted, let a = try? file.block(old), let b = try? file.block(new) else {
                continue
            }
            do {
                switch shape(a, b) {
                case .hamt(let bitWidth):
                    let changes = try diff.hamt(old, new)
                    #expect(try reapply(changes, to: old, file, bitWidth: bitWidth) == new, "\(file.id)")
                    hamts += 1
                    for change in changes.values {
                        if let old = change.old, let new = change.new { linkPairs(old, new, &work) }
                    }
                case .amt:
                    let changes = try diff.amt(old, new)
                    let array = try Amt(root: old, store: MemoryBlockstore(file.blocks))
                    let sorted = changes.sorted { $0.key < $1.key }
                    for (index, change) in sorted {
                        #expect(try array.get(index).map(Array.init) == change.old?.encoded)
                        if let new = change.new { try array.set(index, new.encoded) }
                    }
                    for (index, change) in sorted where change.new == nil { #expect(try array.delete(index)) }
                    #expect(try array.flush() == new, "\(file.id)")
                    amts += 1
                    for change in changes.values {
                        if let old = change.old, let new = change.new { linkPairs(old, new, &work) }
                    }
                case .other: linkPairs(a, b, &work)
                }
            } catch IPLDError.missing {
                // Trees of the vectors are partial; what the message did not read cannot be compared.
                continue
            }
        }
        return (hamts, amts)
    }

    @Test func treesInsideActorStatesGetTheirNewRoots() throws {
        guard let rows = try rows("deep_diff", "rows") else { return }
        var total = (hamts: 0, amts: 0)
        let files = try VectorFile.visitAll { file in
            guard file.exitCode == 0 else { return }
            let row = rows[file.id]
            let count = try rebuildAll(file)
            #expect(count.hamts == row?["hamt_ok"]?.integer() ?? 0, "\(file.id)")
            #expect(count.amts == row?["amt_ok"]?.integer() ?? 0, "\(file.id)")
            total.hamts += count.hamts
            total.amts += count.amts
        }
        #expect(files == 0 || (total.hamts > 100 && total.amts > 100))
    }

    @Test func pathsOfAPreStateLeadToTheirActors() throws {
        guard let file = sharedBytes("fvm/selfcheck/prestate_walk.json") else { return }
        let fixture = try JSON.parse(file)
        var blocks: [Cid: [UInt8]] = [:]
        for member in try #require(fixture["nodes"]?.members) {
            let block = try #require(member.value.string.flatMap(Hex.decode))
            let cid = try Cid(text: member.name)
            #expect(cid.verifies(block) == true)
            blocks[cid] = block
        }
        let actors = try Hamt(root: try Cid(text: try fixture.text("actors")), store: MemoryBlockstore(blocks))
        let entries = try fixture.list("actors_entries")
        #expect(entries.count == 6)
        for entry in entries {
            let value = try #require(try actors.get(try entry.hex("key_hex")))
            #expect(Hex.encode(Array(value)) == entry["actor_state_cbor"]?.string)
            let fields = try #require(try CborValue(Array(value)).elements)
            #expect(fields[0].cid?.text == entry["code"]?.string)
            #expect(fields[1].cid?.text == entry["head"]?.string)
            #expect(try TokenAmount(cborBytes: try #require(fields[3].bytes)).decimal == entry["balance"]?.string)
        }
        let initState = try #require(fixture["init"])
        let map = try Hamt(root: try Cid(text: try initState.text("address_map")), store: MemoryBlockstore(blocks))
        let lookup = try #require(initState["lookup"])
        let address = try Address(text: try lookup.text("address"))
        let found = try #require(try map.get(address.bytes))
        #expect(try CborValue(Array(found)).number == lookup["id"]?.integer())
    }

    @Test func messagesReencodeToTheirCids() throws {
        guard let file = sharedBytes("fvm/selfcheck/messages10.json") else { return }
        let rows = try #require(try JSON.parse(file).array)
        #expect(rows.count == 10)
        for row in rows {
            let bytes = try row.hex("message_hex")
            let value = try CborValue(bytes, mode: .strict)
            #expect(value.encoded == bytes)
            #expect(Cid.blake2b256(codec: Cid.dagCbor, data: bytes).text == row["message_cid"]?.string)
            let fields = try #require(value.elements)
            try #require(fields.count == 10)
            #expect(try Address(bytes: try #require(fields[1].bytes)).text() == row["to"]?.string)
            #expect(try Address(bytes: try #require(fields[2].bytes)).text() == row["from"]?.string)
            #expect(try TokenAmount(cborBytes: try #require(fields[4].bytes)).decimal == row["value"]?.string)
            #expect(fields[5].number == row["gas_limit"]?.integer())
            #expect(fields[9].bytes == (try row.hex("params_hex")))
        }
    }

    @Test func delegatedAddressesOfActorStatesRead() throws {
        guard let file = sharedBytes("fvm/selfcheck/delegated_actors.json") else { return }
        let rows = try #require(try JSON.parse(file).array)
        #expect(rows.count == 12)
        for row in rows {
            var reader = CborReader(try row.hex("actor_state_cbor"), mode: .strict)
            try reader.tuple(5)
            _ = try reader.link()
            _ = try reader.link()
            _ = try reader.unsigned(UInt64.self)
            _ = try TokenAmount(cborBytes: try reader.byteString())
            #expect(try Address(bytes: try reader.byteString()).text() == row["delegated"]?.string)
            try reader.finish()
        }
    }
}
