import CActorRuntime

/// What a compiled actor's ELF file may be, checked on the bytes before anything is mapped.
///
/// The rules are an allow-list: of program headers, dynamic tags, symbols and relocations only what the linker
/// writes for compiled actors passes. So loading can run no code (no constructors, no IFUNC), pull in no other
/// library, patch no code, and leaves nothing writable.
struct ElfPolicy {
    let file: ElfFile
    /// Address of `smelt_module`.
    private(set) var moduleAddress: UInt64 = 0
    private(set) var moduleSize: UInt64 = 0
    /// In the order of their places.
    private(set) var relocations: [smelt_rt_relocation] = []

    /// Bytes of memory all segments may take together.
    static let memoryLimit: UInt64 = 1 << 30

    /// Checks everything but manifest and descriptor.
    init(checking file: ElfFile) throws(ArtifactError) {
        self.file = file
        try checkKinds()
        try checkLoads()
        try checkPlacement()
        let dynamic = try DynamicSection(file)
        try checkSymbols(dynamic)
        try checkRelocations(dynamic)
        try checkSections()
    }

    private func segments(_ type: UInt32) -> [ElfFile.Segment] { file.segments.filter { $0.type == type } }

    private func checkKinds() throws(ArtifactError) {
        for (index, segment) in file.segments.enumerated() {
            let reason: String
            switch segment.type {
            case Elf.SegmentType.load, Elf.SegmentType.dynamic, Elf.SegmentType.programHeaders,
                Elf.SegmentType.ehFrame, Elf.SegmentType.stack, Elf.SegmentType.relro:
                continue
            case Elf.SegmentType.interpreter: reason = "names a program interpreter"
            case Elf.SegmentType.threadLocal: reason = "has thread-local storage"
            default: reason = "has type \(hexText(segment.type)), which compiled actors do not have"
            }
            throw ArtifactError(.programHeaders, "program header \(index)", at: segment.headerOffset, reason)
        }
        for (type, name) in [
            (Elf.SegmentType.dynamic, "dynamic section"), (Elf.SegmentType.relro, "relocated read-only range"),
            (Elf.SegmentType.stack, "stack"),
        ] where segments(type).count != 1 {
            throw ArtifactError(
                .programHeaders, "program headers", at: Elf.headerSize,
                "\(segments(type).count) of type \(name), expected 1")
        }
        for stack in segments(Elf.SegmentType.stack) where stack.flags != Elf.SegmentFlag.read | Elf.SegmentFlag.write {
            throw ArtifactError(
                .segmentPermissions, "stack program header", at: stack.headerOffset,
                "flags \(hexText(stack.flags)), expected read and write")
        }
    }

    private func checkLoads() throws(ArtifactError) {
        var fileEnd: UInt64 = 0
        var memoryEnd: UInt64 = 0
        for (index, load) in file.loads.enumerated() {
            let place = "loadable segment \(index)"
            func refuse(_ rule: ArtifactError.Rule, _ reason: String) -> ArtifactError {
                ArtifactError(rule, place, at: load.headerOffset, reason)
            }
            let flags = load.flags
            guard flags & Elf.SegmentFlag.read != 0, flags & ~7 == 0 else {
                throw refuse(.segmentPermissions, "flags \(hexText(flags)) are not readable or not known")
            }
            guard flags & Elf.SegmentFlag.write == 0 || flags & Elf.SegmentFlag.execute == 0 else {
                throw refuse(.segmentPermissions, "is writable and executable")
            }
            guard load.alignment == Elf.pageSize, load.address % Elf.pageSize == load.offset % Elf.pageSize else {
                throw refuse(
                    .segmentAlignment,
                    "offset \(hexText(load.offset)) and address \(hexText(load.address)) with alignment "
                        + "\(hexText(load.alignment)), expected 0x1000 and equal remainders")
            }
            guard load.memorySize > 0, load.fileSize <= load.memorySize,
                load.address <= ElfPolicy.memoryLimit, load.memorySize <= ElfPolicy.memoryLimit - load.address
            else {
                throw refuse(
                    .segmentBounds,
                    "\(load.fileSize) bytes of file for \(load.memorySize) bytes at \(hexText(load.address)), "
                        + "limit \(hexText(ElfPolicy.memoryLimit))")
            }
            // Only the zero fill of a relocated range may lack bytes in the file; it is never code.
            guard load.fileSize == load.memorySize || flags & Elf.SegmentFlag.write != 0 else {
                throw refuse(.segmentBounds, "has \(load.memorySize - load.fileSize) bytes that are not in the file")
            }
            guard load.offset >= fileEnd, load.address / Elf.pageSize * Elf.pageSize >= memoryEnd else {
                throw refuse(.segmentOverlap, "overlaps the segment before it or is out of order")
            }
            fileEnd = load.offset + load.fileSize
            memoryEnd = (load.address + load.memorySize + Elf.pageSize - 1) / Elf.pageSize * Elf.pageSize
        }
        guard let first = file.loads.first, first.offset == 0, first.address == 0,
            first.fileSize >= Elf.headerSize + UInt64(file.segments.count) * Elf.programHeaderSize
        else {
            throw ArtifactError(
                .segmentBounds, "loadable segment 0", at: Elf.headerSize, "does not start with the file's headers")
        }
    }

