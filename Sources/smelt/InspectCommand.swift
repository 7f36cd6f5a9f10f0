import ArtifactFormat
import Bundle
import CommandTable
import GasSchedule
import JSON
import Primitives

/// `smelt inspect`: what a module, an object, a bundle or another archive contains. The kind is told by the content.
enum InspectCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let path = arguments.positionals[0]
        if let archive = try ArchiveReport.make(path) {
            try Output.report(archive, json: arguments.has("json"))
            return .success
        }
        let bytes = try Files.read(path)
        let report: JSONValue
        var status = ExitStatus.success
        switch bytes.prefix(4) {
        case [0x00, 0x61, 0x73, 0x6D]:
            guard let profile = NetworkProfile.table.first else {
                throw CommandFailure(.internalError, "the table of network versions is empty")
            }
            let (made, refusal) = ModuleReport(bytes: bytes, profile: profile).make()
            report = made
            if let refusal {
                Output.note("smelt: \(path): refused: \(refusal.diagnostic)")
                status = .badInput
            }
        case [0x7F, 0x45, 0x4C, 0x46]: report = try object(bytes, path)
        default: report = try bundle(bytes, path)
        }
        try Output.report(report, json: arguments.has("json"))
        return status
    }

    private static func object(_ bytes: [UInt8], _ path: String) throws(CommandFailure) -> JSONValue {
        let report: ObjectReport
        do { report = try ObjectReport(bytes) } catch {
            throw CommandFailure(.integrity, "\(path): \(error.description)")
        }
        let largest = report.functions.sorted { ($0.size, $1.address) > ($1.size, $0.address) }.prefix(10)
        return .object([
            "schema": .string("smelt.inspect.object/1"), "kind": .string("object"), "bytes": .integer(bytes.count),
            "manifest": ObjectText.manifest(report.manifest),
            "sections": .array(
                report.sections.map { section in
                    .object([
                        "name": .string(section.name), "bytes": .integer(section.size),
                        "loaded": .bool(section.isLoaded),
                    ])
                }),
            "relocations": .integer(report.relocationCount),
            "functions": .integer(report.functions.count),
            "code_bytes": .integer(report.functions.reduce(0) { $0 + $1.size }),
            "largest_functions": .array(
                largest.map { .object(["name": .string($0.name), "bytes": .integer($0.size)]) }),
        ])
    }

    private static func bundle(_ bytes: [UInt8], _ path: String) throws(CommandFailure) -> JSONValue {
        let bundle: ActorBundle
        do { bundle = try ActorBundle(bytes: bytes) } catch {
            throw CommandFailure(
                .badInput, "\(path): neither a WASM module nor an object nor an archive of blocks: \(error.description)"
            )
        }
        return .object([
            "schema": .string("smelt.inspect.bundle/1"), "kind": .string("bundle"), "bytes": .integer(bytes.count),
            "root": .string(bundle.root.text), "manifest": .string(bundle.manifestData.text),
            "blocks": .integer(bundle.blocks.count),
            "actors": .array(
                bundle.codes.map { actor in
                    .object([
                        "name": .string(actor.name),
                        "bytes": bundle.code(actor.cid).map { .integer($0.count) } ?? .null,
                        "cid": .string(actor.cid.text),
                    ])
                }),
        ])
    }
}

/// Forms of manifests that several commands print.
enum ObjectText {
    static func manifest(_ manifest: Manifest) -> JSONValue {
        let inputs = manifest.inputs
        return .object([
            "key": .string(inputs.key.hex), "wasm": .string(inputs.wasm.text),
            "format": .integer(inputs.formatVersion), "abi": .string("\(inputs.abiMajor).\(inputs.abiMinor)"),
            "compiler": .string(inputs.compilerVersion), "compiler_build": .string(inputs.compilerBuild.hex),
            "llvm": .string(inputs.llvmVersion), "llvm_build": .string(inputs.llvmBuild.hex),
            "linker": .string(inputs.linkerVersion), "linker_build": .string(inputs.linkerBuild.hex),
            "target": .string(inputs.target), "cpu": .string(inputs.cpu.rawValue),
            "acceptance_profile": .string(inputs.acceptanceProfile.hex), "prices": .string(inputs.prices.hex),
            "settings": .string(inputs.settings.hex),
            "segments": .array(
                manifest.segments.map {
                    .object([
                        "offset": .integer($0.offset), "bytes": .integer($0.size), "sha256": .string($0.digest.hex),
                    ])
                }),
        ])
    }
}
