import CActorRuntime

/// Reads the C structures of a descriptor from the bytes of an object as they will be after loading, and keeps
/// account of which word is what: a pointer has exactly one relocation and zero under it (or none, and is null), a
/// number has none. What a relocation covers that nothing read as a pointer is refused at the end.
///
/// Pointers in the file are zero until the loader applies the relocations; the relocation of a pointer's place is
/// its value.
struct DescriptorReader {
    let file: ElfFile
    /// By place, ascending.
    private let relocations: [smelt_rt_relocation]
    /// Whether a field claimed the relocation of the same index.
    private var isPointer: [Bool]
    /// Structures that were read, for their overlaps: start and end.
    private var structures: [(start: UInt64, end: UInt64)] = []

    init(_ file: ElfFile, _ policy: ElfPolicy) {
        self.file = file
        relocations = policy.relocations
        isPointer = [Bool](repeating: false, count: relocations.count)
    }

    func offset(_ address: UInt64) -> UInt64? { file.fileOffset(ofAddress: address, size: 0) }

    func refuse(_ place: String, _ address: UInt64, _ reason: String) -> ArtifactError {
        ArtifactError(.descriptor, place, at: offset(address), reason)
    }

    /// The first relocation at or behind `address`, as an index.
    private func firstRelocation(from address: UInt64) -> Int {
        var low = 0
        var high = relocations.count
        while low < high {
            let middle = (low + high) / 2
            if relocations[middle].place < address { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether one of the bytes is changed by loading.
    private func isRelocated(_ start: UInt64, _ size: UInt64) -> Bool {
        // Relocations patch eight bytes at multiples of eight.
        let index = firstRelocation(from: start & ~7)
        return index < relocations.count && relocations[index].place < start + size
    }

    // MARK: Structures

    /// Notes a structure, which must be aligned and in the file.
    mutating func structure(_ start: UInt64, _ size: UInt64, _ what: String) throws(ArtifactError) {
        guard start % 8 == 0, file.fileOffset(ofAddress: start, size: size) != nil, isData(start, size) else {
            throw refuse(what, start, "\(size) bytes at \(hexText(start)) are not aligned data of the file")
        }
        structures.append((start, start + size))
    }

    /// A number field of the C structure at `address`.
    func number<Root, T: FixedWidthInteger & UnsignedInteger>(
        _ address: UInt64, _ field: KeyPath<Root, T>
    ) throws(ArtifactError) -> T {
        // Fields of imported C structures are stored, so they have an offset.
        let place = address + UInt64(MemoryLayout<Root>.offset(of: field) ?? 0)
        guard let offset = file.fileOffset(ofAddress: place, size: UInt64(MemoryLayout<T>.size)) else {
            throw refuse("\(Root.self)", address, "a field is not in the file")
        }
        guard !isRelocated(place, UInt64(MemoryLayout<T>.size)) else {
            throw refuse("\(Root.self)", place, "a relocation covers a number")
        }
        return try file.bytes.load(at: offset, "\(Root.self)")
    }

    /// A pointer field of the C structure at `address`; nil when it is null.
    mutating func pointer<Root, T>(
        _ address: UInt64, _ field: KeyPath<Root, T>
    ) throws(ArtifactError) -> UInt64? {
        let place = address + UInt64(MemoryLayout<Root>.offset(of: field) ?? 0)
        guard let offset = file.fileOffset(ofAddress: place, size: 8) else {
            throw refuse("\(Root.self)", address, "a field is not in the file")
        }
        guard try file.bytes.load(at: offset, "\(Root.self)", as: UInt64.self) == 0 else {
            throw refuse("\(Root.self)", place, "a raw value stands where a pointer is expected")
        }
        let index = firstRelocation(from: place)
        guard index < relocations.count, relocations[index].place == place else { return nil }
        isPointer[index] = true
        return relocations[index].value
    }

    // MARK: Bytes

    /// Bytes that loading leaves as they are in the file, and that are no code; null and none are one.
    func bytes(_ start: UInt64?, _ size: UInt64, _ what: String, _ row: UInt64) throws(ArtifactError) {
        guard let start else {
            guard size == 0 else { throw refuse(what, row, "\(size) bytes are nowhere") }
            return
        }
        guard size > 0, file.fileOffset(ofAddress: start, size: size) != nil, isData(start, size) else {
            throw refuse(what, row, "\(size) bytes at \(hexText(start)) are no data of the file")
        }
        guard !isRelocated(start, size) else { throw refuse(what, row, "a relocation covers bytes") }
    }

    /// The bytes that a pointer field of the structure at `row` leads to; see `bytes`.
    ///
    /// One call, because a pointer read as an argument of `bytes` would have the reader copied with all relocations.
    mutating func bytes<Root, T>(
        at field: KeyPath<Root, T>, of row: UInt64, _ size: UInt64, _ what: String
    ) throws(ArtifactError) {
        let start = try pointer(row, field)
        try bytes(start, size, what, row)
    }

    private func isData(_ start: UInt64, _ size: UInt64) -> Bool {
        file.load(containing: start, size: size).map { $0.flags & Elf.SegmentFlag.execute == 0 } ?? false
    }

    /// At the end: no relocation is left that no pointer has, and no two structures share a word.
    func finish() throws(ArtifactError) {
        if let index = isPointer.firstIndex(of: false) {
            throw refuse("relocation", relocations[index].place, "covers no pointer of the module's tables")
        }
        var end: UInt64 = 0
        for structure in structures.sorted(by: { $0.start < $1.start }) {
            guard structure.start >= end else { throw refuse("table", structure.start, "overlaps another one") }
            end = structure.end
        }
    }
}
