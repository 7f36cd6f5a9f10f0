import CActorRuntime

/// An object whose structure was checked, and what of it goes where in memory: the C runtime maps what this says and
/// knows nothing of the file's format.
public struct LoadableObject: Sendable, Equatable {
    /// The file.
    public let bytes: [UInt8]
    /// In the order of their addresses.
    private let segments: [smelt_rt_segment]
    /// In the order of their places.
    private let relocations: [smelt_rt_relocation]
    /// Of the descriptor, from the load address.
    let moduleAddress: UInt64
    /// Where the line tables are in the file; nil where there are none, or none that can be read.
    let lineTables: Range<Int>?

    /// Checks an object that has no manifest yet, made by a compiler in this process: ELF rules and descriptor.
    ///
    /// Any bytes may be given. Objects of other origin go through `ArtifactFormat.open`.
    public init(checking bytes: [UInt8]) throws(ArtifactError) {
        guard let object = try LoadableObject(ElfPolicy(checking: ElfFile(bytes)), nil) else {
            throw LoadableObject.unknownVersion
        }
        self = object
    }

    /// nil when the descriptor's layout is not known here.
    init?(_ policy: ElfPolicy, _ manifest: Manifest?) throws(ArtifactError) {
        var descriptor = DescriptorCheck(policy.file, policy)
        guard try descriptor.run(manifest) else { return nil }
        bytes = policy.file.bytes
        // Checked by the policy: they lie in the file, in order, without a page in common; what is not code is data that
        // is read-only once it is relocated.
        segments = policy.file.loads.map { load in
            smelt_rt_segment(
                address: load.address, bytes: load.memorySize, file_offset: load.offset, file_bytes: load.fileSize,
                is_code: load.flags & Elf.SegmentFlag.execute == 0 ? 0 : 1, reserved: 0)
        }
        relocations = policy.relocations
        moduleAddress = policy.moduleAddress
        // Whatever has content lies in the file: checked when its headers were read.
        lineTables = policy.file.sections.first { $0.name == ".debug_line" }.flatMap { section in
            guard section.flags & Elf.SectionFlag.compressed == 0, section.type == Elf.SectionType.programBits else {
                return nil
            }
            return Int(section.offset)..<Int(section.offset + section.size)
        }
    }

    static let unknownVersion = ArtifactError(
        .version, SMELT_MODULE_SYMBOL, "is of another major version of the runtime interface")

    /// Calls `body` with the plan, which is valid during the call.
    public func withPlan<Result>(_ body: (borrowing smelt_rt_load_plan) -> Result) -> Result {
        // Sound: the pointers are used while the buffers they belong to are borrowed.
        bytes.withUnsafeBufferPointer { bytes in
            segments.withUnsafeBufferPointer { segments in
                relocations.withUnsafeBufferPointer { relocations in
                    body(
                        smelt_rt_load_plan(
                            file: bytes.baseAddress, file_bytes: UInt64(bytes.count), segments: segments.baseAddress,
                            segment_count: UInt64(segments.count), relocations: relocations.baseAddress,
                            relocation_count: UInt64(relocations.count), module: moduleAddress))
                }
            }
        }
    }

    /// Everything else follows from the bytes.
    public static func == (one: LoadableObject, other: LoadableObject) -> Bool { one.bytes == other.bytes }
}
