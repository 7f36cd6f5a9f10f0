/// The line tables of an object as they are in its file, for who does not keep the file.
public struct LineTableSection: Sendable {
    fileprivate let bytes: [UInt8]
    fileprivate let moduleAddress: UInt64

    /// Empty for an object without tables.
    public init(_ object: LoadableObject) {
        moduleAddress = object.moduleAddress
        bytes = object.lineTables.map { Array(object.bytes[$0]) } ?? []
    }
}

/// Which byte of the WASM binary an instruction of an object comes from, for naming the places of traps.
///
/// Read from the object's DWARF 5 line tables (DWARF 5, section 6.2), whose line numbers are byte offsets.
/// For people only: nothing an actor can see depends on it.
public struct LineTable: Sendable {
    private struct Row {
        var address: UInt64
        /// 0 where the code comes from no WASM instruction, and at the end of a run.
        var offset: UInt32
    }

    private var rows: [Row] = []
    private let moduleAddress: UInt64

    /// Reads the tables of an object; one without tables knows no places. Offsets in errors count from the section's
    /// start.
    public init(_ section: LineTableSection) throws(ArtifactError) {
        moduleAddress = section.moduleAddress
        var cursor = Cursor(bytes: section.bytes, position: 0, end: UInt64(section.bytes.count))
        while cursor.position < cursor.end { try readUnit(&cursor) }
        // Of two rows for one address the later one counts: the earlier has no instruction of its own.
        rows = rows.enumerated().sorted { ($0.element.address, $0.offset) < ($1.element.address, $1.offset) }
            .map(\.element)
    }

    /// The byte offset in the WASM binary of the instruction at a native address, given by its distance in bytes
    /// from `smelt_module` in memory; nil when it is not known.
    public func wasmOffset(distanceFromModule distance: Int64) -> UInt32? {
        let address = moduleAddress &+ UInt64(bitPattern: distance)
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, rows[low - 1].offset != 0 else { return nil }
        return rows[low - 1].offset
    }

    /// Bytes of a section, read in order with every access checked.
    private struct Cursor {
        let bytes: [UInt8]
        var position: UInt64
        var end: UInt64

        mutating func number<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self) throws(ArtifactError) -> T
        {
            let size = UInt64(MemoryLayout<T>.size)
            guard position <= end, size <= end - position else {
                throw ArtifactError(.truncated, "line table", at: position, "ends inside of a number")
            }
            defer { position += size }
            return try bytes.load(at: position, "line table")
        }

        /// LEB128 of at most 64 bits, higher ones are dropped: the bits, how many were read, and whether the last one
        /// of them is set.
        private mutating func leb128() throws(ArtifactError) -> (value: UInt64, width: UInt64, isNegative: Bool) {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                let byte: UInt8 = try number()
                if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
                shift += 7
                if byte < 0x80 { return (value, shift, byte & 0x40 != 0) }
            }
        }

        mutating func unsigned() throws(ArtifactError) -> UInt64 { try leb128().value }

        mutating func signed() throws(ArtifactError) -> Int64 {
            let read = try leb128()
            let extends = read.isNegative && read.width < 64
            return Int64(bitPattern: extends ? read.value | ~0 << read.width : read.value)
        }

        mutating func skip(_ count: UInt64) throws(ArtifactError) {
            guard count <= end - position else {
                throw ArtifactError(.truncated, "line table", at: position, "ends inside of an entry")
            }
            position += count
        }
    }

    /// What a unit's header says about its program.
    private struct Header {
        var minimumLength: UInt64
        var lineBase: Int64
        var lineRange: UInt64
        var opcodeBase: UInt8
        var operandCounts: [UInt8]
    }

    private mutating func readUnit(_ cursor: inout Cursor) throws(ArtifactError) {
        let start = cursor.position
        let length = UInt64(try cursor.number(UInt32.self))
        guard length <= cursor.end - cursor.position else {
            throw ArtifactError(.truncated, "line table", at: start, "a unit of \(length) bytes reaches beyond the end")
        }
        var unit = Cursor(bytes: cursor.bytes, position: cursor.position, end: cursor.position + length)
        cursor.position = unit.end
        let version = try unit.number(UInt16.self)
        // Another version is another producer's: it has no places for us.
        guard version == 5 else { return }
        _ = try unit.number(UInt16.self)  // sizes of an address and a segment selector
        let headerLength = UInt64(try unit.number(UInt32.self))
        guard headerLength <= unit.end - unit.position else {
            throw ArtifactError(.truncated, "line table", at: start, "a header of \(headerLength) bytes is too long")
        }
        let program = unit.position + headerLength
        let minimumLength = UInt64(try unit.number(UInt8.self))
        _ = try unit.number(UInt16.self)  // operations per instruction, and whether rows are statements
        let lineBase = Int64(Int8(bitPattern: try unit.number(UInt8.self)))
        let lineRange = UInt64(try unit.number(UInt8.self))
        let opcodeBase = try unit.number(UInt8.self)
        guard lineRange > 0, opcodeBase > 0 else {
            throw ArtifactError(.truncated, "line table", at: start, "has no line range or no opcodes")
        }
        var operandCounts: [UInt8] = []
        for _ in 1..<max(1, opcodeBase) { operandCounts.append(try unit.number()) }
        unit.position = program
        try run(
            &unit,
            Header(
                minimumLength: minimumLength, lineBase: lineBase, lineRange: lineRange, opcodeBase: opcodeBase,
                operandCounts: operandCounts))
    }

    /// Runs a unit's program. Numbers wrap: they are a file's, and a wrong place is the worst that comes of it.
    private mutating func run(_ unit: inout Cursor, _ header: Header) throws(ArtifactError) {
        var address: UInt64 = 0
        var line: Int64 = 1
        func row() -> Row { Row(address: address, offset: UInt32(exactly: line) ?? 0) }
        while unit.position < unit.end {
            let opcode = try unit.number(UInt8.self)
            if opcode >= header.opcodeBase {
                let adjusted = UInt64(opcode - header.opcodeBase)
                address &+= adjusted / header.lineRange &* header.minimumLength
                line &+= header.lineBase &+ Int64(adjusted % header.lineRange)
                rows.append(row())
                continue
            }
            switch opcode {
            case 0:
                let length = try unit.unsigned()
                guard length > 0 else { continue }
                let next = unit.position
                switch try unit.number(UInt8.self) {
                case 1:
                    rows.append(Row(address: address, offset: 0))
                    address = 0
                    line = 1
                case 2 where length == 9: address = try unit.number()
                default: break
                }
                unit.position = next
                try unit.skip(length)
            case 1: rows.append(row())
            case 2: address &+= try unit.unsigned() &* header.minimumLength
            case 3: line &+= try unit.signed()
            case 8: address &+= UInt64(255 - header.opcodeBase) / header.lineRange &* header.minimumLength
            case 9: address &+= UInt64(try unit.number(UInt16.self))
            default:
                // Columns, files and flags, and what later versions may add.
                for _ in 0..<header.operandCounts[Int(opcode) - 1] { _ = try unit.unsigned() }
            }
        }
    }
}
