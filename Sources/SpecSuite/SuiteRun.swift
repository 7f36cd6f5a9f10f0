/// What came of running scripts.
public struct SuiteRun: Sendable {
    /// Scripts in order, for each the executors in order.
    public internal(set) var results: [FileResult] = []
    public internal(set) var verdicts: [ProfileVerdicts] = []

    /// Runs scripts with every executor.
    ///
    /// Charges are compared too: all executors have to spend the same milligas on a script.
    ///
    /// - Parameter progress: told each script's title before it runs.
    public static func run(
        _ files: [ScriptFile], converter: ScriptConverter, executors: [any SuiteExecutor],
        progress: (String) -> Void = { _ in }
    ) throws(SuiteFailure) -> SuiteRun {
        var run = SuiteRun()
        for file in files {
            progress(file.title)
            let converted = try converter.convert(file)
            let commands = try ScriptCommand.read(converted.json)
            run.verdicts.append(try ProfileVerdicts.of(file, commands, folder: converted.folder))
            var first: FileResult?
            for executor in executors {
                var result = try ScriptRunner.run(file, commands, folder: converted.folder, executor: executor)
                result.rewritten = converted.rewritten
                if let first { result.compareCharges(with: first) }
                first = first ?? result
                run.results.append(result)
            }
        }
        return run
    }

    /// Assertions of all scripts and executors together.
    public var total: Tally {
        results.reduce(Tally()) { sum, result in
            var total = result.total
            // Failures that are not an assertion's count too: a module that does not start, charges that differ.
            total.failed = result.failures.count
            return sum + total
        }
    }
}

extension FileResult {
    mutating func compareCharges(with other: FileResult) {
        let incomparable = skips[.unsupported] != nil || other.skips[.unsupported] != nil
        guard !incomparable, milligas != other.milligas else { return }
        failures.append(
            Failure(
                line: 0, text: "charges \(milligas) milligas in all, \(other.executor) \(other.milligas)"))
    }
}
