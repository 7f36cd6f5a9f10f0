/// The parts of the ELF format that compiled actors use (System V ABI, gABI chapters 4 and 5; x86-64 psABI).
enum Elf {
    static let headerSize: UInt64 = 64
    static let programHeaderSize: UInt64 = 56
    static let sectionHeaderSize: UInt64 = 64
    static let symbolSize: UInt64 = 24
    static let relocationSize: UInt64 = 24
    static let dynamicSize: UInt64 = 16
    static let pageSize: UInt64 = 4_096

    enum SegmentType {
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        static let interpreter: UInt32 = 3
        static let note: UInt32 = 4
        static let programHeaders: UInt32 = 6
        static let threadLocal: UInt32 = 7
        static let ehFrame: UInt32 = 0x6474_e550
        static let stack: UInt32 = 0x6474_e551
        static let relro: UInt32 = 0x6474_e552
    }

    enum SegmentFlag {
        static let execute: UInt32 = 1
        static let write: UInt32 = 2
        static let read: UInt32 = 4
    }

    enum SectionType {
        static let null: UInt32 = 0
        static let programBits: UInt32 = 1
        static let symbolTable: UInt32 = 2
        static let stringTable: UInt32 = 3
        static let noBits: UInt32 = 8
        static let initArray: UInt32 = 14
        static let finiArray: UInt32 = 15
        static let preinitArray: UInt32 = 16
    }

    enum SectionFlag {
        static let allocated: UInt64 = 2
        static let threadLocal: UInt64 = 0x400
        static let compressed: UInt64 = 0x800
    }
}

/// An ELF file's headers, read with every access checked; whether they are acceptable is `ElfPolicy`'s question.
struct ElfFile {
    struct Segment {
        var type: UInt32
        var flags: UInt32
        var offset: UInt64
        var address: UInt64
        var fileSize: UInt64
        var memorySize: UInt64
        var alignment: UInt64
        /// Where its program header stands in the file.
        var headerOffset: UInt64
    }

    struct Section {
        var name: String
        var nameOffset: UInt32
        var type: UInt32
        var flags: UInt64
        var address: UInt64
        var offset: UInt64
        var size: UInt64
        var link: UInt32
        /// Where its section header stands in the file.
        var headerOffset: UInt64
    }

    let bytes: [UInt8]
    let segments: [Segment]
    let sections: [Section]
    let sectionHeaderOffset: UInt64
    let sectionNamesIndex: Int

    var loads: [Segment] { segments.filter { $0.type == Elf.SegmentType.load } }

    /// Reads the headers of `bytes`.
    ///
    /// - Throws: `.header`, `.truncated`, `.programHeaders` or `.sectionHeaders`.
    init(_ bytes: [UInt8]) throws(ArtifactError) {
        self.bytes = bytes
        try ElfFile.checkIdentity(bytes)
        let programOffset = try bytes.load(at: 32, "ELF header", as: UInt64.self)
        let sectionOffset = try bytes.load(at: 40, "ELF header", as: UInt64.self)
        let programCount = try bytes.load(at: 56, "ELF header", as: UInt16.self)
        let sectionCount = try bytes.load(at: 60, "ELF header", as: UInt16.self)
        let namesIndex = try bytes.load(at: 62, "ELF header", as: UInt16.self)
        guard programOffset == Elf.headerSize, 1...16 ~= programCount else {
            throw ArtifactError(
                .programHeaders, "ELF header", at: 32,
                "\(programCount) program headers at \(hexText(programOffset)), expected 1 to 16 at 0x40")
        }
        guard 1...256 ~= sectionCount, namesIndex < sectionCount else {
            throw ArtifactError(
                .sectionHeaders, "ELF header", at: 60,
                "\(sectionCount) section headers with names in section \(namesIndex), limit 256")
        }
        sectionHeaderOffset = sectionOffset
        sectionNamesIndex = Int(namesIndex)
        var segments: [Segment] = []
        for index in 0..<UInt64(programCount) {
            let start = Elf.headerSize + index * Elf.programHeaderSize
            segments.append(try ElfFile.readSegment(bytes, at: start, "program header \(index)"))
        }
        self.segments = segments
        sections = try ElfFile.readSections(
            bytes, at: sectionOffset, count: UInt64(sectionCount), namesIndex: Int(namesIndex))
    }

    private static func checkIdentity(_ bytes: [UInt8]) throws(ArtifactError) {
        guard bytes.count >= Elf.headerSize else {
            throw ArtifactError(.truncated, "ELF header", at: 0, "the file has \(bytes.count) bytes, less than 64")
        }
        func expect<T: FixedWidthInteger & UnsignedInteger>(
            _ offset: UInt64, _ value: T, _ what: String
        ) throws(ArtifactError) {
            let found = try bytes.load(at: offset, "ELF header", as: T.self)
            guard found == value else {
                throw ArtifactError(
                    .header, "ELF header", at: offset, "\(what) is \(hexText(found)), expected \(hexText(value))")
            }
        }
        try expect(0, UInt32(0x464c_457f), "magic number")
        try expect(4, UInt8(2), "class")
        try expect(5, UInt8(1), "byte order")
        try expect(6, UInt8(1), "ELF version")
        try expect(7, UInt8(0), "operating system ABI")
        try expect(8, UInt64(0), "ABI version and padding")
        try expect(16, UInt16(3), "file type")
        try expect(18, UInt16(62), "machine")
        try expect(20, UInt32(1), "ELF version")
        try expect(24, UInt64(0), "entry point")
        try expect(48, UInt32(0), "flags")
        try expect(52, UInt16(64), "header size")
        try expect(54, UInt16(56), "program header size")
        try expect(58, UInt16(64), "section header size")
    }

