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

    /// The digest of a program's loaded content: what the processor can see of it. Debug information, which holds
    /// the paths of the sources, is left out, so builds of one source in two directories are one compiler.
    public static func buildDigest(ofProgram bytes: [UInt8]) -> Digest? {
        guard bytes.count >= 64, let count = try? bytes.load(at: 56, "program", as: UInt16.self),
            let table = try? bytes.load(at: 32, "program", as: UInt64.self)
        else { return nil }
        var content: [UInt8] = []
        for index in 0..<UInt64(count) {
            let (row, overflow) = table.addingReportingOverflow(index * Elf.programHeaderSize)
            guard !overflow, let type = try? bytes.load(at: row, "program", as: UInt32.self),
                let offset = try? bytes.load(at: row + 8, "program", as: UInt64.self),
                let size = try? bytes.load(at: row + 32, "program", as: UInt64.self),
                (try? bytes.check(offset, size, "program")) != nil
            else { return nil }
            guard type == Elf.SegmentType.load else { continue }
            // The first segment starts with the ELF header, which says where the section headers lie: that
            // depends on the debug information.
            let start = offset == 0 ? min(size, Elf.headerSize) : 0
            content.append(contentsOf: bytes[Int(offset + start)..<Int(offset + size)])
        }
        return content.isEmpty ? nil : Digest(of: content)
    }
}
