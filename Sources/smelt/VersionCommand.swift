import ArtifactFormat
import CActorRuntime
import CodeSettings
import CommandTable
import CompilePool
import JSON

/// The version of Smelt, and what `smelt version` prints.
enum VersionCommand {
    static let version = SmeltVersion.text

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let compiler = WorkerSetup.identityIfAvailable
        let none = "no compiler beside this program"
        let report = JSONValue.object([
            "schema": .string("smelt.version/1"), "smelt": .string(version),
            "object_format": .integer(ArtifactInputs.currentFormatVersion),
            "runtime_abi": .string("\(SMELT_RT_ABI_MAJOR).\(SMELT_RT_ABI_MINOR)"),
            "compiler": .string(compiler?.version ?? none),
            "compiler_build": compiler.map { .string($0.build.hex) } ?? .null,
            "llvm": compiler.map { .string($0.llvmVersion) } ?? .null,
            "llvm_build": compiler.map { .string($0.llvmBuild.hex) } ?? .null,
            "linker": compiler.map { .string($0.linkerVersion) } ?? .null,
            "linker_build": compiler.map { .string($0.linkerBuild.hex) } ?? .null,
            "target": .string(ArtifactFormat.target),
            "cpu_levels": .array(CPULevel.allCases.map { .string($0.rawValue) }),
            "processor": .string("x86-64-v\(CPULevel.processor)"),
        ])
        try Output.report(report, json: arguments.has("json"))
        return .success
    }
}
