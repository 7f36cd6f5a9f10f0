/// What an object contains, for `inspect`.
public struct ObjectReport: Sendable {
    public struct Section: Sendable, Hashable {
        public var name: String
        /// Bytes in the file.
        public var size: UInt64
        public var isLoaded: Bool
    }

    /// A function's native code.
    public struct Function: Sendable, Hashable {
        public var name: String
        /// From the load address, in bytes.
        public var address: UInt64
        /// Bytes of code.
        public var size: UInt64
    }

    public var manifest: Manifest
    public var sections: [Section]
    /// By address.
    public var functions: [Function]
    public var relocationCount: Int

    /// Describes an object that passes the full check, whatever processor or version it was made for.
    public init(_ bytes: [UInt8]) throws(ArtifactError) {
        manifest = try ArtifactFormat.verify(bytes, expecting: .sound)
        let file = try ElfFile(bytes)
        relocationCount = try ElfPolicy(checking: file).relocations.count
        sections = file.sections.dropFirst().map { section in
            Section(
                name: section.name, size: section.type == Elf.SectionType.noBits ? 0 : section.size,
                isLoaded: section.flags & Elf.SectionFlag.allocated != 0)
        }
        functions = try ObjectReport.functions(of: file)
    }

    /// The functions in the symbol table.
    static func functions(of file: ElfFile) throws(ArtifactError) -> [Function] {
        guard let table = file.sections.first(where: { $0.type == Elf.SectionType.symbolTable }),
            Int(table.link) < file.sections.count
        else { return [] }
        let strings = file.sections[Int(table.link)]
        guard strings.type == Elf.SectionType.stringTable else { return [] }
        var functions: [Function] = []
        for index in 0..<table.size / Elf.symbolSize {
            let start = table.offset + index * Elf.symbolSize
            let place = "symbol \(index)"
            // Type 2 of the low four bits is a function.
            guard try file.bytes.load(at: start + 4, place, as: UInt8.self) & 15 == 2 else { continue }
            functions.append(
                Function(
                    name: try file.bytes.text(
                        at: UInt64(try file.bytes.load(at: start, place, as: UInt32.self)),
                        in: (strings.offset, strings.size), place),
                    address: try file.bytes.load(at: start + 8, place),
                    size: try file.bytes.load(at: start + 16, place)))
        }
        return functions.sorted { ($0.address, $0.name) < ($1.address, $1.name) }
    }
}
