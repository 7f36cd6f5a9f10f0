import CodeImage

/// Encodes x86-64 instructions (Intel SDM, volume 2) one behind the other.
///
/// `wide` is 64 bits, otherwise 32, which clear the upper half of a register. Jumps take 32-bit displacements.
struct Assembler {
    private(set) var code: [UInt8] = []
    /// By label; -1 where it is not bound yet.
    private var positions: [Int] = []
    private var fixups: [Fixup] = []

    /// A place in the code that jumps can name before it is there.
    struct Label: Hashable {
        fileprivate let number: Int
    }

    private struct Fixup {
        /// Of the 32-bit displacement.
        var place: Int
        var label: Label
        /// What the displacement counts from.
        var origin: Int
    }

    enum Place {
        case register(UInt8)
        case memory(Memory)
    }

    /// Arithmetic with two operands, by its number in instructions.
    enum Arithmetic: UInt8 {
        case add = 0
        case or = 1
        case and = 4
        case subtract = 5
        case xor = 6
        case compare = 7
    }

    enum Shift: UInt8 {
        case rotateLeft = 0
        case rotateRight = 1
        case left = 4
        case rightUnsigned = 5
        case rightSigned = 7
    }

    /// Opcode maps.
    private enum Map { case one, two, three38, three3A }

    var count: Int { code.count }

    mutating func reserve(_ bytes: Int) { code.reserveCapacity(code.count + bytes) }

    // MARK: Labels

    mutating func makeLabel() -> Label {
        positions.append(-1)
        return Label(number: positions.count - 1)
    }

    mutating func bind(_ label: Label) { positions[label.number] = code.count }

    /// Fills in all displacements. A label that was never bound is a fault of the caller.
    mutating func resolve() {
        for fixup in fixups {
            let target = positions[fixup.label.number]
            precondition(target >= 0, "a jump to nowhere")
            store(Int32(target - fixup.origin), at: fixup.place)
        }
        fixups.removeAll(keepingCapacity: true)
    }

    /// Forgets labels that no later code names.
    mutating func finishFunction() {
        resolve()
        positions.removeAll(keepingCapacity: true)
    }

