import CActorRuntime
import WasmFormat

/// Checks that the tables `smelt_module` points to lie inside the object, so that a reader of them never leaves it.
///
/// Pointers in the file are zero until the loader applies the relocations; the relocation of a pointer's place is
/// its value.
struct DescriptorCheck {
    private let file: ElfFile
    private let policy: ElfPolicy
    private let values: [UInt64: UInt64]

    private typealias Descriptor = smelt_module_descriptor
    private typealias Import = smelt_rt_import
    private typealias Export = smelt_rt_export
    private typealias Function = smelt_rt_function
    private typealias Data = smelt_rt_data_segment
    private typealias Elements = smelt_rt_element_segment

    init(_ file: ElfFile, _ policy: ElfPolicy) {
        self.file = file
        self.policy = policy
        var values: [UInt64: UInt64] = [:]
        for relocation in policy.relocations { values[relocation.place] = relocation.value }
        self.values = values
    }

    /// - Throws: `.descriptor` or `.version`.
    func run(_ manifest: Manifest) throws(ArtifactError) {
        let base = policy.moduleAddress
        guard policy.moduleSize >= UInt64(MemoryLayout<Descriptor>.size) else {
            throw refuse("smelt_module", base, "has \(policy.moduleSize) bytes, less than the descriptor's")
        }
        let magic: UInt64 = try number(base, \Descriptor.magic)
        let major: UInt32 = try number(base, \Descriptor.abi_major)
        let minor: UInt32 = try number(base, \Descriptor.abi_minor)
        let size: UInt32 = try number(base, \Descriptor.struct_size)
        guard magic == SMELT_RT_MAGIC else { throw refuse("smelt_module", base, "magic number is \(hexText(magic))") }
        guard major == manifest.inputs.abiMajor, minor == manifest.inputs.abiMinor else {
            throw ArtifactError(
                .version, "smelt_module", at: offset(base),
                "runtime interface \(major).\(minor), the manifest says "
                    + "\(manifest.inputs.abiMajor).\(manifest.inputs.abiMinor)")
        }
        // The layout of another major version is not known here; it is only described, never run.
        guard major == UInt32(SMELT_RT_ABI_MAJOR) else { return }
        guard UInt64(size) >= UInt64(MemoryLayout<Descriptor>.size), UInt64(size) <= policy.moduleSize else {
            throw refuse("smelt_module", base, "says it has \(size) bytes, the symbol has \(policy.moduleSize)")
        }
        try checkText(base)
        try checkFunctions(base)
        try checkImports(base)
        try checkExports(base)
        try checkSegments(base)
        _ = try table(base, \Descriptor.globals, \Descriptor.global_count, stride: MemoryLayout<smelt_rt_global>.stride)
        _ = try table(base, \Descriptor.sites, \Descriptor.site_count, stride: MemoryLayout<smelt_rt_site>.stride)
        if let start = pointer(base, \Descriptor.start) { try checkCode(start, 1, "start function") }
    }

    private func checkText(_ base: UInt64) throws(ArtifactError) {
        guard let start = pointer(base, \Descriptor.text_start), let end = pointer(base, \Descriptor.text_end),
            start <= end
        else { throw refuse("smelt_module", base, "has no text range") }
        if end > start { try checkCode(start, end - start, "text") }
    }

    private func checkFunctions(_ base: UInt64) throws(ArtifactError) {
        for row in try table(
            base, \Descriptor.functions, \Descriptor.function_count, stride: MemoryLayout<Function>.stride)
        {
            if let entry = pointer(row, \Function.table_entry) { try checkCode(entry, 1, "table entry") }
            let length: UInt64 = try number(row, \Function.code_length)
            if let code = pointer(row, \Function.code) { try checkCode(code, length, "function") }
        }
    }

    private func checkImports(_ base: UInt64) throws(ArtifactError) {
        for row in try table(base, \Descriptor.imports, \Descriptor.import_count, stride: MemoryLayout<Import>.stride) {
            let moduleLength: UInt32 = try number(row, \Import.module_length)
            let nameLength: UInt32 = try number(row, \Import.name_length)
            try checkBytes(pointer(row, \Import.module), UInt64(moduleLength), "import module", row)
            try checkBytes(pointer(row, \Import.name), UInt64(nameLength), "import name", row)
            let kind: UInt32 = try number(row, \Import.kind)
            if kind == SMELT_RT_FUNCTION.rawValue { try checkSignature(pointer(row, \Import.signature), row) }
            if kind == SMELT_RT_GLOBAL.rawValue {
                try checkBytes(pointer(row, \Import.signature), 2, "global type", row)
            }
        }
    }

