import JSON
import Measuring
import Statistics

/// The report as one file that opens without a network.
public struct ReportPage {
    private let document: ReportDocument
    private let json: JSONValue

    /// - Parameter json: what the document is as JSON; making it takes as long as all of the page.
    public init(_ document: ReportDocument, json: JSONValue) {
        self.document = document
        self.json = json
    }

    /// The page.
    public var html: String {
        HTML.page(
            title: "Gas accuracy",
            body: [
                "<h1>Does gas measure time?</h1>", introduction, headline, scatter, methodBars, operatorBars,
                latencies, syscallBars, chargeBars, sharesTable, fitsTable, methodsTable, operatorsTable, syscallsTable,
                chargesTable, callsTable, compileTables, rule, conditions, leftOut,
            ].joined(separator: "\n"))
    }

    private var introduction: String {
        """
        <p>Ten gas are a promise of one nanosecond (FIP-0032): 0.1 ns per gas. Below, what real messages and single \
        operators took on one machine, compiled by Smelt. Fewer nanoseconds per gas are head-room for the network, more \
        are a debt. Proofs are answered and not computed here, so their charges have next to no time and say nothing.</p>
        """
    }

    // MARK: Headline

    private var headline: String {
        let head = json["headline"]
        func estimate(_ key: String, _ decimals: Int = 4) -> String {
            guard let estimate = Estimate(json: head?[key]) else { return "none" }
            return
                "\(Decimal.text(estimate.value, decimals)) <small>\(Decimal.text(estimate.interval.low, decimals)) to "
                + "\(Decimal.text(estimate.interval.high, decimals))</small>"
        }
        func number(_ key: String, _ decimals: Int, scale: Double = 1) -> String {
            head?[key]?.double.map { Decimal.text($0 * scale, decimals) } ?? "none"
        }
        let figures: [(String, String)] = [
            ("ns per gas for computing, all messages", estimate("ns_per_gas")),
            ("ns per gas of guest code, slope", estimate("guest_ns_per_gas")),
            ("R² of that slope", number("guest_r_squared", 3)),
            ("accuracy ratio over methods (p99/p1, 1 is perfect)", number("accuracy_ratio_of_methods", 1)),
            ("accuracy ratio over operators", number("accuracy_ratio_of_operators", 1)),
            ("worst message, ns per gas", number("worst_ns_per_gas_of_messages", 3)),
            ("worst operator, ns per gas", estimate("worst_ns_per_gas_of_operators", 3)),
            ("time that no charge pays for", number("share_without_charge", 1, scale: 100) + " %"),
        ]
        let boxes = figures.map { "<div class=\"figure\"><b>\($0.1)</b>\(HTML.text($0.0))</div>" }.joined()
        let worst = head?["worst_message"]?.string ?? ""
        let operatorName = head?["worst_operator"]?.string.map { "; the worst operator is \($0)" } ?? ""
        let versions = (head?["guest_by_network_version"]?.array ?? []).map { fit -> [String] in
            [
                fit["network_version"]?.numberText ?? "", fit["points"]?.numberText ?? "",
                Estimate(json: fit["ns_per_gas"]).map(Self.text) ?? "none",
                fit["r_squared"]?.double.map { Decimal.text($0, 3) } ?? "", fit["refused"]?.string ?? "",
            ]
        }
        let byVersion =
            versions.isEmpty
            ? ""
            : HTML.table(
                ["guest code at network version", "messages", "ns per gas, slope", "R²", "why there is none"], versions)
        return "<div class=\"figures\">\(boxes)</div>\(byVersion)<p>Worst message: <code>\(HTML.text(worst))</code>"
            + "\(HTML.text(operatorName)).</p>"
    }

    // MARK: Charts

    private var scatter: String {
        let points = document.records.compactMap { record -> Chart.Point? in
            guard let guest = record.guest, guest.compute > 0, guest.nanoseconds > 0 else { return nil }
            return Chart.Point(
                x: Double(guest.compute) / 1000, y: guest.nanoseconds,
                label: "\(record.title), \(record.vector): \(guest.compute / 1000) gas, "
                    + "\(Decimal.text(guest.nanoseconds / 1000, 1)) µs")
        }
        guard !points.isEmpty else { return "" }
        var lines: [(style: String, y: (Double) -> Double)] = [("target", { $0 * ReportDocument.promise })]
        var fits = [document.guestFit]
        if case .failure = document.guestFit { fits = document.guestFits.map(\.line) }
        for case .success(let line) in fits { lines.append(("fit", { line.value(at: $0) })) }
        return """
            <section id="guest-code"><h2>Guest code of every message</h2>
            \(Chart.scatter(points, x: "gas of wasm_exec", y: "nanoseconds", lines: lines))
            <p>Dashed: ten gas per nanosecond. Full: the fitted line (least squares, weighted by 1/gas), or \
            where all messages together have none, that of each network version which has one.</p></section>
            """
    }

