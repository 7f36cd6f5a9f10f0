extension ArtifactFormat {
    /// Adds the manifest section to an object as the linker wrote it, and checks the result.
    ///
    /// The linker puts the section headers last; they are rewritten behind the manifest with one row more. The ELF
    /// header, which lies in the first loadable segment, changes by that, so the digests are taken afterwards: a
    /// manifest has the same length whatever its digests are.
    /// - Throws: the rule that the linker's output breaks (an error of the compiler or of the linker).
    public static func seal(_ linked: [UInt8], inputs: ArtifactInputs) throws(ArtifactError) -> [UInt8] {
        let file = try ElfFile(linked)
        let blank = Digest(of: [])
        let draft = Manifest(
            inputs: inputs,
            segments: file.loads.map { Manifest.Segment(offset: $0.offset, size: $0.fileSize, digest: blank) },
            file: blank
        ).encoded

        var (bytes, offset) = try append(draft, to: file)
        let placed = try ElfFile(bytes)
        let manifest = Manifest(
            inputs: inputs, segments: segments(of: placed),
            file: fileDigest(bytes, manifestAt: UInt64(offset), size: UInt64(draft.count))
        ).encoded
        bytes.replaceSubrange(offset..<offset + draft.count, with: manifest)
        _ = try verify(bytes, expecting: .sound)
        return bytes
    }

    /// The file with one section more, and where its content lies.
    private static func append(_ content: [UInt8], to file: ElfFile) throws(ArtifactError) -> ([UInt8], Int) {
        let tableSize = UInt64(file.sections.count) * Elf.sectionHeaderSize
        let contentEnd =
            file.sections.filter { $0.type != Elf.SectionType.noBits }
            .map { $0.offset + $0.size }.max() ?? 0
        guard file.sectionHeaderOffset + tableSize == UInt64(file.bytes.count), contentEnd <= file.sectionHeaderOffset
        else {
            throw ArtifactError(
                .sectionHeaders, "section headers", at: file.sectionHeaderOffset, "do not stand last in the file")
        }
        var table = Array(file.bytes[Int(file.sectionHeaderOffset)...])
        var bytes = Array(file.bytes[..<Int(contentEnd)])
        let offset = bytes.count
        bytes.append(contentsOf: content)

        // A new copy of the section names with the manifest's at its end; the old one stays, unused.
        let names = file.sections[file.sectionNamesIndex]
        let namesOffset = bytes.count
        bytes.append(contentsOf: file.bytes[Int(names.offset)..<Int(names.offset + names.size)])
        bytes.append(contentsOf: Array(Manifest.sectionName.utf8) + [0])
        let namesRow = file.sectionNamesIndex * Int(Elf.sectionHeaderSize)
        table.store(UInt64(namesOffset), at: namesRow + 24)
        table.store(UInt64(bytes.count - namesOffset), at: namesRow + 32)

        var row = [UInt8](repeating: 0, count: Int(Elf.sectionHeaderSize))
        row.store(UInt32(truncatingIfNeeded: names.size), at: 0)
        row.store(Elf.SectionType.programBits, at: 4)
        row.store(UInt64(offset), at: 24)
        row.store(UInt64(content.count), at: 32)
        row.store(UInt64(1), at: 48)
        table.append(contentsOf: row)

        while bytes.count % 8 != 0 { bytes.append(0) }
        bytes.store(UInt64(bytes.count), at: 40)
        bytes.store(UInt16(truncatingIfNeeded: file.sections.count + 1), at: 60)
        bytes.append(contentsOf: table)
        return (bytes, offset)
    }
}