    private static func readSegment(_ bytes: [UInt8], at start: UInt64, _ place: String) throws(ArtifactError)
        -> Segment
    {
        let segment = Segment(
            type: try bytes.load(at: start, place), flags: try bytes.load(at: start + 4, place),
            offset: try bytes.load(at: start + 8, place), address: try bytes.load(at: start + 16, place),
            fileSize: try bytes.load(at: start + 32, place), memorySize: try bytes.load(at: start + 40, place),
            alignment: try bytes.load(at: start + 48, place), headerOffset: start)
        try bytes.check(segment.offset, segment.fileSize, place)
        return segment
    }

    static func readSections(
        _ bytes: [UInt8], at start: UInt64, count: UInt64, namesIndex: Int
    ) throws(ArtifactError) -> [Section] {
        try bytes.check(start, count * Elf.sectionHeaderSize, "section headers")
        var sections: [Section] = []
        for index in 0..<count {
            let offset = start + index * Elf.sectionHeaderSize
            let place = "section header \(index)"
            let section = Section(
                name: "", nameOffset: try bytes.load(at: offset, place), type: try bytes.load(at: offset + 4, place),
                flags: try bytes.load(at: offset + 8, place), address: try bytes.load(at: offset + 16, place),
                offset: try bytes.load(at: offset + 24, place), size: try bytes.load(at: offset + 32, place),
                link: try bytes.load(at: offset + 40, place), headerOffset: offset)
            if section.type != Elf.SectionType.noBits && section.type != Elf.SectionType.null {
                try bytes.check(section.offset, section.size, place)
            }
            sections.append(section)
        }
        guard namesIndex < sections.count else {
            throw ArtifactError(.sectionHeaders, "section headers", at: start, "names lie in no section")
        }
        let names = sections[namesIndex]
        guard names.type == Elf.SectionType.stringTable else {
            throw ArtifactError(
                .sectionHeaders, "section header \(namesIndex)", at: names.headerOffset,
                "names lie in a section of type \(names.type), expected a string table")
        }
        for index in sections.indices {
            sections[index].name = try bytes.text(
                at: UInt64(sections[index].nameOffset), in: (names.offset, names.size), "name of section \(index)")
        }
        return sections
    }

    /// The file offset of `size` bytes at a virtual address, when one loadable segment has all of them in the file.
    func fileOffset(ofAddress address: UInt64, size: UInt64) -> UInt64? {
        for segment in loads where address >= segment.address {
            let inside = address - segment.address
            if inside <= segment.fileSize && size <= segment.fileSize - inside { return segment.offset + inside }
        }
        return nil
    }

    /// The loadable segment that has all of `size` bytes at a virtual address in memory.
    func load(containing address: UInt64, size: UInt64) -> Segment? {
        loads.first { segment in
            guard address >= segment.address else { return false }
            let inside = address - segment.address
            return inside <= segment.memorySize && size <= segment.memorySize - inside
        }
    }
}

extension [UInt8] {
    /// Throws `.truncated` unless `size` bytes at `offset` lie inside.
    func check(_ offset: UInt64, _ size: UInt64, _ place: String) throws(ArtifactError) {
        guard offset <= UInt64(count), size <= UInt64(count) - offset else {
            throw ArtifactError(
                .truncated, place, at: offset, "\(size) bytes reach beyond the end of the file at \(hexText(count))")
        }
    }

    /// A little-endian number at `offset`.
    func load<T: FixedWidthInteger & UnsignedInteger>(
        at offset: UInt64, _ place: String, as type: T.Type = T.self
    ) throws(ArtifactError) -> T {
        try check(offset, UInt64(MemoryLayout<T>.size), place)
        var value: T = 0
        for index in 0..<MemoryLayout<T>.size {
            // The offset was just checked against the count.
            value |= T(truncatingIfNeeded: self[Int(offset) + index]) << T(truncatingIfNeeded: 8 * index)
        }
        return value
    }

    /// The NUL-terminated text at `offset` of a string table that was checked to lie inside.
    func text(
        at offset: UInt64, in table: (offset: UInt64, size: UInt64), _ place: String
    ) throws(ArtifactError) -> String {
        guard offset < table.size else {
            throw ArtifactError(
                .truncated, place, at: table.offset, "string \(offset) lies beyond the table's \(table.size) bytes")
        }
        let rest = self[Int(table.offset + offset)..<Int(table.offset + table.size)]
        guard let end = rest.firstIndex(of: 0) else {
            throw ArtifactError(.truncated, place, at: table.offset + offset, "the string has no end")
        }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// Writes a little-endian number at `offset`, which the caller knows to lie inside.
    mutating func store<T: FixedWidthInteger & UnsignedInteger>(_ value: T, at offset: Int) {
        for index in 0..<MemoryLayout<T>.size {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: 8 * index))
        }
    }
}
