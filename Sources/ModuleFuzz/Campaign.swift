import WasmFormat

/// The verdict on one seed.
public enum SeedResult: Sendable {
    /// All ways agreed; how many outcomes were compared, and how many of them were traps.
    case passed(outcomes: Int, traps: Int)
    /// The FVM refuses the module after validation (the stack limiter's reading of dead code).
    case skipped(String)
    case failed(String, module: [UInt8])
}

/// Runs seeds, each a module of its own.
public struct Campaign {
    private let comparison: Comparison

    /// - Throws: when this machine has no linker.
    public init() throws { comparison = try Comparison() }

    /// Generates, runs and compares the module of a seed.
    ///
    /// - Parameter ways: which compiled code is compared with the interpreter.
    public func run(seed: UInt64, ways: [CompiledWay]) -> SeedResult {
        let generated = ModuleGenerator.make(seed: seed)
        return run(generated, seed: seed, ways: ways) { planner in try planner.runs() }
    }

    /// The same for a function of the seed's module that traps once at each of its instructions.
    public func runTraps(seed: UInt64, ways: [CompiledWay]) -> SeedResult {
        guard let generated = ModuleGenerator.makeTrapping(seed: seed) else {
            return .skipped("no function of a fitting length")
        }
        return run(generated, seed: seed, ways: ways) { planner in planner.trapRuns() }
    }

    private func run(
        _ generated: GeneratedModule, seed: UInt64, ways: [CompiledWay],
        _ plan: (inout RunPlanner) throws -> [FuzzRun]
    ) -> SeedResult {
        do {
            let module: FuzzModule
            do throws(Refusal) { module = try FuzzModule(generated.bytes, stackLimit: generated.stackLimit) } catch {
                if error.stage == .stackLimiter { return .skipped(error.diagnostic) }
                return .failed("a valid module is refused: \(error.diagnostic)", module: generated.bytes)
            }
            var planner = RunPlanner(generated: generated, module: module, random: FuzzRandom(seed: ~seed))
            let runs = try plan(&planner)
            let expected = try runs.map { try module.interpret($0) }
            if let difference = try comparison.difference(module, runs, expected: expected, ways: ways) {
                let shrunk = Shrinker(
                    comparison: comparison, way: difference.way, stackLimit: generated.stackLimit,
                    run: difference.run
                ).shrink(generated.bytes)
                return .failed("\(difference)\(shrunk.text)", module: shrunk.bytes)
            }
            let outcomes = expected.flatMap(\.outcomes)
            let traps = outcomes.count { if case .trapped = $0 { true } else { false } }
            return .passed(outcomes: outcomes.count, traps: traps)
        } catch {
            return .failed("\(error)", module: generated.bytes)
        }
    }
}