    private func checkExports(_ base: UInt64) throws(ArtifactError) {
        for row in try table(base, \Descriptor.exports, \Descriptor.export_count, stride: MemoryLayout<Export>.stride) {
            let length: UInt32 = try number(row, \Export.name_length)
            try checkBytes(pointer(row, \Export.name), UInt64(length), "export name", row)
            let kind: UInt32 = try number(row, \Export.kind)
            guard kind == SMELT_RT_FUNCTION.rawValue else { continue }
            try checkSignature(pointer(row, \Export.signature), row)
            guard let entry = pointer(row, \Export.entry) else { throw refuse("export", row, "has no entry") }
            try checkCode(entry, 1, "export entry")
            if let typed = pointer(row, \Export.typed) { try checkCode(typed, 1, "export entry") }
        }
    }

    private func checkSegments(_ base: UInt64) throws(ArtifactError) {
        for row in try table(base, \Descriptor.data, \Descriptor.data_count, stride: MemoryLayout<Data>.stride) {
            try checkBytes(pointer(row, \Data.bytes), try number(row, \Data.length), "data segment", row)
        }
        for row in try table(
            base, \Descriptor.elements, \Descriptor.element_count, stride: MemoryLayout<Elements>.stride)
        {
            let (bytes, overflow) = (try number(row, \Elements.length) as UInt64).multipliedReportingOverflow(by: 4)
            guard !overflow else { throw refuse("element segment", row, "has too many elements") }
            try checkBytes(pointer(row, \Elements.functions), bytes, "element segment", row)
        }
    }

    // MARK: Reading

    private func offset(_ address: UInt64) -> UInt64? { file.fileOffset(ofAddress: address, size: 0) }

    private func refuse(_ place: String, _ address: UInt64, _ reason: String) -> ArtifactError {
        ArtifactError(.descriptor, place, at: offset(address), reason)
    }

    /// A number field of the C structure at `address`.
    private func number<Root, T: FixedWidthInteger & UnsignedInteger>(
        _ address: UInt64, _ field: KeyPath<Root, T>
    ) throws(ArtifactError) -> T {
        // Fields of imported C structures are stored, so they have an offset.
        let place = address + UInt64(MemoryLayout<Root>.offset(of: field) ?? 0)
        guard let offset = file.fileOffset(ofAddress: place, size: UInt64(MemoryLayout<T>.size)) else {
            throw refuse("\(Root.self)", address, "a field is not in the file")
        }
        return try file.bytes.load(at: offset, "\(Root.self)")
    }

    /// A pointer field of the C structure at `address`; nil when it is null.
    private func pointer<Root, T>(_ address: UInt64, _ field: KeyPath<Root, T>) -> UInt64? {
        values[address + UInt64(MemoryLayout<Root>.offset(of: field) ?? 0)]
    }

    /// The addresses of a table's rows, all inside the file.
    private func table<T>(
        _ base: UInt64, _ field: KeyPath<Descriptor, T>, _ count: KeyPath<Descriptor, UInt64>, stride: Int
    ) throws(ArtifactError) -> [UInt64] {
        let count: UInt64 = try number(base, count)
        guard count > 0 else { return [] }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(stride))
        guard !overflow, let start = pointer(base, field), file.fileOffset(ofAddress: start, size: bytes) != nil else {
            throw refuse("smelt_module", base, "a table of \(count) rows is not in the file")
        }
        return (0..<count).map { start + $0 * UInt64(stride) }
    }

    private func checkBytes(
        _ start: UInt64?, _ size: UInt64, _ what: String, _ row: UInt64
    ) throws(ArtifactError) {
        guard size > 0 else { return }
        guard let start, file.fileOffset(ofAddress: start, size: size) != nil else {
            throw refuse(what, row, "\(size) bytes are not in the file")
        }
    }

    private func checkSignature(_ start: UInt64?, _ row: UInt64) throws(ArtifactError) {
        guard var next = start else { throw refuse("signature", row, "is not in the file") }
        let type = try FunctionType(signature: { () throws(ArtifactError) -> UInt8? in
            guard let offset = file.fileOffset(ofAddress: next, size: 1) else { return nil }
            next += 1
            return try file.bytes.load(at: offset, "signature")
        })
        guard type != nil else { throw refuse("signature", row, "is none, or not in the file") }
    }

    /// Code must lie in an executable segment.
    private func checkCode(_ start: UInt64, _ size: UInt64, _ what: String) throws(ArtifactError) {
        guard let load = file.load(containing: start, size: max(1, size)),
            load.flags & Elf.SegmentFlag.execute != 0
        else { throw refuse(what, start, "\(size) bytes at address \(hexText(start)) are not code of this object") }
    }
}
