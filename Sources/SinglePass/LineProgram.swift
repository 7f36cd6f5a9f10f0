import CodeImage

/// A line table (DWARF 5, section 6.2) that maps the text to byte offsets of the WASM binary, which stand for lines.
struct LineProgram {
    /// From here on code comes from this byte of the binary; 0 is none.
    struct Row {
        /// From the start of the text.
        var address: Int
        var line: UInt32
    }

    private static let opcodeBase: UInt8 = 13

    /// The section, and where in it the text's address is to be put.
    static func encode(_ rows: [Row], textSize: Int) -> (bytes: [UInt8], addressPlace: Int) {
        var program: [UInt8] = []
        program.reserveCapacity(rows.count * 6 + 32)
        program += [0, 9, 2]
        let place = program.count
        program += [UInt8](repeating: 0, count: 8)
        var address = 0
        var line: Int64 = 1
        for row in rows {
            if row.address > address {
                program.append(2)
                append(unsigned: UInt64(row.address - address), &program)
                address = row.address
            }
            if Int64(row.line) != line {
                program.append(3)
                append(signed: Int64(row.line) - line, &program)
                line = Int64(row.line)
            }
            program.append(1)
        }
        program.append(2)
        append(unsigned: UInt64(max(0, textSize - address)), &program)
        program += [0, 1, 1]

        // Directories and files are given by a path each, as text.
        var header: [UInt8] = [1, 1, 1, UInt8(bitPattern: -3), 12, opcodeBase]
        header += [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]
        header += [1, 1, 8, 1] + Array("/".utf8) + [0]
        header += [1, 1, 8, 1] + Array("module.wasm".utf8) + [0]
        var unit: [UInt8] = littleEndian(UInt16(5)) + [8, 0] + littleEndian(UInt32(header.count))
        unit += header
        let start = 4 + unit.count
        unit += program
        return (littleEndian(UInt32(unit.count)) + unit, start + place)
    }

    private static func append(unsigned value: UInt64, _ bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func append(signed value: Int64, _ bytes: inout [UInt8]) {
        var rest = value
        while rest < -64 || rest > 63 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest) & 0x7F)
    }
}
