import JSON
import Testing

/// `smelt gas operators` as a program. What the numbers must be no test can say; what they are made of it can.
@Suite struct GasOperatorsTests {
    private func operators(_ arguments: String...) throws -> Tool.Run {
        try Tool.run(Tool.binary, ["gas", "operators", "--budget", "1", "--tier", "baseline"] + arguments)
    }

    @Test func aTableOfSomeOperators() throws {
        let run = try operators("--operators", "i64.div_u,memory.fill", "--format", "json", "--network-version", "18")
        #expect(run.status == 0, "\(run.errors)")
        let report = try JSON.parse(Array(run.output.utf8))
        #expect(report["schema"]?.string == "smelt.gas.operators/1")
        #expect(report["conditions"]?["price_list"]?.string == "hygge")
        #expect(report["conditions"]?["tier"]?.string == "baseline")
        #expect(report["machine"]?["clock_overhead_ns"]?["low"]?.numberText != nil)
        let rows = try #require(report["operators"]?.array)
        #expect(Set(rows.compactMap { $0["operator"]?.string }) == ["i64.div_u", "memory.fill"])
        // local.get, i64.div_u, local.get, i64.xor at 4 gas each; 4 and 16 + 0.4 a byte.
        let gas = rows.map {
            "\($0["form"]?.string ?? "") \($0["operands"]?.string ?? "") \($0["step_gas"]?.numberText ?? "")"
        }
        #expect(gas.contains("latency large/small 16"))
        #expect(gas.contains("throughput 4096 bytes 1654.4"))
        for row in rows {
            #expect(row["executions"]?.integer(UInt64.self) ?? 0 > 0)
            #expect(row["unmetered_ns"]?["value"]?.numberText != nil)
        }
    }

    @Test func textAndTableForPrograms() throws {
        let text = try operators("--operators", "i64.add")
        #expect(text.status == 0 && text.output.contains("i64.add   latency"), "\(text.output)\(text.errors)")
        #expect(text.output.contains("worst: i64.add"))
        let table = try operators("--operators", "i64.add", "--format", "csv")
        #expect(table.lines.count == 3 && table.lines[0].hasPrefix("operator,form,operands,step_gas,step_ns,"))
        #expect(table.lines.dropFirst().allSatisfy { $0.hasPrefix("i64.add,") })
    }

    /// The nodes' engine is a column, or the report says that it is missing.
    @Test func otherEngines() throws {
        let run = try operators(
            "--operators", "i64.add", "--format", "json", "--wasmtime", "/no/such/directory")
        #expect(run.status == 0, "\(run.errors)")
        let report = try JSON.parse(Array(run.output.utf8))
        let engines = try #require(report["engines"]?.array).compactMap(\.string)
        let missing = try #require(report["missing_engines"]?.array).compactMap(\.string)
        #expect(engines.contains { $0.hasPrefix("wasmtime 36") } || missing.contains { $0.contains("wasmtime 36") })
        for row in try #require(report["operators"]?.array) {
            #expect(row["engines"]?.array?.compactMap { $0["engine"]?.string } == engines)
        }
        let without = try operators("--operators", "i64.add", "--no-wasmtime")
        #expect(without.output.contains("not asked for (--no-wasmtime)"), "\(without.output)")
    }

    /// `evm-gasfit`, where it is installed, reads what was measured, and fits what we measured: its least squares over
    /// all runs lie near our median of pairs.
    @Test func anotherToolsFitAgrees() throws {
        let folder = try TemporaryFolder()
        let run = try operators(
            "--operators", "i64.mul,i32.div_u", "--format", "json", "--no-wasmtime", "--gasfit", folder.root)
        #expect(run.status == 0, "\(run.errors)")
        let counts = try JSON.parse(Array(try Tool.shell("cat '\(folder.path("opcounts.json"))'").output.utf8))
        for fixture in try #require(counts.members) {
            // Each step has one of the operator under test.
            let name = fixture.name.contains("i64.mul") ? "i64.mul" : "i32.div_u"
            #expect(fixture.value["opcount"] == fixture.value[name], "\(fixture.name)")
            #expect(fixture.name.hasSuffix("[steps_\(fixture.value["opcount"]?.numberText ?? "")]"))
        }
        guard try Tool.shell("python3 -c 'import evm_gasfit'").status == 0 else {
            print("not run: the peer is missing (pip install evm-gasfit)")
            return
        }
        let fit = try Tool.shell(
            "cd '\(folder.root)' && python3 -c 'import sys; from evm_gasfit.cli import main; sys.exit(main())' run "
                + "--config tests.yaml --runtimes runtimes.csv --opcounts opcounts.json --out out && cat out/results.csv"
        )
        #expect(fit.status == 0, "\(fit.errors)")
        let rows = fit.lines.filter { $0.contains(",") }
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let start = try #require(rows.firstIndex { $0.contains("target_coef_runtime_ms") })
        let name = try #require(rows[start].firstIndex(of: "test_name"))
        let slope = try #require(rows[start].firstIndex(of: "target_coef_runtime_ms"))
        let ours = try #require(try JSON.parse(Array(run.output.utf8))["operators"]?.array)
        #expect(rows.count - start == ours.count + 1 && ours.count >= 5)
        for row in ours {
            let title = ["operator", "form", "operands"].compactMap { row[$0]?.string }.filter { !$0.isEmpty }
                .joined(separator: " ").map { $0.isLetter || $0.isNumber || $0 == "." ? "\($0)" : "_" }.joined()
            let fitted = rows.dropFirst(start + 1).first { $0[name] == title }
            let theirs = try #require(fitted.flatMap { Double($0[slope]) }, "\(title)") * 1e6
            let step = try #require(row["step_ns"]?["value"]?.numberText.flatMap(Double.init))
            // Means are at the mercy of runs that were interrupted; medians are not.
            #expect(theirs > step * 0.5 && theirs < step * 2, "\(title): \(theirs) and \(step)")
        }
    }

    @Test func wrongUse() throws {
        let unknown = try operators("--operators", "i64.sum")
        #expect(unknown.status == 64 && unknown.errors.contains("no operator 'i64.sum'"))
        let version = try operators("--network-version", "17")
        #expect(version.status == 64 && version.errors.contains("network version 17 is not known"))
        #expect(try Tool.smelt("gas").status == 64)
    }
}
