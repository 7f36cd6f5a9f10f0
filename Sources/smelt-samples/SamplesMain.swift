import Foundation
import GasSchedule
import Machine
import Metering
import Primitives
import Replay
import WasmFormat
import WasmReference

/// Writes the sample vectors: `smelt-samples SCENARIOS WASM-DIRECTORY OUT-DIRECTORY`.
///
/// Exit codes and return data come from the scenarios, which are written by hand; gas, the state root and traces come
/// from the reference interpreter, so that compiled code is compared with a second executor.
@main
struct SamplesMain {
    private static let epoch: Int64 = 3_000_000
    private static let engine = ReferenceEngine { bytes in
        Result { () throws(Refusal) in try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm) }
    }

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
        let open = try vector(scenario, name: name(scenarioPath), code: code)
        let (made, reports) = open.withResults(engine: engine, bundles: [])
        guard let made, let report = reports.first else {
            throw SampleError("\(scenarioPath): \(reports.first?.problem ?? "did not run")")
        }
        for (index, (step, message)) in zip(scenario.steps, report.messages).enumerated() {
            guard let receipt = message.result?.receipt, receipt.exitCode.rawValue == step.exitCode,
                receipt.returnData == step.returnData
            else {
                throw SampleError("\(scenarioPath): message \(index) is not as expected:\n" + TextReport().text(report))
            }
        }
        let path = "\(directory)/\(made.name).json"
        try made.write(to: path)
        let options = ReplayOptions(paths: [path], traceDirectory: scenario.hasTrace ? directory : nil)
        let passed = try ReplayRunner(options, engine: engine, bundles: []).run { _ in }.passed
        guard passed == 1 else { throw SampleError("\(path): does not pass") }
    }

    /// The messages on the sample state, nothing demanded yet.
    private static func vector(_ scenario: Scenario, name: String, code: [String: [UInt8]]) throws -> Vector {
        let state = try SampleState(scenario.actors, code: code)
        let sender = try SampleState.sender()
        return Vector(
            name: name, description: scenario.description,
            car: Vector.archive(roots: [state.root], blocks: state.blocks), preStateRoot: state.root,
            environment: Vector.Environment(
                baseFee: Vector.defaultBaseFee, circulatingSupply: Vector.defaultCirculatingSupply, chainID: 314,
                timestamp: UInt64(epoch) * 30, actorDebugging: scenario.actorDebugging),
            variants: [
                Vector.Variant(
                    id: "nv\(scenario.networkVersion)", epoch: epoch,
                    networkVersion: NetworkVersion(rawValue: scenario.networkVersion))
            ],
            messages: try scenario.steps.enumerated().map { index, step in
                try VectorMessage(
                    Message(
                        to: .id(step.to), from: sender, nonce: UInt64(index), value: step.value,
                        gasLimit: step.gasLimit, feeCap: TokenAmount(200), premium: TokenAmount(1),
                        method: step.method, params: step.params))
            })
    }
}
