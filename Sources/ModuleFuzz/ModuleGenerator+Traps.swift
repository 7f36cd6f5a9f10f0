import TestSupport
import WasmFormat

extension ModuleGenerator {
    /// Instructions a function may have to get variants.
    private static let lengths = 12...70

    /// Code that traps and changes nothing on the stack.
    private func trapping(_ kind: Int) -> [UInt8] {
        let minusOne: [UInt8] = [0x41, 0x7F]
        let zero: [UInt8] = [0x41, 0]
        switch kind % 7 {
        case 0 where shape.memory != nil: return minusOne + [0x28, 0, 0, 0x1A]
        case 1 where shape.memory != nil: return minusOne + zero + [0x36, 0, 0]
        case 2 where shape.memory != nil: return minusOne + zero + zero + [0x6A, 0x41, 1, 0xFC, 0x0B, 0]
        case 3 where shape.table != nil: return minusOne + [0x25, 0, 0x1A]
        case 4: return [0x41, 1] + zero + [0x6D, 0x1A]
        case 5: return [0x43, 0, 0, 0xC0, 0x7F, 0xA8, 0x1A]
        default: return [0x00]
        }
    }

    /// Adds the variants; false when there is nothing to make them of.
    mutating func addTraps(_ made: inout GeneratedModule) -> Bool {
        guard let decoded = try? Module.decode(made.bytes, profile: .fvm) else { return false }
        let candidates = decoded.bodies.indices.filter {
            Self.lengths.contains(decoded.bodies[$0].instructions.count)
                && made.functions.map(\.name)
                    .contains("f\($0 + shape.importCount)")
        }
        guard
            let index = candidates.max(by: {
                decoded.bodies[$0].instructions.count < decoded.bodies[$1].instructions.count
            })
        else { return false }
        let original = module.functions[index]
        let offsets = decoded.bodies[index].instructions.map { Int($0.offset) }
        let type = shape.types[original.type]
        for (position, offset) in offsets.enumerated() {
            var variant = original
            variant.code.insert(contentsOf: trapping(position), at: offset - offsets[0])
            let name = "v\(position)"
            module.exports.append((name, 0, shape.importCount + module.functions.count))
            module.functions.append(variant)
            made.functions.append(.init(name: name, type: type))
        }
        made.bytes = module.bytes
        return true
    }
}
