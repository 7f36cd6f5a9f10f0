import Foundation
import GasSchedule
import Metering
import Primitives
import Replay
import WasmFormat
import WasmReference

/// Writes the sample vectors: `smelt-samples SCENARIOS WASM-DIRECTORY OUT-DIRECTORY`.
///
/// Exit codes and return data come from the scenarios, which are written by hand; gas and the state root come from
/// the reference interpreter, so that compiled code is compared with a second executor.
@main
struct SamplesMain {
    static func main() {
        do {
            let arguments = CommandLine.arguments
            guard arguments.count == 4 else { throw SampleError("usage: smelt-samples SCENARIOS WASM OUT") }
            for path in try files(in: arguments[1], suffix: ".json") {
                try write(path, code: try actors(in: arguments[2]), to: arguments[3])
            }
        } catch {
            FileHandle.standardError.write(Data("smelt-samples: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func files(in directory: String, suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(suffix) }.sorted()
            .map { "\(directory)/\($0)" }
    }

    private static func name(_ path: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }

    private static func actors(in directory: String) throws -> [String: [UInt8]] {
        var code: [String: [UInt8]] = [:]
        for path in try files(in: directory, suffix: ".wasm") {
            code[name(path)] = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        return code
    }

    private static func write(_ scenarioPath: String, code: [String: [UInt8]], to directory: String) throws {
        let scenario = try Scenario(file: scenarioPath)
        let state = try SampleState(scenario.actors, code: code)
        var writer = VectorWriter(name: name(scenarioPath), scenario: scenario, state: state)
        let path = "\(directory)/\(writer.name).json"
        func save() throws {
            try Data((try writer.json().text(.indented) + "\n").utf8).write(to: URL(fileURLWithPath: path))
        }
        // The draft says gas 0 and an unchanged state; what differs is what the interpreter found.
        try save()
        let draft = try replay(path)
        writer.gasUsed = draft.messages.map(\.gasUsed)
        for mismatch in draft.mismatches where mismatch.field == "state root" {
            writer.postStateRoot = try Cid(text: mismatch.got)
        }
        try save()
        let final = try replay(path)
        guard final.status == .passed else {
            throw SampleError("\(scenarioPath): not as expected:\n" + TextReport().text(final))
        }
    }

    private static func replay(_ path: String) throws -> VectorReport {
        var reports: [VectorReport] = []
        let engine = ReferenceEngine { bytes in
            Result { () throws(Refusal) in try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm) }
        }
        let runner = try ReplayRunner(ReplayOptions(paths: [path]), engine: engine, bundles: [])
        _ = try runner.run { reports.append($0) }
        guard let report = reports.first else { throw SampleError("\(path): no report") }
        if report.messages.isEmpty { throw SampleError("\(path): \(report.problem ?? "did not run")") }
        return report
    }
}
