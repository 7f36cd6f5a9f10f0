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

    /// The digest of a program's loaded content: what the processor can see of it. Left out is what depends on
    /// debug information, which holds the paths of the sources: then builds of one source in two directories are one
    /// compiler.
    public static func buildDigest(ofProgram bytes: [UInt8]) -> Digest? {
        guard let count: UInt16 = try? bytes.load(at: 56, "program"),
            let table: UInt64 = try? bytes.load(at: 32, "program")
        else { return nil }
        var segments: [(type: UInt32, offset: Int, end: Int)] = []
        for index in 0..<UInt64(count) {
            let (row, overflow) = table.addingReportingOverflow(index * Elf.programHeaderSize)
            guard !overflow, let type: UInt32 = try? bytes.load(at: row, "program"),
                let offset: UInt64 = try? bytes.load(at: row &+ 8, "program"),
                let size: UInt64 = try? bytes.load(at: row &+ 32, "program"),
                (try? bytes.check(offset, size, "program")) != nil
            else { return nil }
            segments.append((type, Int(offset), Int(offset + size)))
        }
        var masked = bytes
        // The ELF header says where the section headers lie, behind the debug information; a note holds the
        // linker's own digest of the whole file.
        for index in 0..<min(masked.count, Int(Elf.headerSize)) { masked[index] = 0 }
        for note in segments where note.type == Elf.SegmentType.note {
            for index in note.offset..<note.end { masked[index] = 0 }
        }
        let content = segments.filter { $0.type == Elf.SegmentType.load }.flatMap { masked[$0.offset..<$0.end] }
        return content.isEmpty ? nil : Digest(of: content)
    }
}
