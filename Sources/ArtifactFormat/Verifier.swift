import CActorRuntime
import CodeSettings

/// What the caller needs an object to be.
public enum ArtifactExpectation: Hashable, Sendable {
    /// Sound, whether or not this build and processor can run it.
    case sound
    /// Sound, and this build and processor can run it.
    case runnable
    /// Sound, and the one with this key. (The key tells the versions; the processor may be another.)
    case key(ArtifactKey)
}

/// The object format: one ELF shared object per actor with a manifest (`Manifest`).
public enum ArtifactFormat {
    /// The target triple this build runs.
    public static let target = "x86_64-unknown-linux-gnu"

    /// Checks an object from its bytes alone: ELF rules, manifest, digests, descriptor, versions, CPU level.
    ///
    /// Any bytes may be given; nothing is mapped and nothing of them is executed. Who made the object is not
    /// known from it; the store's entry beside it tells.
    /// - Throws: what rule is broken, where and how.
    public static func verify(
        _ bytes: [UInt8], expecting expectation: ArtifactExpectation, processor: Int32 = CPULevel.processor
    ) throws(ArtifactError) -> Manifest {
        try check(bytes, expectation, processor).manifest
    }

    /// The same, of an object that is to be run: with what it takes to map it.
    ///
    /// - Parameter isAuthentic: whether an authentication code shows that these are bytes which were verified before:
    ///   their digests are not taken once more then, which is most of the time of a check.
    /// - Throws: what rule is broken, where and how; `.version` for an object of another runtime interface.
    public static func open(
        _ bytes: [UInt8], expecting expectation: ArtifactExpectation, processor: Int32 = CPULevel.processor,
        isAuthentic: Bool = false
    ) throws(ArtifactError) -> (manifest: Manifest, object: LoadableObject) {
        let (manifest, object) = try check(bytes, expectation, processor, isAuthentic: isAuthentic)
        guard let object else { throw LoadableObject.unknownVersion }
        return (manifest, object)
    }

    private static func check(
        _ bytes: [UInt8], _ expectation: ArtifactExpectation, _ processor: Int32, isAuthentic: Bool = false
    ) throws(ArtifactError) -> (manifest: Manifest, object: LoadableObject?) {
        let file = try ElfFile(bytes)
        let (manifest, section) = try manifest(of: file)
        // Versions first: an object of another format may rightly break today's rules.
        if expectation == .runnable { try checkRunnable(manifest, processor: processor) }
        let policy = try ElfPolicy(checking: file)
        if !isAuthentic { try checkDigests(manifest, file, section) }
        let object = try LoadableObject(policy, manifest)
        if case .key(let key) = expectation, manifest.inputs.key != key {
            throw ArtifactError(.unexpectedKey, "manifest", "the object has key \(manifest.inputs.key), not \(key)")
        }
        return (manifest, object)
    }

    /// The manifest and the range of its section.
    static func manifest(of file: ElfFile) throws(ArtifactError) -> (Manifest, ElfFile.Section) {
        let sections = file.sections.filter { $0.name == Manifest.sectionName }
        guard sections.count == 1, let section = sections.first, section.type == Elf.SectionType.programBits,
            section.flags == 0
        else {
            throw ArtifactError(
                .manifestMissing, "section headers", at: file.sectionHeaderOffset,
                "\(sections.count) sections '\(Manifest.sectionName)', expected one that is not loaded")
        }
        let bytes = Array(file.bytes[Int(section.offset)..<Int(section.offset + section.size)])
        guard let manifest = Manifest.decode(bytes) else {
            throw ArtifactError(.manifestMalformed, "manifest", at: section.offset, "is damaged or not canonical")
        }
        return (manifest, section)
    }

    /// Checks that this build and processor can run an object that is sound.
    ///
    /// - Throws: `.version`, `.target` or `.cpuLevel`; the text names the level.
    public static func checkRunnable(
        _ manifest: Manifest, processor: Int32 = CPULevel.processor
    ) throws(ArtifactError) {
        let inputs = manifest.inputs
        guard inputs.formatVersion == ArtifactInputs.currentFormatVersion else {
            throw ArtifactError(
                .version, "manifest",
                "format version \(inputs.formatVersion), this build reads \(ArtifactInputs.currentFormatVersion)")
        }
        guard inputs.abiMajor == UInt32(SMELT_RT_ABI_MAJOR), inputs.abiMinor <= UInt32(SMELT_RT_ABI_MINOR) else {
            throw ArtifactError(
                .version, "manifest",
                "runtime interface \(inputs.abiMajor).\(inputs.abiMinor), this build has "
                    + "\(SMELT_RT_ABI_MAJOR).\(SMELT_RT_ABI_MINOR)")
        }
        guard inputs.target == target else {
            throw ArtifactError(.target, "manifest", "target \(printable(inputs.target)), this build runs \(target)")
        }
        guard inputs.cpu.number <= processor else {
            throw ArtifactError(
                .cpuLevel, "manifest",
                "the object needs a processor of level \(inputs.cpu.rawValue), this one has level x86-64-v\(processor)")
        }
    }

    private static func checkDigests(
        _ manifest: Manifest, _ file: ElfFile, _ section: ElfFile.Section
    ) throws(ArtifactError) {
        let found = segments(of: file)
        guard found.count == manifest.segments.count else {
            throw ArtifactError(
                .digest, "manifest", at: section.offset,
                "\(manifest.segments.count) segments listed, the file has \(found.count)")
        }
        for (index, segment) in found.enumerated() where segment != manifest.segments[index] {
            throw ArtifactError(
                .digest, "loadable segment \(index)", at: segment.offset,
                "\(segment.size) bytes do not have the digest in the manifest")
        }
        guard fileDigest(file.bytes, manifestAt: section.offset, size: section.size) == manifest.file else {
            throw ArtifactError(.digest, "file", "bytes outside of the segments do not have the digest in the manifest")
        }
    }

    /// The loadable segments with their digests.
    static func segments(of file: ElfFile) -> [Manifest.Segment] {
        file.loads.map { load in
            // The range was checked when the headers were read.
            let content = file.bytes.span.extracting(Int(load.offset)..<Int(load.offset + load.fileSize))
            return Manifest.Segment(offset: load.offset, size: load.fileSize, digest: Digest(of: content))
        }
    }

    /// The digest of a file with the manifest's bytes taken as zero.
    static func fileDigest(_ bytes: [UInt8], manifestAt offset: UInt64, size: UInt64) -> Digest {
        let manifest = Int(offset)..<Int(offset + size)
        let zeros = [UInt8](repeating: 0, count: manifest.count)
        return Digest { pieces in
            pieces.add(bytes.span.extracting(..<manifest.lowerBound))
            pieces.add(zeros.span)
            pieces.add(bytes.span.extracting(manifest.upperBound...))
        }
    }
}
