import Compiler
import WasmFormat

/// A difference between the interpreter and compiled code.
public struct FuzzDifference: Error, CustomStringConvertible {
    public var way: CompiledWay
    public var run: FuzzRun
    public var text: String

    public var description: String { "\(way): \(text)" }
}

/// Compares compiled code with the interpreter.
public struct Comparison {
    private let linker: Linker

    /// - Throws: when this machine has no linker.
    public init() throws { linker = try Linker.find() }

    /// The first difference in any of the runs, nil when all ways show what the interpreter showed.
    ///
    /// - Parameter expected: of each run, what the interpreter showed.
    /// - Throws: what an executor could not do.
    func difference(
        _ module: FuzzModule, _ runs: [FuzzRun], expected: [FuzzObservation], ways: [CompiledWay]
    ) throws -> FuzzDifference? {
        for way in ways {
            let object = try module.compile(way, linker: linker)
            let hasFaults = way.options.bounds == .guardPages && way.options.tier == .optimised
            for (run, expected) in zip(runs, expected) {
                var seen = try module.execute(object, run)
                var expected = expected
                if hasFaults {
                    seen = seen.withoutOffsetsOfFaults
                    expected = expected.withoutOffsetsOfFaults
                }
                if let text = seen.difference(from: expected, run) {
                    return FuzzDifference(way: way, run: run, text: text)
                }
            }
        }
        return nil
    }
}
