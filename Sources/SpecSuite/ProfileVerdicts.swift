import Foundation
import GasSchedule
import Metering
import Syscalls
import WasmFormat

/// What the FVM itself would say to the modules that a script instantiates.
public struct ProfileVerdicts: Sendable {
    public let file: ScriptFile
    public internal(set) var accepted = 0
    /// Modules refused, by the first stage that refuses.
    public internal(set) var refused: [RefusalStage: Int] = [:]

    /// All stages in the order in which the FVM looks.
    static let stages: [RefusalStage] = [
        .decode, .validate, .stackLimiter, .gas, .postValidate, .poolLimits, .link,
    ]

    /// Asks the front end about every `module` command.
    static func of(
        _ file: ScriptFile, _ commands: [ScriptCommand], folder: URL
    ) throws(SuiteFailure) -> ProfileVerdicts {
        var verdicts = ProfileVerdicts(file: file)
        for command in commands {
            guard case .module(let name, _) = command.kind else { continue }
            let path = folder.appendingPathComponent(name)
            guard let data = try? Data(contentsOf: path) else { throw SuiteFailure("\(path.path): cannot be read") }
            do throws(Refusal) {
                _ = try FrontEnd.analyze([UInt8](data), profile: .fvm, prices: .fvm, syscalls: .v3)
                verdicts.accepted += 1
            } catch {
                verdicts.refused[error.stage, default: 0] += 1
            }
        }
        return verdicts
    }

    private init(file: ScriptFile) { self.file = file }
}