    private mutating func store(_ value: Int32, at place: Int) {
        let bits = UInt32(bitPattern: value)
        for byte in 0..<4 { code[place + byte] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(byte))) }
    }

    // MARK: Encoding

    mutating func byte(_ value: UInt8) { code.append(value) }

    private mutating func immediate32(_ value: Int32) {
        let bits = UInt32(bitPattern: value)
        code.append(UInt8(truncatingIfNeeded: bits))
        code.append(UInt8(truncatingIfNeeded: bits >> 8))
        code.append(UInt8(truncatingIfNeeded: bits >> 16))
        code.append(UInt8(truncatingIfNeeded: bits >> 24))
    }

    private mutating func immediate64(_ value: UInt64) {
        immediate32(Int32(truncatingIfNeeded: value))
        immediate32(Int32(truncatingIfNeeded: value >> 32))
    }

    /// - Parameters:
    ///   - prefix: 0x66, 0xF2 or 0xF3.
    ///   - bytes: whether `field`, or the register in `place`, is a byte register.
    private mutating func encode(
        prefix: UInt8? = nil, map: Map = .one, _ opcode: UInt8, field: UInt8, _ place: Place, wide: Bool,
        bytes: Bool = false
    ) {
        if let prefix { code.append(prefix) }
        var rex: UInt8 = wide ? 0x48 : 0
        if field > 7 { rex |= 0x44 }
        switch place {
        case .register(let number):
            if number > 7 { rex |= 0x41 }
            // spl, bpl, sil, dil instead of the high halves.
            if bytes, number > 3 { rex |= 0x40 }
        case .memory(let memory):
            if memory.base.rawValue > 7 { rex |= 0x41 }
            if let index = memory.index, index.rawValue > 7 { rex |= 0x42 }
        }
        if bytes, field > 3 { rex |= 0x40 }
        if rex != 0 { code.append(rex | 0x40) }
        switch map {
        case .one: break
        case .two: code.append(0x0F)
        case .three38:
            code.append(0x0F)
            code.append(0x38)
        case .three3A:
            code.append(0x0F)
            code.append(0x3A)
        }
        code.append(opcode)
        let low = (field & 7) << 3
        switch place {
        case .register(let number): code.append(0xC0 | low | number & 7)
        case .memory(let memory): address(memory, low)
        }
    }

    private mutating func address(_ memory: Memory, _ field: UInt8) {
        let base = memory.base.rawValue & 7
        let displacement = memory.displacement
        // rbp and r13 have no form without displacement.
        let mode: UInt8 =
            displacement == 0 && base != 5 ? 0 : (displacement >= -128 && displacement <= 127 ? 0x40 : 0x80)
        if let index = memory.index {
            code.append(mode | field | 4)
            code.append((index.rawValue & 7) << 3 | base)
        } else if base == 4 {
            code.append(mode | field | 4)
            code.append(0x24)
        } else {
            code.append(mode | field | base)
        }
        if mode == 0x40 { code.append(UInt8(bitPattern: Int8(displacement))) }
        if mode == 0x80 { immediate32(displacement) }
    }

    // MARK: Moves

    mutating func move(_ to: GP, _ from: GP, wide: Bool) {
        encode(0x89, field: from.rawValue, .register(to.rawValue), wide: wide)
    }

    /// A 32-bit constant clears the upper half, too.
    mutating func move(_ to: GP, _ value: UInt64) {
        if value == 0 || value <= UInt64(UInt32.max) {
            if to.rawValue > 7 { code.append(0x41) }
            code.append(0xB8 | to.rawValue & 7)
            immediate32(Int32(truncatingIfNeeded: value))
        } else if Int64(bitPattern: value) >= Int64(Int32.min), Int64(bitPattern: value) < 0 {
            encode(0xC7, field: 0, .register(to.rawValue), wide: true)
            immediate32(Int32(truncatingIfNeeded: value))
        } else {
            code.append(to.rawValue > 7 ? 0x49 : 0x48)
            code.append(0xB8 | to.rawValue & 7)
            immediate64(value)
        }
    }

    mutating func load(_ to: GP, _ from: Memory, wide: Bool) {
        encode(0x8B, field: to.rawValue, .memory(from), wide: wide)
    }

    mutating func store(_ from: GP, _ to: Memory, wide: Bool) {
        encode(0x89, field: from.rawValue, .memory(to), wide: wide)
    }

    /// The lowest 8 or 16 bits.
    mutating func store(narrow width: Int, _ from: GP, _ to: Memory) {
        if width == 1 {
            encode(0x88, field: from.rawValue, .memory(to), wide: false, bytes: true)
        } else {
            encode(prefix: 0x66, 0x89, field: from.rawValue, .memory(to), wide: false)
        }
    }

    /// A constant of 1, 2, 4 or 8 bytes, sign-extended from 32 bits to 8 bytes.
    mutating func store(_ value: Int32, width: Int, _ to: Memory) {
        switch width {
        case 1:
            encode(0xC6, field: 0, .memory(to), wide: false)
            code.append(UInt8(truncatingIfNeeded: value))
        case 2:
            encode(prefix: 0x66, 0xC7, field: 0, .memory(to), wide: false)
            code.append(UInt8(truncatingIfNeeded: value))
            code.append(UInt8(truncatingIfNeeded: value >> 8))
        default:
            encode(0xC7, field: 0, .memory(to), wide: width == 8)
            immediate32(value)
        }
    }

    /// Loads 1, 2 or 4 bytes and extends them.
    mutating func load(extending width: Int, signed: Bool, _ to: GP, _ from: Place, wide: Bool) {
        switch (width, signed) {
        case (1, true): encode(map: .two, 0xBE, field: to.rawValue, from, wide: wide, bytes: isRegister(from))
        case (1, false):
            encode(map: .two, 0xB6, field: to.rawValue, from, wide: false, bytes: isRegister(from))
        case (2, true): encode(map: .two, 0xBF, field: to.rawValue, from, wide: wide)
        case (2, false): encode(map: .two, 0xB7, field: to.rawValue, from, wide: false)
        case (_, true): encode(0x63, field: to.rawValue, from, wide: wide)
        case (_, false): encode(0x8B, field: to.rawValue, from, wide: false)
        }
    }

    private func isRegister(_ place: Place) -> Bool { if case .register = place { true } else { false } }

    mutating func address(_ to: GP, _ of: Memory, wide: Bool) {
        encode(0x8D, field: to.rawValue, .memory(of), wide: wide)
    }

    /// The address of a label.
    mutating func address(_ to: GP, of label: Label) {
        code.append(to.rawValue > 7 ? 0x4C : 0x48)
        code.append(0x8D)
        code.append(0x05 | (to.rawValue & 7) << 3)
        displacement(label)
    }

    mutating func push(_ register: GP) {
        if register.rawValue > 7 { code.append(0x41) }
        code.append(0x50 | register.rawValue & 7)
    }

    mutating func pop(_ register: GP) {
        if register.rawValue > 7 { code.append(0x41) }
        code.append(0x58 | register.rawValue & 7)
    }

    // MARK: Arithmetic

    mutating func arithmetic(_ operation: Arithmetic, _ to: GP, _ from: Place, wide: Bool) {
        encode(operation.rawValue << 3 | 3, field: to.rawValue, from, wide: wide)
    }

    mutating func arithmetic(_ operation: Arithmetic, _ to: Place, _ value: Int32, wide: Bool) {
        if value >= -128 && value <= 127 {
            encode(0x83, field: operation.rawValue, to, wide: wide)
            code.append(UInt8(bitPattern: Int8(value)))
        } else {
            encode(0x81, field: operation.rawValue, to, wide: wide)
            immediate32(value)
        }
    }

    /// Subtracts a register from memory.
    mutating func subtract(_ from: GP, _ to: Memory) { encode(0x29, field: from.rawValue, .memory(to), wide: true) }

    mutating func test(_ a: GP, _ b: GP, wide: Bool) {
        encode(0x85, field: b.rawValue, .register(a.rawValue), wide: wide)
    }

    mutating func multiply(_ to: GP, _ from: Place, wide: Bool) {
        encode(map: .two, 0xAF, field: to.rawValue, from, wide: wide)
    }

    mutating func multiply(_ to: GP, _ from: Place, by value: Int32, wide: Bool) {
        encode(0x69, field: to.rawValue, from, wide: wide)
        immediate32(value)
    }

    /// By the amount in cl.
    mutating func shift(_ shift: Shift, _ register: GP, wide: Bool) {
        encode(0xD3, field: shift.rawValue, .register(register.rawValue), wide: wide)
    }

    mutating func shift(_ shift: Shift, _ register: GP, by amount: UInt8, wide: Bool) {
        encode(0xC1, field: shift.rawValue, .register(register.rawValue), wide: wide)
        code.append(amount)
    }

    /// rdx:rax by a register.
    mutating func divide(signed: Bool, by register: GP, wide: Bool) {
        encode(0xF7, field: signed ? 7 : 6, .register(register.rawValue), wide: wide)
    }

    /// Extends rax into rdx.
    mutating func extendForDivision(wide: Bool) {
        if wide { code.append(0x48) }
        code.append(0x99)
    }

    mutating func popcount(_ to: GP, _ from: Place, wide: Bool) {
        encode(prefix: 0xF3, map: .two, 0xB8, field: to.rawValue, from, wide: wide)
    }

    /// The number of the highest or lowest set bit; the zero flag says that there is none.
    mutating func scanBits(highest: Bool, _ to: GP, _ from: Place, wide: Bool) {
        encode(map: .two, highest ? 0xBD : 0xBC, field: to.rawValue, from, wide: wide)
    }

    mutating func set(_ condition: Condition, _ register: GP) {
        encode(map: .two, 0x90 | condition.rawValue, field: 0, .register(register.rawValue), wide: false, bytes: true)
    }

    mutating func moveIf(_ condition: Condition, _ to: GP, _ from: Place, wide: Bool) {
        encode(map: .two, 0x40 | condition.rawValue, field: to.rawValue, from, wide: wide)
    }

    /// Stores rax rcx times from rdi on.
    mutating func fill() { code += [0xF3, 0x48, 0xAB] }

    // MARK: Control

    private mutating func displacement(_ label: Label) {
        fixups.append(Fixup(place: code.count, label: label, origin: code.count + 4))
        immediate32(0)
    }

    mutating func jump(_ label: Label) {
        code.append(0xE9)
        displacement(label)
    }

    mutating func jump(_ condition: Condition, _ label: Label) {
        code.append(0x0F)
        code.append(0x80 | condition.rawValue)
        displacement(label)
    }

    mutating func jump(_ register: GP) { encode(0xFF, field: 4, .register(register.rawValue), wide: false) }
    mutating func jump(_ memory: Memory) { encode(0xFF, field: 4, .memory(memory), wide: false) }
    mutating func call(_ register: GP) { encode(0xFF, field: 2, .register(register.rawValue), wide: false) }
    mutating func call(_ memory: Memory) { encode(0xFF, field: 2, .memory(memory), wide: false) }

    /// A call or jump whose target is filled in later by `link`; the place of its displacement.
    mutating func callLater(jump: Bool = false) -> Int {
        code.append(jump ? 0xE9 : 0xE8)
        immediate32(0)
        return code.count - 4
    }

    mutating func link(_ place: Int, to target: Int) { store(Int32(target - place - 4), at: place) }

    /// An entry of a jump table: where a label is, counted from `table`.
    mutating func tableEntry(_ label: Label, from table: Int) {
        fixups.append(Fixup(place: code.count, label: label, origin: table))
        immediate32(0)
    }

    /// Replaces a number by the entry with that number of the jump table that r11 points to.
    mutating func loadTableEntry(_ register: GP) {
        let low = register.rawValue & 7
        code.append(register.rawValue > 7 ? 0x4F : 0x49)
        code.append(0x63)
        code.append(low << 3 | 4)
        code.append(0x80 | low << 3 | 3)
    }

    mutating func `return`() { code.append(0xC3) }

    /// Fills with what traps when it is run.
    mutating func align(_ boundary: Int) { while code.count % boundary != 0 { code.append(0xCC) } }

    // MARK: Floats

    /// Scalar arithmetic by opcode: 0x58 add, 0x59 multiply, 0x5C subtract, 0x5E divide, 0x51 square root, 0x5D minimum,
    /// 0x5F maximum, 0x5A to the other width.
    mutating func float(_ opcode: UInt8, _ to: XMM, _ from: Place, double: Bool) {
        encode(prefix: double ? 0xF2 : 0xF3, map: .two, opcode, field: to.number, from, wide: false)
    }

    mutating func load(_ to: XMM, _ from: Memory, double: Bool) {
        encode(prefix: double ? 0xF2 : 0xF3, map: .two, 0x10, field: to.number, .memory(from), wide: false)
    }

    mutating func store(_ from: XMM, _ to: Memory, double: Bool) {
        encode(prefix: double ? 0xF2 : 0xF3, map: .two, 0x11, field: from.number, .memory(to), wide: false)
    }

    mutating func move(_ to: XMM, _ from: XMM) {
        encode(map: .two, 0x28, field: to.number, .register(from.number), wide: false)
    }

    /// Bits of a general register.
    mutating func move(_ to: XMM, _ from: GP, wide: Bool) {
        encode(prefix: 0x66, map: .two, 0x6E, field: to.number, .register(from.rawValue), wide: wide)
    }

    mutating func move(_ to: GP, _ from: XMM, wide: Bool) {
        encode(prefix: 0x66, map: .two, 0x7E, field: from.number, .register(to.rawValue), wide: wide)
    }

    /// Sets zero, parity and carry; all three where one is a NaN.
    mutating func compare(_ a: XMM, _ b: Place, double: Bool) {
        encode(prefix: double ? 0x66 : nil, map: .two, 0x2E, field: a.number, b, wide: false)
    }

    /// Bitwise by opcode: 0x54 and, 0x56 or, 0x57 exclusive or.
    mutating func bits(_ opcode: UInt8, _ to: XMM, _ from: XMM) {
        encode(map: .two, opcode, field: to.number, .register(from.number), wide: false)
    }

    /// Rounds by mode: 0 nearest, 1 down, 2 up, 3 to zero.
    mutating func round(_ to: XMM, _ from: Place, mode: UInt8, double: Bool) {
        encode(prefix: 0x66, map: .three3A, double ? 0x0B : 0x0A, field: to.number, from, wide: false)
        code.append(8 | mode)
    }

    mutating func convert(_ to: XMM, fromSigned from: GP, wide: Bool, double: Bool) {
        encode(prefix: double ? 0xF2 : 0xF3, map: .two, 0x2A, field: to.number, .register(from.rawValue), wide: wide)
    }

    mutating func truncate(_ to: GP, _ from: XMM, wide: Bool, double: Bool) {
        encode(prefix: double ? 0xF2 : 0xF3, map: .two, 0x2C, field: to.rawValue, .register(from.number), wide: wide)
    }
}
