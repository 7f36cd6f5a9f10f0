/// The dynamic section of a compiled actor: the tables the loader will use, found and bounded.
struct DynamicSection {
    /// File offsets, entry counts and sizes in bytes.
    let symbols: UInt64
    let symbolCount: UInt64
    let strings: UInt64
    let stringsSize: UInt64
    let relocations: UInt64
    let relocationCount: UInt64

    private enum Tag {
        static let null: UInt64 = 0
        static let hash: UInt64 = 4
        static let strings: UInt64 = 5
        static let symbols: UInt64 = 6
        static let relocations: UInt64 = 7
        static let relocationsSize: UInt64 = 8
        static let relocationSize: UInt64 = 9
        static let stringsSize: UInt64 = 10
        static let symbolSize: UInt64 = 11
        static let flags: UInt64 = 30
        static let flags1: UInt64 = 0x6fff_fffb
        static let relativeCount: UInt64 = 0x6fff_fff9

        static let allowed: Set<UInt64> = [
            hash, strings, symbols, relocations, relocationsSize, relocationSize, stringsSize, symbolSize, flags,
            flags1, relativeCount,
        ]
        /// The ones worth naming when refused.
        static let refused: [UInt64: String] = [
            1: "a needed library", 12: "a constructor", 13: "a destructor", 14: "a library name",
            15: "a search path", 22: "text relocations", 23: "procedure linkage relocations", 25: "constructors",
            27: "destructors", 29: "a search path", 32: "constructors", 17: "relocations without addends",
            36: "packed relocations", 0x6fff_fef5: "a GNU hash table", 0x6fff_fff0: "symbol versions",
            0x6fff_fffe: "symbol versions", 0x6fff_fffc: "symbol versions", 0x7fff_fffd: "an auxiliary library",
            0x7fff_ffff: "a filter library", 0x6fff_fefc: "an audit library", 0x6fff_fefb: "an audit library",
        ]
    }

    init(_ file: ElfFile) throws(ArtifactError) {
        let tags = try DynamicSection.read(file)
        let start = file.segments.first { $0.type == Elf.SegmentType.dynamic }?.offset ?? 0
        func required(_ tag: UInt64, _ name: String) throws(ArtifactError) -> UInt64 {
            guard let value = tags[tag] else {
                throw ArtifactError(.dynamicSection, "dynamic section", at: start, "has no \(name)")
            }
            return value
        }
        func located(_ address: UInt64, _ size: UInt64, _ name: String) throws(ArtifactError) -> UInt64 {
            guard let offset = file.fileOffset(ofAddress: address, size: size) else {
                throw ArtifactError(
                    .dynamicSection, "dynamic section", at: start,
                    "\(name) of \(size) bytes at \(hexText(address)) is not in the file")
            }
            return offset
        }
        func expect(_ tag: UInt64, _ allowed: UInt64, _ name: String) throws(ArtifactError) {
            guard let value = tags[tag], value != allowed else { return }
            throw ArtifactError(
                .dynamicSection, "dynamic section", at: start,
                "\(name) is \(hexText(value)), expected \(hexText(allowed))")
        }
        try expect(Tag.symbolSize, Elf.symbolSize, "symbol size")
        try expect(Tag.relocationSize, Elf.relocationSize, "relocation size")
        // Symbolic and bind-now; text relocations and static TLS are other bits of the same word.
        try expect(Tag.flags, 0x2 | 0x8, "flags")
        try expect(Tag.flags1, 0x1, "flags_1")

        stringsSize = try required(Tag.stringsSize, "string table size")
        strings = try located(try required(Tag.strings, "string table"), stringsSize, "string table")
        (symbolCount, symbols) = try DynamicSection.symbolTable(
            file, hash: try required(Tag.hash, "hash table"), symbols: try required(Tag.symbols, "symbol table"))

        let size = tags[Tag.relocationsSize] ?? 0
        guard size % Elf.relocationSize == 0, tags[Tag.relativeCount] ?? 0 == size / Elf.relocationSize else {
            throw ArtifactError(
                .dynamicSection, "dynamic section", at: start,
                "\(size) bytes of relocations do not hold \(tags[Tag.relativeCount] ?? 0) relative ones only")
        }
        relocationCount = size / Elf.relocationSize
        relocations = size == 0 ? 0 : try located(try required(Tag.relocations, "relocations"), size, "relocations")
    }

    private static func read(_ file: ElfFile) throws(ArtifactError) -> [UInt64: UInt64] {
        guard let segment = file.segments.first(where: { $0.type == Elf.SegmentType.dynamic }),
            segment.fileSize % Elf.dynamicSize == 0
        else {
            throw ArtifactError(.dynamicSection, "dynamic section", "its size is no multiple of 16")
        }
        var tags: [UInt64: UInt64] = [:]
        for index in 0..<segment.fileSize / Elf.dynamicSize {
            let start = segment.offset + index * Elf.dynamicSize
            let place = "dynamic entry \(index)"
            let tag = try file.bytes.load(at: start, place, as: UInt64.self)
            let value = try file.bytes.load(at: start + 8, place, as: UInt64.self)
            if tag == Tag.null { return tags }
            guard Tag.allowed.contains(tag) else {
                let what = Tag.refused[tag].map { "names \($0)" } ?? "is of a kind compiled actors do not have"
                throw ArtifactError(.dynamicTag, place, at: start, "tag \(hexText(tag)) \(what)")
            }
            guard tags.updateValue(value, forKey: tag) == nil else {
                throw ArtifactError(.dynamicSection, place, at: start, "tag \(hexText(tag)) stands twice")
            }
        }
        throw ArtifactError(.dynamicSection, "dynamic section", at: segment.offset, "has no end")
    }

    /// Bounds the symbol table by the System V hash table, whose chains have one entry a symbol, and checks that
    /// no chain the loader may walk is endless. (A GNU hash table would not tell the number of symbols.)
    private static func symbolTable(
        _ file: ElfFile, hash address: UInt64, symbols: UInt64
    ) throws(ArtifactError) -> (count: UInt64, offset: UInt64) {
        guard let hash = file.fileOffset(ofAddress: address, size: 8) else {
            throw ArtifactError(.hashTable, "hash table", "is not in the file at address \(hexText(address))")
        }
        let buckets = UInt64(try file.bytes.load(at: hash, "hash table", as: UInt32.self))
        let chains = UInt64(try file.bytes.load(at: hash + 4, "hash table", as: UInt32.self))
        guard buckets > 0, chains > 0, file.fileOffset(ofAddress: address, size: 8 + 4 * (buckets + chains)) == hash
        else {
            throw ArtifactError(
                .hashTable, "hash table", at: hash, "\(buckets) buckets and \(chains) chains are not in the file")
        }
        for index in 0..<buckets + chains {
            let place = hash + 8 + 4 * index
            let symbol = UInt64(try file.bytes.load(at: place, "hash table", as: UInt32.self))
            // A chain goes from a symbol to a lower one in what the linker writes, so it ends.
            let limit = index < buckets ? chains : max(1, index - buckets)
            guard symbol < limit else {
                throw ArtifactError(
                    .hashTable, "hash table", at: place, "entry \(symbol) is not below \(limit)")
            }
        }
        guard let offset = file.fileOffset(ofAddress: symbols, size: chains * Elf.symbolSize) else {
            throw ArtifactError(
                .symbolTable, "dynamic symbols", "\(chains) symbols at address \(hexText(symbols)) are not in the file")
        }
        return (chains, offset)
    }
}
