import IPLD
import Primitives
import Testing

/// Differences of two trees, found by walking their blocks without the code under test.
struct TreeDiff {
    let file: VectorFile

    /// Old and new value of an entry; nil where there is none.
    typealias Change = (old: CborValue?, new: CborValue?)

    private enum Pointer: Equatable {
        case link(Cid)
        case bucket([CborValue])
    }

    private func hamtNode(_ cid: Cid) throws -> [Int: Pointer] {
        let fields = try file.tuple(cid)
        let bitfield = try #require(fields[0].bytes)
        let pointers = try #require(fields[1].elements)
        var out: [Int: Pointer] = [:]
        var next = 0
        for (index, byte) in bitfield.reversed().enumerated() {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 {
                let pointer = pointers[next]
                next += 1
                if let cid = pointer.cid {
                    out[index * 8 + bit] = .link(cid)
                } else {
                    out[index * 8 + bit] = .bucket(try #require(pointer.elements))
                }
            }
        }
        return out
    }

    private func flatten(_ pointer: Pointer, into out: inout [[UInt8]: CborValue]) throws {
        switch pointer {
        case .link(let cid): for child in try hamtNode(cid).values { try flatten(child, into: &out) }
        case .bucket(let pairs):
            for pair in pairs {
                let fields = try #require(pair.elements)
                out[try #require(fields[0].bytes)] = fields[1]
            }
        }
    }

    /// The entries that differ between two HAMTs.
    func hamt(_ old: Cid, _ new: Cid) throws -> [[UInt8]: Change] {
        var before: [[UInt8]: CborValue] = [:]
        var after: [[UInt8]: CborValue] = [:]
        func walk(_ a: [Int: Pointer], _ b: [Int: Pointer]) throws {
            for slot in Set(a.keys).union(b.keys) where a[slot] != b[slot] {
                if case .link(let left)? = a[slot], case .link(let right)? = b[slot] {
                    try walk(try hamtNode(left), try hamtNode(right))
                    continue
                }
                if let left = a[slot] { try flatten(left, into: &before) }
                if let right = b[slot] { try flatten(right, into: &after) }
            }
        }
        try walk(try hamtNode(old), try hamtNode(new))
        var out: [[UInt8]: Change] = [:]
        for key in Set(before.keys).union(after.keys) where before[key] != after[key] {
            out[key] = (before[key], after[key])
        }
        return out
    }

    private func amtNode(_ value: CborValue) throws -> [Int: CborValue] {
        let fields = try #require(value.elements)
        let bitmap = try #require(fields[0].bytes)
        let links = try #require(fields[1].elements)
        let entries = links.isEmpty ? try #require(fields[2].elements) : links
        var out: [Int: CborValue] = [:]
        var next = 0
        for (index, byte) in bitmap.enumerated() {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 {
                out[index * 8 + bit] = entries[next]
                next += 1
            }
        }
        return out
    }

    private func child(_ value: CborValue) throws -> [Int: CborValue] {
        // A root that was put a level lower stands for itself.
        if let cid = value.cid { return try amtNode(try file.block(cid)) }
        return try amtNode(value)
    }

    private func amtRoot(_ cid: Cid, height: Int) throws -> (slots: [Int: CborValue], bitWidth: Int) {
        let fields = try file.tuple(cid)
        let bitWidth = Int(try #require(fields[0].number))
        var current = fields[3]
        var slots = try amtNode(current)
        for _ in Int(try #require(fields[1].number))..<height {
            slots = slots.isEmpty ? [:] : [0: current]
            let bitmap = [UInt8(1)] + [UInt8](repeating: 0, count: bitWidth <= 3 ? 0 : (1 << (bitWidth - 3)) - 1)
            current = .array([.bytes(bitmap), .array([current]), .array([])])
        }
        return (slots, bitWidth)
    }

    /// The entries that differ between two AMTs.
    func amt(_ old: Cid, _ new: Cid) throws -> [UInt64: Change] {
        let heights = try [old, new].map { Int(try #require(try file.tuple($0)[1].number)) }
        let height = max(heights[0], heights[1])
        let a = try amtRoot(old, height: height)
        let b = try amtRoot(new, height: height)
        try #require(a.bitWidth == b.bitWidth)
        var before: [UInt64: CborValue] = [:]
        var after: [UInt64: CborValue] = [:]
        func walk(_ left: [Int: CborValue], _ right: [Int: CborValue], _ height: Int, _ first: UInt64) throws {
            for slot in Set(left.keys).union(right.keys) where left[slot] != right[slot] {
                let start = first + UInt64(slot) << UInt64(a.bitWidth * height)
                if height == 0 {
                    before[start] = left[slot]
                    after[start] = right[slot]
                } else {
                    try walk(try left[slot].map(child) ?? [:], try right[slot].map(child) ?? [:], height - 1, start)
                }
            }
        }
        try walk(a.slots, b.slots, height, 0)
        var out: [UInt64: Change] = [:]
        for index in Set(before.keys).union(after.keys) { out[index] = (before[index], after[index]) }
        return out
    }
}
