import JSON

/// What was measured in the form that Ethereum's `evm-gasfit` reads: run times by engine and fixture, the instructions
/// that each fixture runs, and a configuration with one model for each operator. Its fit is non-negative least squares
/// over all runs, so it is a second opinion on the medians.
public struct GasFitInput: Sendable {
    /// One timed run of a kernel.
    struct Run: Sendable {
        /// Of the kernel in the table that was measured.
        var kernel: Int
        /// `smelt`, or another engine's name.
        var engine: String
        /// Steps it ran.
        var steps: UInt64
        var nanoseconds: UInt64
    }

    /// `client_name,fixture_name,test_runtime_ms`: a line a run.
    public let runtimes: String
    /// Instructions by fixture; `opcount` is how often the one under test ran.
    public let opcounts: JSONValue
    /// The configuration; JSON is YAML.
    public let configuration: JSONValue

    /// What files are called in a directory of them.
    public var files: [(name: String, text: String)] {
        [
            ("runtimes.csv", runtimes), ("opcounts.json", opcounts.text(.compact) + "\n"),
            ("tests.yaml", configuration.text(.indented) + "\n"),
        ]
    }

    /// - Parameter rows: of the kernels, in their order.
    init(_ runs: [Run], _ kernels: [Kernel], _ rows: [OperatorRow]) {
        var lines = ["client_name,fixture_name,test_runtime_ms"]
        var counts: [String: [String: Double]] = [:]
        var names: [String] = []
        var engines: [String] = []
        var tested: [Int] = []
        for run in runs {
            let row = rows[run.kernel]
            let target = kernels[run.kernel].opcodes.first?.name ?? row.name
            let once = row.sequence.count { $0 == target }
            guard once > 0 else { continue }
            let fixture = "test_smelt.py__\(GasFitInput.test(row))[steps_\(run.steps)]"
            let engine = run.engine.replacing(" ", with: "-")
            if !engines.contains(engine) { engines.append(engine) }
            if !tested.contains(run.kernel) { tested.append(run.kernel) }
            lines.append("\(engine),\(fixture),\(Double(run.nanoseconds) / 1e6)")
            guard counts[fixture] == nil else { continue }
            names.append(fixture)
            var entry: [String: Double] = ["opcount": Double(once) * Double(run.steps)]
            for name in row.sequence { entry[name, default: 0] += Double(run.steps) }
            counts[fixture] = entry
        }
        runtimes = lines.joined(separator: "\n") + "\n"
        opcounts = .object(
            names.map { name in
                let entry = (counts[name] ?? [:]).sorted { $0.key < $1.key }
                return JSONValue.Member(name, .object(entry.map { JSONValue.Member($0.key, .decimal($0.value)) }))
            })
        let models = tested.sorted().map { index in
            JSONValue.object([
                "test_name": .string(GasFitInput.test(rows[index])),
                "target_operation": .string(kernels[index].opcodes.first?.name ?? rows[index].name),
                "model_params": .object(["target_coef": .string(GasFitInput.parameter(rows[index]))]),
            ])
        }
        let parameters = tested.sorted().map { index in
            JSONValue.Member(
                GasFitInput.parameter(rows[index]), .integer(UInt64(max(0, rows[index].stepGas.rounded()))))
        }
        configuration = .object([
            "version": .integer(1),
            // Gas for a second.
            "anchor_rate": .decimal(GasAnchor.gasPerNanosecond * 1e9),
            "clients": .array(engines.map { .string($0) }),
            // Its prices play no part: every parameter below is new.
            "gas_costs": .object(["fork": .string("osaka")]), "new_params": .object(parameters),
            "models": .object(["custom": .array(models)]), "output": .object(["plots": .bool(false)]),
        ])
    }

    /// A test's name: the row's title without what separates parts of a fixture's name.
    static func test(_ row: OperatorRow) -> String {
        String(
            row.title.map { letter in
                letter.isLetter || letter.isNumber || letter == "." || letter == "_" ? letter : "_"
            })
    }

    private static func parameter(_ row: OperatorRow) -> String { test(row).replacing(".", with: "_").uppercased() }
}