    /// Segments that describe parts of loadable ones must agree with them, and nothing may stay writable.
    private func checkPlacement() throws(ArtifactError) {
        for segment in file.segments
        where [Elf.SegmentType.dynamic, Elf.SegmentType.relro, Elf.SegmentType.programHeaders, Elf.SegmentType.ehFrame]
            .contains(segment.type)
        {
            guard file.fileOffset(ofAddress: segment.address, size: segment.fileSize) == segment.offset,
                segment.fileSize <= segment.memorySize,
                file.load(containing: segment.address, size: segment.memorySize) != nil
            else {
                throw ArtifactError(
                    .segmentBounds, "program header of type \(hexText(segment.type))", at: segment.headerOffset,
                    "does not lie in a loadable segment")
            }
        }
        guard let relro = segments(Elf.SegmentType.relro).first else { return }
        for load in file.loads where load.flags & Elf.SegmentFlag.write != 0 {
            // The loader protects whole pages, so the range must end on a page or with its segment.
            guard load.address == relro.address, load.memorySize == relro.memorySize,
                load.address % Elf.pageSize == 0, (load.address + load.memorySize) % Elf.pageSize == 0
            else {
                throw ArtifactError(
                    .segmentPermissions, "loadable segment", at: load.headerOffset, "stays writable after relocation")
            }
        }
    }

    private mutating func checkSymbols(_ dynamic: DynamicSection) throws(ArtifactError) {
        guard dynamic.symbolCount == 2 else {
            throw ArtifactError(
                .symbol, "dynamic symbols", at: dynamic.symbols,
                "\(dynamic.symbolCount) symbols, expected the null symbol and \(SMELT_MODULE_SYMBOL)")
        }
        try file.bytes.check(dynamic.symbols, 2 * Elf.symbolSize, "dynamic symbols")
        for index in 0..<Elf.symbolSize {
            let byte = try file.bytes.load(at: dynamic.symbols + index, "dynamic symbol 0", as: UInt8.self)
            guard byte == 0 else {
                throw ArtifactError(.symbol, "dynamic symbol 0", at: dynamic.symbols + index, "is not null")
            }
        }
        let start = dynamic.symbols + Elf.symbolSize
        let place = "dynamic symbol 1"
        let name = try file.bytes.text(
            at: UInt64(try file.bytes.load(at: start, place, as: UInt32.self)),
            in: (dynamic.strings, dynamic.stringsSize), place)
        let info = try file.bytes.load(at: start + 4, place, as: UInt8.self)
        let visibility = try file.bytes.load(at: start + 5, place, as: UInt8.self)
        let section = try file.bytes.load(at: start + 6, place, as: UInt16.self)
        let address = try file.bytes.load(at: start + 8, place, as: UInt64.self)
        let size = try file.bytes.load(at: start + 16, place, as: UInt64.self)
        guard name == SMELT_MODULE_SYMBOL else {
            throw ArtifactError(.symbol, place, at: start, "is '\(printable(name))', expected '\(SMELT_MODULE_SYMBOL)'")
        }
        // Global (1) data object (1); an IFUNC has type 10.
        guard info == 0x11, visibility == 0 || visibility == 3 else {
            throw ArtifactError(
                .symbol, place, at: start + 4, "kind \(hexText(info)) with visibility \(visibility), expected data")
        }
        guard section != 0, Int(section) < file.sections.count else {
            throw ArtifactError(.symbol, place, at: start + 6, "is undefined (section \(section))")
        }
        guard address % 8 == 0, size > 0, file.fileOffset(ofAddress: address, size: size) != nil else {
            throw ArtifactError(
                .symbol, place, at: start + 8, "\(size) bytes at \(hexText(address)) are not in the file")
        }
        moduleAddress = address
        moduleSize = size
    }

