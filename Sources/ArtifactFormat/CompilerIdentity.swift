import Primitives

/// Which compiler makes objects: the part of the inputs that is the same for all modules.
public struct CompilerIdentity: Hashable, Sendable {
    public var version: String
    public var build: Digest
    public var llvmVersion: String
    public var linkerVersion: String

    public init(version: String, build: Digest, llvmVersion: String, linkerVersion: String) {
        self.version = version
        self.build = build
        self.llvmVersion = llvmVersion
        self.linkerVersion = linkerVersion
    }

    /// All inputs of a module's compilation.
    public func inputs(wasm: Cid, settings: CompileSettings) -> ArtifactInputs {
        ArtifactInputs(
            compilerVersion: version, compilerBuild: build, llvmVersion: llvmVersion, linkerVersion: linkerVersion,
            wasm: wasm, acceptanceProfile: settings.profileDigest, prices: settings.pricesDigest,
            settings: settings.digest, target: settings.target, cpu: settings.cpu)
    }

    /// The digest of a program's loaded content: what the processor can see of it. Left out is what depends on the
    /// place of the sources, so that builds of one source in two directories are one compiler.
    public static func buildDigest(ofProgram bytes: [UInt8]) -> Digest? {
        do { return try digest(ofProgram: bytes) } catch { return nil }
    }

    private static func digest(ofProgram bytes: [UInt8]) throws(ArtifactError) -> Digest? {
        let place = "program"
        let sections = try ElfFile.readSections(
            bytes, at: try bytes.load(at: 40, place), count: UInt64(try bytes.load(at: 60, place, as: UInt16.self)),
            namesIndex: Int(try bytes.load(at: 62, place, as: UInt16.self)))
        var masked = bytes
        // The ELF header says where the section headers lie, behind the debug information, which holds paths.
        for index in 0..<Int(Elf.headerSize) { masked[index] = 0 }
        // The linker's digest of the whole file, and the Swift compiler's digest of how it was called.
        let placed = sections.filter { $0.type != Elf.SectionType.noBits && $0.type != Elf.SectionType.null }
        for section in placed where [".note.gnu.build-id", ".swift_modhash"].contains(section.name) {
            for index in Int(section.offset)..<Int(section.offset + section.size) { masked[index] = 0 }
        }
        var content: [UInt8] = []
        let table: UInt64 = try bytes.load(at: 32, place)
        for index in 0..<UInt64(try bytes.load(at: 56, place, as: UInt16.self)) {
            let row = table &+ index * Elf.programHeaderSize
            guard try bytes.load(at: row, place, as: UInt32.self) == Elf.SegmentType.load else { continue }
            let offset: UInt64 = try bytes.load(at: row &+ 8, place)
            let size: UInt64 = try bytes.load(at: row &+ 32, place)
            try bytes.check(offset, size, place)
            content += masked[Int(offset)..<Int(offset + size)]
        }
        return content.isEmpty ? nil : Digest(of: content)
    }
}
