import ArtifactFormat
import LLVMKit

/// Which compiler this process is: its own program, LLVM as loaded, and the linker.
struct IdentitySource {
    private let linker: Linker
    private let llvm: CompilerFile

    init(_ linker: Linker) throws(CompilerError) {
        self.linker = linker
        llvm = try .loadedLLVM()
    }

    /// The files whose digests are part of the identity.
    var files: [PlacedFile] { ([llvm] + linker.files).map(\.place) }

    /// - Parameter known: digests that need not be taken again.
    /// - Returns: also the digests that were taken and may be remembered.
    func identity(
        known: [FileStamp: Digest]
    ) throws(CompilerError) -> (identity: CompilerIdentity, taken: [FileStamp: Digest]) {
        guard let program = ProcessFile.contents("/proc/self/exe"),
            let build = CompilerIdentity.buildDigest(ofProgram: program)
        else { throw .noIdentity("the compiler's own program file cannot be read") }
        var known = known
        var taken: [FileStamp: Digest] = [:]
        func digest(_ file: CompilerFile) throws(CompilerError) -> Digest {
            if let digest = known[file.stamp] { return digest }
            let (digest, isSettled) = try file.digest()
            known[file.stamp] = digest
            if isSettled { taken[file.stamp] = digest }
            return digest
        }
        let llvmBuild = try digest(llvm)
        var parts = FieldText()
        for file in linker.files { parts.append("file", try digest(file).hex) }
        let identity = CompilerIdentity(
            version: WorkerLoop.version, build: build, llvmVersion: llvmVersion, llvmBuild: llvmBuild,
            linkerVersion: linker.version, linkerBuild: Digest(of: parts.encoded))
        return (identity, taken)
    }
}