    private var methodBars: String {
        let bars = document.methods.compactMap { title, records -> Chart.Bar? in
            guard let estimate = document.perGas(records), estimate.value > 0 else { return nil }
            return Chart.Bar(
                name: "\(title) (\(records.count))", value: estimate.value, low: estimate.interval.low,
                high: estimate.interval.high)
        }
        return chart("methods", "Methods, most time first", Array(bars.prefix(45)), rest: bars.count - 45)
    }

    private var chargeBars: String {
        let bars = (json["charges"]?.array ?? []).compactMap { row -> Chart.Bar? in
            guard let name = row["charge"]?.string, let value = row["ns_per_gas"]?.double, value > 0 else { return nil }
            return Chart.Bar(name: name, value: value, low: value, high: value)
        }
        return chart("charges", "Charges for computing", bars, rest: 0)
    }

    /// Other engines whose times the operators have.
    private var engines: [String] { (json["operators"]?["engines"]?.array ?? []).compactMap(\.string) }

    /// A row of the operator table as a bar.
    private func bar(_ row: JSONValue, _ name: String) -> Chart.Bar? {
        guard let estimate = Estimate(json: row["step_ns"]), let gas = row["step_gas"]?.double, gas > 0,
            estimate.value > 0
        else { return nil }
        let others = row["engines"]?.array ?? []
        let marks = engines.map { engine in
            others.first { $0["engine"]?.string == engine }.flatMap { Estimate(json: $0["step_ns"]) }.map {
                $0.value / gas
            }
        }
        return Chart.Bar(
            name: name, value: estimate.value / gas, low: estimate.interval.low / gas,
            high: estimate.interval.high / gas, marks: marks)
    }

    private var operatorRows: [JSONValue] { json["operators"]?["operators"]?.array ?? [] }

    private var operatorBars: String {
        let bars = operatorRows.compactMap { row -> Chart.Bar? in
            let name = ["operator", "form", "operands"].compactMap { row[$0]?.string }.filter { !$0.isEmpty }
            return bar(row, name.joined(separator: " "))
        }.sorted { $0.value > $1.value }
        let missing = (json["operators"]?["missing_engines"]?.array ?? []).compactMap(\.string)
        return chart(
            "operators", "Operators, worst first", Array(bars.prefix(40)), rest: bars.count - 40, legend: engines,
            note: missing.isEmpty ? "" : "Not measured: \(missing.joined(separator: "; ")).")
    }

    /// One price for a load, whatever answers it.
    private var latencies: String {
        let order = ["L1", "L2", "L3", "DRAM", "TLB miss"]
        let rows = operatorRows.filter { $0["operator"]?.string == "i32.load" && $0["form"]?.string == "latency" }
        let bars = order.compactMap { place in
            rows.first { $0["operands"]?.string == place }.flatMap { bar($0, "i32.load, \(place)") }
        }
        return chart(
            "latencies", "The staircase of memory", bars, rest: 0, legend: engines,
            note: "Each load needs the one before; all of them cost 4 gas.")
    }

    private var syscallBars: String {
        let bars = (json["operators"]?["syscalls"]?.array ?? []).compactMap { row -> Chart.Bar? in
            guard let estimate = Estimate(json: row["ns"]), let gas = row["compute_gas"]?.double, gas > 0,
                estimate.value > 0
            else { return nil }
            let name = ["syscall", "operands"].compactMap { row[$0]?.string }.filter { !$0.isEmpty }
            return Chart.Bar(
                name: name.joined(separator: ", "), value: estimate.value / gas, low: estimate.interval.low / gas,
                high: estimate.interval.high / gas)
        }.sorted { $0.value > $1.value }
        return chart(
            "syscalls", "Syscalls, worst first", bars, rest: 0,
            note: "Against gas for computing; gas for storage comes on top and is not in it.")
    }

