import Primitives

/// Which compiler makes objects: the part of the inputs that is the same for all modules.
///
/// Versions are for people; what decides are the digests of the programs and libraries that make the bytes.
public struct CompilerIdentity: Hashable, Sendable {
    public var version: String
    /// Digest of the worker program (`buildDigest`).
    public var build: Digest
    public var llvmVersion: String
    /// Digest of the LLVM library as loaded.
    public var llvmBuild: Digest
    public var linkerVersion: String
    /// Digest of the linker program and of the libraries of LLVM and lld that it loads.
    public var linkerBuild: Digest

    public init(
        version: String, build: Digest, llvmVersion: String, llvmBuild: Digest, linkerVersion: String,
        linkerBuild: Digest
    ) {
        self.version = version
        self.build = build
        self.llvmVersion = llvmVersion
        self.llvmBuild = llvmBuild
        self.linkerVersion = linkerVersion
        self.linkerBuild = linkerBuild
    }

    /// As lines of text.
    public var fields: FieldText {
        FieldText([
            "version": version, "build": build.hex, "llvm": llvmVersion, "llvm-build": llvmBuild.hex,
            "linker": linkerVersion, "linker-build": linkerBuild.hex,
        ])
    }

    /// What `fields` wrote, wherever it stands among other lines; nil where something is missing.
    public init?(fields: FieldText) {
        func digest(_ name: String) -> Digest? { fields.first(name).flatMap { Digest(hex: $0) } }
        guard let version = fields.first("version"), let build = digest("build"),
            let llvm = fields.first("llvm"), let llvmBuild = digest("llvm-build"),
            let linker = fields.first("linker"), let linkerBuild = digest("linker-build")
        else { return nil }
        self.init(
            version: version, build: build, llvmVersion: llvm, llvmBuild: llvmBuild, linkerVersion: linker,
            linkerBuild: linkerBuild)
    }

    /// All inputs of a module's compilation.
    public func inputs(wasm: Cid, settings: CompileSettings) -> ArtifactInputs {
        ArtifactInputs(
            compilerVersion: version, compilerBuild: build, llvmVersion: llvmVersion, llvmBuild: llvmBuild,
            linkerVersion: linkerVersion, linkerBuild: linkerBuild, wasm: wasm,
            acceptanceProfile: settings.profileDigest, prices: settings.pricesDigest,
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