    private mutating func checkRelocations(_ dynamic: DynamicSection) throws(ArtifactError) {
        let dynamicSegment = segments(Elf.SegmentType.dynamic)[0]
        var next: UInt64 = 0
        for index in 0..<dynamic.relocationCount {
            let start = dynamic.relocations + index * Elf.relocationSize
            let place = "relocation \(index)"
            let target = try file.bytes.load(at: start, place, as: UInt64.self)
            let info = try file.bytes.load(at: start + 8, place, as: UInt64.self)
            let addend = try file.bytes.load(at: start + 16, place, as: UInt64.self)
            // R_X86_64_RELATIVE without a symbol; anything else could bind a symbol or call a resolver.
            guard info == 8 else {
                throw ArtifactError(.relocation, place, at: start + 8, "kind \(hexText(info)), expected 0x8 (relative)")
            }
            guard target % 8 == 0, target >= next else {
                throw ArtifactError(
                    .relocation, place, at: start, "target \(hexText(target)) is unaligned or out of order")
            }
            guard let load = file.load(containing: target, size: 8), load.flags & Elf.SegmentFlag.write != 0,
                file.fileOffset(ofAddress: target, size: 8) != nil
            else {
                throw ArtifactError(
                    .relocation, place, at: start, "target \(hexText(target)) is not in a relocated segment")
            }
            guard
                target + 8 <= dynamicSegment.address
                    || target >= dynamicSegment.address + dynamicSegment.memorySize
            else {
                throw ArtifactError(
                    .relocation, place, at: start, "target \(hexText(target)) is in the dynamic section")
            }
            guard file.load(containing: addend, size: 0) != nil else {
                throw ArtifactError(
                    .relocation, place, at: start + 16, "value \(hexText(addend)) is outside of every segment")
            }
            relocations.append(smelt_rt_relocation(place: target, value: addend))
            next = target + 8
        }
    }

    private func checkSections() throws(ArtifactError) {
        for (index, section) in file.sections.enumerated() {
            let place = "section \(index) '\(printable(section.name))'"
            switch section.type {
            case Elf.SectionType.initArray, Elf.SectionType.finiArray, Elf.SectionType.preinitArray:
                throw ArtifactError(.sectionKind, place, at: section.headerOffset, "is a list of constructors")
            default: break
            }
            guard section.flags & Elf.SectionFlag.threadLocal == 0 else {
                throw ArtifactError(.sectionKind, place, at: section.headerOffset, "is thread-local")
            }
            guard section.flags & Elf.SectionFlag.allocated != 0, section.size > 0 else { continue }
            guard file.load(containing: section.address, size: section.size) != nil else {
                throw ArtifactError(
                    .sectionHeaders, place, at: section.headerOffset,
                    "\(section.size) bytes at \(hexText(section.address)) are in no segment")
            }
            guard
                section.type == Elf.SectionType.noBits
                    || file.fileOffset(ofAddress: section.address, size: section.size) == section.offset
            else {
                throw ArtifactError(
                    .sectionHeaders, place, at: section.headerOffset, "file offset and address disagree")
            }
        }
    }
}

/// Names from a file, safe for a terminal and short.
func printable(_ name: String) -> String {
    let shown = name.unicodeScalars.prefix(64).map { scalar in
        scalar.value >= 0x20 && scalar.value < 0x7f ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
    }
    return shown.joined()
}