    private func chart(
        _ id: String, _ title: String, _ bars: [Chart.Bar], rest: Int, legend: [String] = [], note: String = ""
    ) -> String {
        guard !bars.isEmpty else { return "" }
        let more = rest > 0 ? "<p>\(rest) more in the JSON file.</p>" : ""
        let text = note.isEmpty ? "" : "<p>\(HTML.text(note))</p>"
        return "<section id=\"\(id)\"><h2>\(HTML.text(title))</h2>\n"
            + Chart.bars(bars, target: ReportDocument.promise, unit: "ns per gas (0.1 is paid for)", legend: legend)
            + text + more + "</section>"
    }

    // MARK: Tables

    private func table(_ title: String, _ rows: JSONValue?, _ columns: [(name: String, title: String)]) -> String {
        let rows = rows?.array ?? []
        guard !rows.isEmpty else { return "" }
        let cells = rows.map { row in
            columns.map { column -> String in
                let value = row[column.name]
                if let estimate = Estimate(json: value) {
                    return "\(Decimal.text(estimate.value, 4)) (\(Decimal.text(estimate.interval.low, 4)) to "
                        + "\(Decimal.text(estimate.interval.high, 4)))"
                }
                return value?.string ?? value?.numberText ?? ""
            }
        }
        return "<h2>\(HTML.text(title))</h2>\n" + HTML.table(columns.map(\.title), cells)
    }

    private var sharesTable: String {
        let shares = ReportDocument.shares(document.records).filter { $0.share > 0 }
        return "<h2>Where the time goes</h2>\n"
            + HTML.table(["part", "% of time"], shares.map { [$0.name, Decimal.text($0.share * 100, 2)] })
    }

    private var fitsTable: String {
        table(
            "Models", json["fits"],
            [
                ("model", "gas for computing against time"), ("points", "messages"), ("ns_per_gas", "ns per gas"),
                ("intercept_ns", "intercept, ns"), ("r_squared", "R²"), ("refused", "why there is none"),
            ])
    }

    private var methodsTable: String {
        let gas = [50, 90, 95, 99].map { ("gas_p\($0)", "gas p\($0)") } + [("gas_max", "gas max")]
        let time = [50, 90, 95, 99].map { ("ns_p\($0)", "ns p\($0)") } + [("ns_max", "ns max")]
        let ratios = [1, 50, 99].map { ("ns_per_gas_p\($0)", "ns/gas p\($0)") }
        return table(
            "By method of the message", json["methods"],
            [("method", "method"), ("count", "messages"), ("ns_per_gas", "ns per gas")] + gas + time + ratios)
    }

    /// The rows of the chart as numbers.
    private var operatorsTable: String {
        let rows = operatorRows.compactMap { row -> (ratio: Double, cells: [String])? in
            guard let gas = row["step_gas"]?.double, gas > 0, let step = Estimate(json: row["step_ns"]) else {
                return nil
            }
            let name = ["operator", "form", "operands"].compactMap { row[$0]?.string }.filter { !$0.isEmpty }
            let others = row["engines"]?.array ?? []
            let times = engines.map { engine in
                others.first { $0["engine"]?.string == engine }.flatMap { Estimate(json: $0["step_ns"]) }.map(Self.text)
                    ?? ""
            }
            return (
                step.value / gas,
                [
                    name.joined(separator: " "), Decimal.text(gas, 1), Self.text(step),
                    Decimal.text(step.value * 10 / gas, 2),
                ]
                    + times
            )
        }.sorted { $0.ratio > $1.ratio }
        guard !rows.isEmpty else { return "" }
        return "<details><summary>All operators</summary>\n"
            + HTML.table(["step", "gas", "ns", "ratio"] + engines.map { "\($0), ns" }, rows.map(\.cells)) + "</details>"
    }

    private var syscallsTable: String {
        let rows = (json["operators"]?["syscalls"]?.array ?? []).compactMap { row -> [String]? in
            guard let time = Estimate(json: row["ns"]), let compute = row["compute_gas"]?.double,
                let other = row["other_gas"]?.double
            else { return nil }
            let name = ["syscall", "operands"].compactMap { row[$0]?.string }.filter { !$0.isEmpty }
            return [
                name.joined(separator: ", "), Decimal.text(compute, 1), Decimal.text(other, 1), Self.text(time),
                compute > 0 ? Decimal.text(time.value * 10 / compute, 2) : "",
            ]
        }
        guard !rows.isEmpty else { return "" }
        return "<details><summary>All syscalls</summary>\n"
            + HTML.table(["syscall", "gas, computing", "gas, other", "ns", "ratio"], rows) + "</details>"
    }

