import Engine
import Foundation
import GasSchedule
import Metering
import WasmFormat

/// Runs the commands of one script with one executor.
struct ScriptRunner {
    /// What stands behind "the current module" and `$names`.
    private enum Binding {
        case instance(Int)
        /// Refused by the profile, or linked to such a module: what is asserted of it is not applicable.
        case refused
        /// The executor cannot run it.
        case unsupported
        case none
    }

    private let executor: any SuiteExecutor
    private let folder: URL
    private var result: FileResult
    private var current = Binding.none
    private var named: [String: Binding] = [:]
    private var notRegistered: Set<Name> = []

    /// Runs `commands`, whose binaries lie in `folder`.
    static func run(
        _ file: ScriptFile, _ commands: [ScriptCommand], folder: URL, executor: any SuiteExecutor
    ) throws(SuiteFailure) -> FileResult {
        var runner = ScriptRunner(
            executor: executor, folder: folder, result: FileResult(file: file, executor: executor.name))
        try executor.begin()
        for command in commands { try runner.run(command) }
        return runner.result
    }

    private init(executor: any SuiteExecutor, folder: URL, result: FileResult) {
        self.executor = executor
        self.folder = folder
        self.result = result
    }

    private mutating func run(_ command: ScriptCommand) throws(SuiteFailure) {
        let line = command.line
        switch command.kind {
        case .module(let file, let name):
            current = try define(file, line: line)
            if let name { named[name] = current }
        case .register(let name, let module):
            if case .instance(let instance) = binding(module) {
                executor.register(name, instance: instance)
                notRegistered.remove(name)
            } else {
                notRegistered.insert(name)
            }
        case .action(let action):
            guard case .instance(let instance) = binding(action.module) else { return }
            if case .returned = perform(action, instance) { return }
            fail(line, "the action does not return")
        case .assertReturn(let action, let expected):
            judge(.return, line, action) { outcome in
                guard case .returned(let slots, _) = outcome else { return false }
                return slots.count == expected.count && zip(expected, slots).allSatisfy { $0.matches($1) }
            }
        case .assertTrap(let action, let text):
            judge(.trap, line, action) { outcome in
                guard case .trapped(let trap, _) = outcome else { return false }
                return Self.matches(trap, text)
            }
        case .assertExhaustion(let action):
            judge(.exhaustion, line, action) { outcome in
                guard case .trapped(let trap, _) = outcome else { return false }
                return trap == .nativeStack || trap == .stackHeight
            }
        case .assertInvalid(let file):
            try mustBeRefused(.invalid, file, line)
        case .assertMalformed(let file):
            try mustBeRefused(.malformed, file, line)
        case .assertMalformedText:
            skip(.malformedText, .textFormat)
        case .assertUnlinkable(let file, let text):
            try mustNotInstantiate(.unlinkable, file, line, text)
        case .assertUninstantiable(let file, let text):
            try mustNotInstantiate(.uninstantiable, file, line, text)
        }
    }

    // MARK: Modules

    private func bytes(_ file: String) throws(SuiteFailure) -> [UInt8] {
        let path = folder.appendingPathComponent(file)
        guard let data = try? Data(contentsOf: path) else { throw SuiteFailure("\(path.path): cannot be read") }
        return [UInt8](data)
    }

    static func analyze(_ bytes: [UInt8], _ profile: AcceptanceProfile) -> Result<AnalyzedModule, Refusal> {
        do throws(Refusal) {
            return .success(try FrontEnd.analyze(bytes, profile: profile, prices: .fvm))
        } catch { return .failure(error) }
    }

    private mutating func define(_ file: String, line: Int) throws(SuiteFailure) -> Binding {
        let bytes = try bytes(file)
        switch Self.analyze(bytes, .suite) {
        case .failure(let refusal):
            result.refused.append(RefusedModule(line: line, stage: refusal.stage, rule: refusal.rule))
            return .refused
        case .success(let module):
            result.accepted += 1
            switch executor.instantiate(module, bytes: bytes) {
            case .instance(let instance): return .instance(instance)
            case .unsupported: return .unsupported
            case .unlinkable(let name, _) where notRegistered.contains(name): return .refused
            case .unlinkable(_, let text): fail(line, "module is unlinkable: \(text)")
            case .trapped(let trap): fail(line, "module traps: \(trap)")
            case .failed(let text): fail(line, "module: \(text)")
            }
            return .none
        }
    }

