import ArtifactFormat
import CodeSettings
import CompilePool
import JSON
import Measuring
import Metering
import Statistics
import WasmFormat

/// What it takes to compile actors, and what comes of it: the numbers that FIP-0037 left open.
public struct CompileCosts: Sendable {
    /// One actor.
    public struct Row: Sendable, Equatable {
        public var actor: String
        /// Bytes of WASM.
        public var bytes: Int
        public var functions: Int
        /// Metered blocks.
        public var blocks: Int
        /// Nanoseconds of processor time, the linker's included.
        public var time: Estimate
        /// Bytes of the object.
        public var object: Int
        /// Bytes of memory at the highest.
        public var peakMemory: UInt64
        /// Compilations.
        public var rounds: Int
    }

    /// What costs are set against.
    public enum Measure: String, CaseIterable, Sendable {
        case bytes, functions, blocks

        func value(_ row: Row) -> Double {
            switch self {
            case .bytes: Double(row.bytes)
            case .functions: Double(row.functions)
            case .blocks: Double(row.blocks)
            }
        }
    }

    public let tier: Tier
    /// In the order of the actors given; each code once.
    public let rows: [Row]

    /// Compiles actors again and again, without a store.
    ///
    /// - Parameters:
    ///   - pool: must not have a store, or nothing would be compiled.
    ///   - rounds: compilations of each.
    /// - Throws: `notCompiled` for a module that is refused or cannot be compiled in the pool's tier.
    public static func measure(
        _ inputs: [CompileInput], settings: CompileSettings, rounds: Int, pool: () -> CompilePool,
        progress: (OperatorBench.Progress) -> Void = { _ in }
    ) throws(BenchError) -> CompileCosts {
        var seen: Set<[UInt8]> = []
        let inputs = inputs.filter { seen.insert($0.cid.bytes).inserted }
        var times = Array(repeating: [Double](), count: inputs.count)
        var objects = Array(repeating: 0, count: inputs.count)
        var peaks = Array(repeating: UInt64(0), count: inputs.count)
        for round in 0..<rounds {
            progress(OperatorBench.Progress(stage: "compile actors", done: round, total: rounds))
            // A pool remembers what it has made.
            for (index, outcome) in pool().compile(inputs).enumerated() {
                switch outcome {
                case .compiled(let actor):
                    guard let usage = actor.usage else { throw .notCompiled("\(inputs[index].name) was there already") }
                    if let reason = actor.baselineReason { throw .notCompiled("\(inputs[index].name): \(reason)") }
                    times[index].append(Double(usage.cpuMicroseconds) * 1_000)
                    objects[index] = actor.object.bytes.count
                    peaks[index] = max(peaks[index], usage.peakMemory)
                case .refused(let reason): throw .notCompiled("\(inputs[index].name): \(reason)")
                case .failed(let failure): throw .notCompiled("\(inputs[index].name): \(failure)")
                }
            }
        }
        let bootstrap = Bootstrap()
        let rows = try inputs.indices.map { (index) throws(BenchError) -> Row in
            let plan: MeteringPlan
            do { plan = try FrontEnd.analyze(inputs[index].wasm, profile: .fvm, prices: settings.prices).plan } catch {
                throw .notCompiled("\(inputs[index].name): \(error)")
            }
            guard let sample = try? Sample(times[index]) else { throw .noTime(rounds: rounds) }
            return Row(
                actor: inputs[index].name, bytes: inputs[index].wasm.count, functions: plan.functions.count,
                blocks: plan.functions.reduce(0) { $0 + $1.blocks.count }, time: bootstrap.median(sample),
                object: objects[index], peakMemory: peaks[index], rounds: rounds)
        }
        return CompileCosts(tier: settings.tier, rows: rows)
    }

    /// A line through all actors; weighted so that each one's relative error counts.
    public func fit(_ measure: Measure, _ cost: (Row) -> Double) -> Result<Line, NoModel> {
        let y = rows.map(cost)
        do throws(NoModel) {
            return .success(
                try Line.fit(
                    x: rows.map(measure.value), y: y, weights: y.map { 1 / max(1, $0 * $0) }, intercept: true))
        } catch { return .failure(error) }
    }

    // MARK: JSON

    /// Schema `smelt.gas.compile/1`: `rows` and `fits`; times in nanoseconds of processor time, sizes in bytes, estimates
    /// as `value`, `low`, `high` at 95 %.
    public var json: JSONValue {
        let time = Measure.allCases.map { measure in
            fit("ns of compiling by \(measure.rawValue)", fit(measure) { $0.time.value })
        }
        let size = Measure.allCases.map { measure in
            fit("bytes of the object by \(measure.rawValue)", fit(measure) { Double($0.object) })
        }
        return .object([
            "schema": .string("smelt.gas.compile/1"), "tier": .string(tier.rawValue),
            "fits": .array(time + size),
            "rows": .array(
                rows.map { row in
                    .object([
                        "actor": .string(row.actor), "bytes": .integer(row.bytes), "functions": .integer(row.functions),
                        "blocks": .integer(row.blocks), "compile_ns": row.time.json,
                        "object_bytes": .integer(row.object),
                        "ns_per_byte": row.time.scaled(by: 1 / Double(max(1, row.bytes))).json,
                        "object_per_byte": .decimal(Double(row.object) / Double(max(1, row.bytes))),
                        "peak_memory": .integer(row.peakMemory), "rounds": .integer(row.rounds),
                    ])
                }),
        ])
    }

    private func fit(_ name: String, _ result: Result<Line, NoModel>) -> JSONValue {
        switch result {
        case .success(let line):
            .object([
                "model": .string(name), "points": .integer(line.count), "slope": line.slope.json,
                "intercept": line.intercept.json, "r_squared": .decimal(line.rSquared), "refused": .null,
            ])
        case .failure(let reason):
            .object([
                "model": .string(name), "points": .integer(rows.count), "slope": .null, "intercept": .null,
                "r_squared": .null, "refused": .string(reason.description),
            ])
        }
    }
}