    /// What FIP-0037 left open.
    private var compileTables: String {
        let compile = json["compile"]
        let rows = compile?["rows"]?.array ?? []
        guard !rows.isEmpty else { return "" }
        let fits = (compile?["fits"]?.array ?? []).map { fit -> [String] in
            let r = fit["r_squared"]?.double.map { Decimal.text($0, 3) } ?? ""
            return [
                fit["model"]?.string ?? "", fit["points"]?.numberText ?? "",
                Estimate(json: fit["slope"]).map(Self.text) ?? "",
                Estimate(json: fit["intercept"]).map(Self.text) ?? "", r, fit["refused"]?.string ?? "",
            ]
        }
        let actors = rows.map { row -> [String] in
            [
                row["actor"]?.string ?? "", row["bytes"]?.numberText ?? "", row["functions"]?.numberText ?? "",
                row["blocks"]?.numberText ?? "",
                Estimate(json: row["compile_ns"]).map { Self.text($0.scaled(by: 1e-6)) } ?? "",
                row["object_bytes"]?.numberText ?? "",
            ]
        }
        return "<h2>Compiling, \(HTML.text(compile?["tier"]?.string ?? "")) tier</h2>\n"
            + HTML.table(["model", "actors", "slope", "intercept", "R²", "why there is none"], fits)
            + "<details><summary>All actors</summary>\n"
            + HTML.table(["actor", "bytes", "functions", "blocks", "ms of compiling", "bytes of the object"], actors)
            + "</details>"
    }

    private static func text(_ estimate: Estimate) -> String {
        "\(Decimal.text(estimate.value, 3)) (\(Decimal.text(estimate.interval.low, 3)) to "
            + "\(Decimal.text(estimate.interval.high, 3)))"
    }

    private var chargesTable: String {
        table(
            "By charge", json["charges"],
            [
                ("charge", "charge"), ("count", "count"), ("compute_milligas", "milligas, computing"),
                ("other_milligas", "milligas, other"), ("nanoseconds", "ns"), ("ns_per_gas", "ns per gas"),
            ])
    }

    private var callsTable: String {
        table(
            "By method, of all calls, without what they call", json["calls"],
            [
                ("call", "method"), ("count", "calls"), ("compute_milligas", "milligas, computing"),
                ("other_milligas", "milligas, other"), ("nanoseconds", "ns"), ("ns_per_gas", "ns per gas"),
            ])
    }

    // MARK: Words

    private var rule: String {
        """
        <h2>How time is given to charges</h2>
        <p>A message's time is cut into spans that follow one another without a gap. A span begins with a charge and lasts \
        until the next one: a charge has the work it pays for behind it. Guest code is charged when it has run, so \
        wasm_exec has what ran before it, from the entry of an invocation or the end of a syscall; what memory.grow takes \
        is in there too. What no charge pays for are spans of their own, in parentheses: preflight, the beginning and the \
        end of calls, settlement. They are measured, never a remainder. The clock is read at both ends of the recorder's \
        own work, which is in no span, and the cost of reading it is taken off. Each vector runs once to warm up and then \
        in rounds; times are means over the faster half of them, intervals bootstrapped over all (95 %). Every vector \
        counted ends with the receipts and the state it demands, and every round made the same charges.</p>
        """
    }

    private var conditions: String {
        let rows = (json["conditions"]?.members ?? []).map { [$0.name, $0.value.string ?? $0.value.text()] }
        let facts = (document.measured.facts.members ?? []).map { [$0.name, $0.value.string ?? $0.value.text()] }
        return "<h2>Measured on</h2>\n" + HTML.table(["what", "value"], rows + facts)
    }

    private var leftOut: String {
        guard !document.measured.leftOut.isEmpty else { return "" }
        return "<h2>Left out</h2>\n"
            + HTML.table(
                ["vector", "reason"],
                document.measured.leftOut.map { [$0["vector"]?.string ?? "", $0["reason"]?.string ?? ""] })
    }
}
