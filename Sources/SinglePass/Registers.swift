/// General registers by their number in instructions.
enum GP: UInt8, Hashable {
    case rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
}

/// A register of floats, 0...15.
struct XMM: Hashable {
    var number: UInt8
    init(_ number: UInt8) { self.number = number }
    static let zero = XMM(0)
}

/// An address: base + index + displacement.
struct Memory: Hashable {
    var base: GP
    var index: GP?
    var displacement: Int32

    init(_ base: GP, _ index: GP? = nil, _ displacement: Int32 = 0) {
        self.base = base
        self.index = index
        self.displacement = displacement
    }
}

/// Conditions of jumps, `setcc` and `cmovcc`, by their number in instructions.
enum Condition: UInt8 {
    case overflow, noOverflow, below, aboveOrEqual, equal, notEqual, belowOrEqual, above
    case sign, noSign, parity, noParity, less, greaterOrEqual, lessOrEqual, greater

    /// Holds when this one does not.
    var inverted: Condition { Condition(rawValue: rawValue ^ 1) ?? self }

    /// What holds of the operands in the other order.
    var swapped: Condition {
        switch self {
        case .below: .above
        case .above: .below
        case .aboveOrEqual: .belowOrEqual
        case .belowOrEqual: .aboveOrEqual
        case .less: .greater
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .lessOrEqual: .greaterOrEqual
        default: self
        }
    }
}

/// What every function of the generated code agrees on. Nothing of it is seen outside: whoever comes from the host goes
/// through an entry that obeys the C convention.
enum Convention {
    /// The context and the memory's base, in every function and never changed by one.
    static let context = GP.r15
    static let memoryBase = GP.r14
    /// The `StackPair` at a call.
    static let stackPair = GP.rax
    /// What an instruction's code may use within itself.
    static let scratch = GP.r11
    static let scratchFloat = XMM(15)
    /// Arguments in the order of their kind; further ones on the stack, 8 bytes each.
    static let arguments: [GP] = [.rdi, .rsi, .rdx, .rcx, .r8, .r9]
    static let floatArguments = 8
    /// Kept by a callee: where the busiest locals are.
    static let kept: [GP] = [.rbx, .r12, .r13, .rbp]
    /// For operands, none of them kept by a callee.
    static let operands: [GP] = [.rax, .rcx, .rdx, .rsi, .rdi, .r8, .r9, .r10]
    static let floatOperands = 0..<UInt8(15)
    /// What a C function keeps: an entry from the host saves them.
    static let keptByC: [GP] = [.rbx, .rbp, .r12, .r13, .r14, .r15]
}
