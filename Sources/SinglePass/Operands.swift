import WasmFormat

/// Where an operand of the guest is at the moment.
enum Place: Hashable {
    case constant(UInt64)
    /// The value of a local, which is still the same.
    case local(Int)
    case gp(GP)
    case xmm(XMM)
    /// In the frame's slot for its height on the stack.
    case slot(Int)
    /// The processor's flags, until the next instruction, which takes them.
    case flags(Condition)
}

/// An operand on the guest's stack.
struct Operand: Hashable {
    var type: ValueType
    var place: Place

    var isFloat: Bool { type == .f32 || type == .f64 }
    /// Whether all 64 bits of a general register are its value.
    var isWide: Bool { type == .i64 || type == .funcref }
    var isDouble: Bool { type == .f64 }
}

extension ValueType {
    var isWide: Bool { self == .i64 || self == .funcref }
}

/// Where the arguments of a call are passed.
struct ArgumentPlaces {
    enum Place: Hashable {
        case gp(GP)
        case xmm(XMM)
        /// The number of an 8-byte place on the stack.
        case stack(Int)
    }

    private(set) var places: [Place] = []
    /// 8-byte places on the stack.
    private(set) var stackCount = 0

    init(_ types: [ValueType], registers: [GP] = Convention.arguments) {
        var general = registers[...]
        var floats: UInt8 = 0
        places.reserveCapacity(types.count)
        for type in types {
            if type.isFloat, Int(floats) < Convention.floatArguments {
                places.append(.xmm(XMM(floats)))
                floats += 1
            } else if !type.isFloat, let register = general.popFirst() {
                places.append(.gp(register))
            } else {
                places.append(.stack(stackCount))
                stackCount += 1
            }
        }
    }
}

/// A set of registers.
struct RegisterSet {
    private var bits: UInt32 = 0

    init() {}
    init(_ registers: [GP]) { for register in registers { insert(register.rawValue) } }
    init(_ numbers: Range<UInt8>) { for number in numbers { insert(number) } }

    mutating func insert(_ number: UInt8) { bits |= 1 << UInt32(number) }
    mutating func remove(_ number: UInt8) { bits &= ~(1 << UInt32(number)) }
    func contains(_ number: UInt8) -> Bool { bits & (1 << UInt32(number)) != 0 }

    /// The one with the lowest number.
    mutating func popFirst() -> UInt8? {
        guard bits != 0 else { return nil }
        let number = UInt8(bits.trailingZeroBitCount)
        remove(number)
        return number
    }
}