    private mutating func mustBeRefused(_ kind: AssertionKind, _ file: String, _ line: Int) throws(SuiteFailure) {
        switch Self.analyze(try bytes(file), .suite) {
        case .failure(let refusal):
            result.stages[refusal.stage, default: 0] += 1
            let inTime = refusal.stage == .decode || refusal.stage == .validate
            count(kind, line, passed: inTime, "refused at the stage \(refusal.stage.rawValue): \(refusal)")
        case .success:
            count(kind, line, passed: false, "module is accepted")
        }
    }

    private mutating func mustNotInstantiate(
        _ kind: AssertionKind, _ file: String, _ line: Int, _ text: String
    ) throws(SuiteFailure) {
        let bytes = try bytes(file)
        switch Self.analyze(bytes, .suite) {
        case .failure(let refusal):
            result.refused.append(RefusedModule(line: line, stage: refusal.stage, rule: refusal.rule))
            skip(kind, .refusedModule)
        case .success(let module):
            switch executor.instantiate(module, bytes: bytes) {
            case .unsupported: skip(kind, .unsupported)
            case .unlinkable(let name, _) where notRegistered.contains(name): skip(kind, .refusedModule)
            case .unlinkable: count(kind, line, passed: kind == .unlinkable, "unlinkable")
            case .trapped(let trap):
                // What wg-1.0 calls unlinkable because a segment does not fit is a trap since bulk memory.
                let passed = kind == .uninstantiable ? Self.matches(trap, text) : text.hasSuffix("does not fit")
                count(kind, line, passed: passed, "traps: \(trap)")
            case .instance: count(kind, line, passed: false, "module is instantiated")
            case .failed(let reason): count(kind, line, passed: false, reason)
            }
        }
    }

    // MARK: Actions

    private func binding(_ module: String?) -> Binding {
        guard let module else { return current }
        return named[module] ?? .none
    }

    private mutating func perform(_ action: ScriptCommand.Action, _ instance: Int) -> ActionOutcome {
        guard action.isInvocation else { return executor.global(action.field, instance: instance) }
        var slots: [UInt64] = []
        for argument in action.arguments {
            guard case .exact(let bits) = argument.pattern else { return .failed("argument is not a value") }
            slots.append(bits)
        }
        let outcome = executor.invoke(action.field, arguments: slots, instance: instance)
        switch outcome {
        case .returned(_, let spent), .trapped(_, let spent): result.milligas &+= UInt64(bitPattern: spent)
        case .missing, .failed: break
        }
        return outcome
    }

    private mutating func judge(
        _ kind: AssertionKind, _ line: Int, _ action: ScriptCommand.Action, _ holds: (ActionOutcome) -> Bool
    ) {
        switch binding(action.module) {
        case .instance(let instance):
            let outcome = perform(action, instance)
            count(kind, line, passed: holds(outcome), "\(action.field.text): \(Self.text(outcome))")
        case .refused: skip(kind, .refusedModule)
        case .unsupported: skip(kind, .unsupported)
        case .none: count(kind, line, passed: false, "there is no module")
        }
    }

    /// Texts of scripts are prefixes of the traps' texts, or name an element behind them.
    private static func matches(_ trap: Trap, _ text: String) -> Bool {
        trap.description.hasPrefix(text) || text.hasPrefix(trap.description)
    }

    private static func text(_ outcome: ActionOutcome) -> String {
        switch outcome {
        case .returned(let slots, _): "returned " + slots.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
        case .trapped(let trap, _): "trapped: \(trap)"
        case .missing: "no such export"
        case .failed(let text): text
        }
    }

    // MARK: Counting

    private mutating func count(_ kind: AssertionKind, _ line: Int, passed: Bool, _ text: String) {
        if Contradictions.contains(result.file, line) {
            result.contradicted.append(line)
            // An assertion that holds after all has no business in the list.
            if passed { fail(line, "listed as contradicted but holds") }
            skip(kind, .contradicted)
            return
        }
        if passed {
            result.tallies[kind, default: Tally()].passed += 1
        } else {
            result.tallies[kind, default: Tally()].failed += 1
            fail(line, "\(kind.rawValue): \(text)")
        }
    }

    private mutating func skip(_ kind: AssertionKind, _ reason: SkipReason) {
        result.tallies[kind, default: Tally()].skipped += 1
        result.skips[reason, default: 0] += 1
    }

    private mutating func fail(_ line: Int, _ text: String) {
        result.failures.append(FileResult.Failure(line: line, text: text))
    }
}
