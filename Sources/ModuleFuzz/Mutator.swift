import TestSupport
import WasmFormat

/// Damages binaries in ways that decoders and validators must notice, or not.
public struct Mutator {
    private var random: FuzzRandom

    public init(seed: UInt64) { random = FuzzRandom(seed: seed) }

    /// The bytes with one to four changes.
    public mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var changed = bytes
        for _ in 0..<(random.chance(70) ? 1 : 2 + random.below(3)) {
            switch random.below(10) {
            case 0...6: changed = changedInstruction(changed)
            case 7: changed = changedSections(changed)
            default: changedBytes(&changed)
            }
        }
        return changed
    }

    private mutating func place(_ count: Int) -> Int {
        // The first bytes are the header, where changes are seldom of interest.
        count > 16 && random.chance(98) ? 8 + random.below(count - 8) : random.below(count)
    }

    private mutating func changedBytes(_ bytes: inout [UInt8]) {
        guard bytes.count > 1 else { return }
        let at = place(bytes.count)
        switch random.below(8) {
        case 0...2: bytes[at] ^= 1 << UInt8(random.below(8))
        case 3: bytes[at] = random.pick([0x00, 0x01, 0x40, 0x60, 0x6F, 0x70, 0x7B, 0x7F, 0x80, 0xFC, 0xFF]) ?? 0
        case 4: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 5: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(3)))
        case 6: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + random.below(6))], at: place(bytes.count))
        default:
            // A number in more bytes than it needs, or the end of the file.
            if random.chance(30) { return bytes.removeSubrange(at...) }
            bytes[at] |= 0x80
            bytes.insert(contentsOf: [UInt8](repeating: 0x80, count: random.below(5)) + [0x00], at: at + 1)
        }
    }

    /// One instruction replaced by another, sizes put right.
    private mutating func changedInstruction(_ bytes: [UInt8]) -> [UInt8] {
        guard let module = try? Module.decode(bytes, profile: .fvm), var raw = RawModule(bytes),
            let index = random.pick(raw.bodies.indices), module.bodies.indices.contains(index),
            let last = module.bodies[index].instructions.last
        else { return bytes }
        let offsets = module.bodies[index].instructions.map { Int($0.offset) }
        let base = Int(last.offset) + 1 - raw.bodies[index].count
        let at = random.below(offsets.count)
        let start = offsets[at] - base
        let end = at + 1 < offsets.count ? offsets[at + 1] - base : raw.bodies[index].count
        switch random.below(9) {
        case 0: raw.bodies[index].removeSubrange(start..<end)
        case 1: raw.bodies[index].insert(contentsOf: raw.bodies[index][start..<end], at: start)
        case 2: raw.bodies[index][start] = UInt8(truncatingIfNeeded: random.next())
        case 3 where end - start > 1:
            // An immediate.
            let place = start + 1 + random.below(end - start - 1)
            raw.bodies[index][place] = random.chance(50) ? raw.bodies[index][place] ^ 0x40 : UInt8(random.below(256))
        case 4...6:
            // An instruction with the same operands and immediates.
            let old = module.bodies[index].instructions[at].opcode
            let alike = Opcode.allCases.filter {
                $0.rawValue < 0x100 && old.rawValue < 0x100 && $0.row.immediates == old.row.immediates
                    && $0.row.types == old.row.types
            }
            guard let opcode = random.pick(alike) else { return bytes }
            raw.bodies[index][start] = UInt8(truncatingIfNeeded: opcode.rawValue)
        default:
            guard let opcode = random.pick(Opcode.allCases) else { return bytes }
            let code = opcode.encoded
            raw.bodies[index].replaceSubrange(start..<(start + 1), with: code)
        }
        return raw.bytes
    }

    private mutating func changedSections(_ bytes: [UInt8]) -> [UInt8] {
        guard var raw = RawModule(bytes), !raw.sections.isEmpty else { return bytes }
        let index = random.below(raw.sections.count)
        switch random.below(5) {
        case 0: raw.swapSections(index, random.below(raw.sections.count))
        case 1: raw.removeSection(index)
        case 2: raw.repeatSection(index)
        default:
            guard raw.sections[index].id != 10 else { return bytes }
            var section = raw.sections[index].bytes
            changedBytes(&section)
            raw.replaceSection(index, section)
        }
        return raw.bytes
    }
}
