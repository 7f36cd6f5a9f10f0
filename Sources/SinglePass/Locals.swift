import WasmFormat

/// The locals of a function and where they are. Takes space in proportion to their declarations, not to their number:
/// a short declaration can name fifty thousand.
struct Locals {
    enum Place {
        case register(GP)
        /// Bytes above the stack pointer.
        case frame(Int32)
    }

    let count: Int
    private let parameters: [ValueType]
    /// Where each group of locals behind the parameters ends.
    private var ends: [Int] = []
    private var types: [ValueType] = []
    /// Of the frame: where local 0 would be.
    private var base = 0
    private var registers: [(local: Int, register: GP)] = []
    /// Parameters that the caller put on the stack, where they stay.
    private var passed: [Int: Int32] = [:]

    init(_ parameters: [ValueType], _ body: FunctionBody) {
        self.parameters = parameters
        var end = parameters.count
        for group in body.localGroups where group.count > 0 {
            end += Int(group.count)
            ends.append(end)
            types.append(group.type)
        }
        count = end
    }

    /// The type of a local that exists.
    func type(_ local: Int) -> ValueType {
        if local < parameters.count { return parameters[local] }
        var low = 0
        var high = ends.count - 1
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] > local { high = middle } else { low = middle + 1 }
        }
        return types[low]
    }

    func place(_ local: Int) -> Place {
        for row in registers where row.local == local { return .register(row.register) }
        if local < parameters.count, let offset = passed[local] { return .frame(offset) }
        return .frame(slot(local))
    }

    /// The slot of a local that is in the frame unless it has a register.
    func slot(_ local: Int) -> Int32 { Int32(base + 8 * local) }

    /// The registers in use.
    var kept: [(local: Int, register: GP)] { registers }

    mutating func layOut(at base: Int, registers: [(local: Int, register: GP)]) {
        self.base = base
        self.registers = registers
    }

    mutating func leave(_ local: Int, at offset: Int32) { passed[local] = offset }
}
