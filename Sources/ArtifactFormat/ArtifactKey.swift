import CActorRuntime
import CodeSettings
import Primitives

/// Everything the bytes of an object depend on. Two compilations with equal inputs give equal bytes, and no
/// other fact (directory, user, time, number of jobs) may play a part.
public struct ArtifactInputs: Hashable, Sendable {
    /// Version of the manifest and of the rules in `ElfPolicy`.
    public var formatVersion: UInt32
    /// Version of `smeltrt.h` the code was compiled against.
    public var abiMajor: UInt32
    public var abiMinor: UInt32
    /// Smelt's own version.
    public var compilerVersion: String
    /// Digest of the compiler program itself, so that two builds of one version never share objects by mistake.
    public var compilerBuild: Digest
    public var llvmVersion: String
    /// Digest of the LLVM library: a patched package of one version makes other code.
    public var llvmBuild: Digest
    /// What the linker prints as its version; it also writes it into the object.
    public var linkerVersion: String
    /// Digest of the linker with its libraries.
    public var linkerBuild: Digest
    /// CID of the WASM binary.
    public var wasm: Cid
    /// Digest of the acceptance profile: which modules are refused, by which limits.
    public var acceptanceProfile: Digest
    /// Digest of the prices compiled code depends on.
    public var prices: Digest
    /// Digest of the code generation settings.
    public var settings: Digest
    /// Target triple.
    public var target: String
    public var cpu: CPULevel

    /// The version written by this build.
    public static let currentFormatVersion: UInt32 = 2
    /// The runtime interface this build compiles against, and runs.
    public static let currentABIMajor = UInt32(SMELT_RT_ABI_MAJOR)

    public init(
        formatVersion: UInt32 = ArtifactInputs.currentFormatVersion, abiMajor: UInt32 = UInt32(SMELT_RT_ABI_MAJOR),
        abiMinor: UInt32 = UInt32(SMELT_RT_ABI_MINOR), compilerVersion: String, compilerBuild: Digest,
        llvmVersion: String, llvmBuild: Digest, linkerVersion: String, linkerBuild: Digest, wasm: Cid,
        acceptanceProfile: Digest, prices: Digest, settings: Digest, target: String, cpu: CPULevel
    ) {
        self.formatVersion = formatVersion
        self.abiMajor = abiMajor
        self.abiMinor = abiMinor
        self.compilerVersion = compilerVersion
        self.compilerBuild = compilerBuild
        self.llvmVersion = llvmVersion
        self.llvmBuild = llvmBuild
        self.linkerVersion = linkerVersion
        self.linkerBuild = linkerBuild
        self.wasm = wasm
        self.acceptanceProfile = acceptanceProfile
        self.prices = prices
        self.settings = settings
        self.target = target
        self.cpu = cpu
    }

    /// The inputs as lines, for manifests and for the store's records.
    public var text: FieldText {
        FieldText([
            "smelt-artifact": String(formatVersion),
            "abi-major": String(abiMajor),
            "abi-minor": String(abiMinor),
            "compiler-version": compilerVersion,
            "compiler-build": compilerBuild.hex,
            "llvm-version": llvmVersion,
            "llvm-build": llvmBuild.hex,
            "linker-version": linkerVersion,
            "linker-build": linkerBuild.hex,
            "wasm": wasm.text,
            "acceptance-profile": acceptanceProfile.hex,
            "prices": prices.hex,
            "settings": settings.hex,
            "target": target,
            "cpu": cpu.rawValue,
        ])
    }

    /// Reads the inputs back from lines; nil when one is absent or malformed.
    public init?(_ text: FieldText) {
        func digest(_ name: String) -> Digest? { text.first(name).flatMap { Digest(hex: $0) } }
        guard let formatVersion: UInt32 = text.number("smelt-artifact"),
            let abiMajor: UInt32 = text.number("abi-major"), let abiMinor: UInt32 = text.number("abi-minor"),
            let compilerVersion = text.first("compiler-version"), let compilerBuild = digest("compiler-build"),
            let llvmVersion = text.first("llvm-version"), let llvmBuild = digest("llvm-build"),
            let linkerVersion = text.first("linker-version"), let linkerBuild = digest("linker-build"),
            let wasm = text.first("wasm").flatMap({ try? Cid(text: $0) }),
            let acceptanceProfile = digest("acceptance-profile"), let prices = digest("prices"),
            let settings = digest("settings"), let target = text.first("target"),
            let cpu = text.first("cpu").flatMap(CPULevel.init(rawValue:))
        else { return nil }
        self.init(
            formatVersion: formatVersion, abiMajor: abiMajor, abiMinor: abiMinor, compilerVersion: compilerVersion,
            compilerBuild: compilerBuild, llvmVersion: llvmVersion, llvmBuild: llvmBuild,
            linkerVersion: linkerVersion, linkerBuild: linkerBuild, wasm: wasm, acceptanceProfile: acceptanceProfile,
            prices: prices, settings: settings, target: target, cpu: cpu)
    }

    /// The compiler's part of the inputs.
    public var compiler: CompilerIdentity {
        CompilerIdentity(
            version: compilerVersion, build: compilerBuild, llvmVersion: llvmVersion, llvmBuild: llvmBuild,
            linkerVersion: linkerVersion, linkerBuild: linkerBuild)
    }

    /// Whether an object of these inputs serves this build where one of `settings` is wanted, whichever compiler
    /// made it: same acceptance, prices, code generation, target, CPU level and format, and a runtime interface
    /// that is not newer.
    public func serves(_ settings: CompileSettings) -> Bool {
        var wanted = compiler.inputs(wasm: wasm, settings: settings)
        guard abiMinor <= wanted.abiMinor else { return false }
        wanted.abiMinor = abiMinor
        return wanted == self
    }

    /// The name of the object these inputs give.
    public var key: ArtifactKey {
        ArtifactKey(digest: Digest(of: text.encoded))
    }
}

/// The name of an object: the SHA-256 digest of all its inputs.
public struct ArtifactKey: Hashable, Sendable, CustomStringConvertible {
    public let digest: Digest

    public init(digest: Digest) { self.digest = digest }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { digest.hex }
    public var description: String { hex }
}
