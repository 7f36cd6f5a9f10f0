/// An object's line table (DWARF 5, section 6.2): from native code to byte offsets in the WASM binary, which
/// the compiler writes as line numbers. For diagnostics: whatever is odd in it gives no answer.
struct LineTable: Sendable {
    /// The section `.debug_line`.
    private let program: [UInt8]
    /// Address of `.text` in the object's own address space.
    private let textAddress: UInt64

    /// Takes the table out of an ELF object; nil when it has none.
    init?(object: [UInt8]) {
        let file = ByteReader(object)
        guard let table = file.number(at: 0x28, 8), let rowSize = file.number(at: 0x3A, 2),
            let count = file.number(at: 0x3C, 2), let namesIndex = file.number(at: 0x3E, 2), namesIndex < count
        else { return nil }
        func section(_ index: UInt64) -> (name: UInt64, address: UInt64, offset: UInt64, size: UInt64)? {
            let (row, overflow) = table.addingReportingOverflow(index * rowSize)
            guard !overflow, let name = file.number(at: row, 4), let address = file.number(at: row &+ 16, 8),
                let offset = file.number(at: row &+ 24, 8), let size = file.number(at: row &+ 32, 8)
            else { return nil }
            return (name, address, offset, size)
        }
        guard let names = section(namesIndex) else { return nil }
        var text: UInt64?
        var program: ArraySlice<UInt8>?
        for index in 0..<count {
            guard let row = section(index) else { continue }
            let name = file.text(at: names.offset &+ row.name)
            if name == Array(".text".utf8) { text = row.address }
            if name == Array(".debug_line".utf8) { program = file.slice(at: row.offset, row.size) }
        }
        guard let text, let program else { return nil }
        textAddress = text
        self.program = Array(program)
    }

    /// The WASM byte offset of the instruction that contains the byte `offset` of `.text`; nil when unknown.
    func wasmOffset(at offset: UInt64) -> UInt32? {
        let target = textAddress &+ offset
        let bytes = ByteReader(program)
        var start: UInt64 = 0
        while let length = bytes.number(at: start, 4), length < 0xFFFF_FFF0,
            let version = bytes.number(at: start + 4, 2)
        {
            let end = start + 4 + length
            // Versions before 5 lack two size fields; smelt writes none.
            guard version == 5, let headerLength = bytes.number(at: start + 8, 4) else { return nil }
            var machine = Machine(bytes: bytes, header: start + 12, at: start + 12 + headerLength, end: end)
            if let line = machine.run(target) { return line == 0 ? nil : UInt32(exactly: line) }
            start = end
        }
        return nil
    }

    /// The line number program's state machine (DWARF 5, 6.2.2).
    private struct Machine {
        let bytes: ByteReader
        let header: UInt64
        var at: UInt64
        let end: UInt64
        var address: UInt64 = 0
        var line: Int64 = 1
        /// The latest row at or before the target in this sequence.
        var row: (address: UInt64, line: Int64)?

        init(bytes: ByteReader, header: UInt64, at: UInt64, end: UInt64) {
            self.bytes = bytes
            self.header = header
            self.at = at
            self.end = end
        }

        /// The line of the row that covers `target`.
        mutating func run(_ target: UInt64) -> Int64? {
            guard let step = bytes.number(at: header, 1), let base = bytes.number(at: header + 3, 1),
                let range = bytes.number(at: header + 4, 1), range > 0,
                let firstSpecial = bytes.number(at: header + 5, 1)
            else { return nil }
            let lineBase = Int64(Int8(truncatingIfNeeded: base))
            while at < end, let code = bytes.number(at: at, 1) {
                at += 1
                switch code {
                case firstSpecial...:
                    address &+= (code - firstSpecial) / range * step
                    line &+= lineBase + Int64((code - firstSpecial) % range)
                    if let found = emit(target) { return found }
                case 0:
                    guard let size = unsigned(), size > 0, let extended = bytes.number(at: at, 1) else { return nil }
                    let next = at &+ size
                    if extended == 1 {
                        if let row, target < address { return row.line }
                        (address, line, row) = (0, 1, nil)
                    } else if extended == 2, let value = bytes.number(at: at + 1, 8) {
                        address = value
                    }
                    at = next
                case 1: if let found = emit(target) { return found }
                case 2: address &+= (unsigned() ?? 0) &* step
                case 3: line &+= signed() ?? 0
                case 8: address &+= (255 - firstSpecial) / range * step
                case 9:
                    address &+= bytes.number(at: at, 2) ?? 0
                    at += 2
                default:
                    // Opcodes without meaning here; the header tells how many operands they have.
                    for _ in 0..<(bytes.number(at: header + 5 + code, 1) ?? 0) { _ = unsigned() }
                }
            }
            return nil
        }

        /// A row begins at `address`: what came before covers the addresses up to it.
        private mutating func emit(_ target: UInt64) -> Int64? {
            if let row, row.address <= target, target < address { return row.line }
            row = address <= target ? (address, line) : nil
            return nil
        }

        private mutating func unsigned() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = bytes.number(at: at, 1) {
                at += 1
                if shift < 64 { value |= (byte & 0x7F) << shift }
                shift += 7
                if byte & 0x80 == 0 { return value }
            }
            return nil
        }

        private mutating func signed() -> Int64? {
            let first = at
            guard let value = unsigned(), let last = bytes.number(at: at - 1, 1) else { return nil }
            let bits = 7 * (at - first)
            return last & 0x40 != 0 && bits < 64
                ? Int64(bitPattern: value | UInt64.max << bits) : Int64(bitPattern: value)
        }
    }
}

/// Little-endian numbers at places that may not exist.
private struct ByteReader: Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func slice(at offset: UInt64, _ count: UInt64) -> ArraySlice<UInt8>? {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, end <= UInt64(bytes.count) else { return nil }
        return bytes[Int(offset)..<Int(end)]
    }

    func number(at offset: UInt64, _ count: UInt64) -> UInt64? {
        slice(at: offset, count)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The bytes up to a zero byte.
    func text(at offset: UInt64) -> [UInt8] {
        guard offset < UInt64(bytes.count) else { return [] }
        return Array(bytes[Int(offset)...].prefix { $0 != 0 })
    }
}
