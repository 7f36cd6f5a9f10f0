import ArtifactFormat
import CommandTable
import CompilePool
import JSON
import Primitives
import WorkerProtocol

/// `smelt compile`: modules and bundles to objects, in the store and, when asked, in files.
struct CompileCommand {
    private let arguments: Parsed
    private let product: Product
    private let progress: Progress

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        try CompileCommand(arguments).run()
    }

    private init(_ arguments: Parsed) {
        self.arguments = arguments
        product = arguments.value("emit").flatMap(Product.init(rawValue:)) ?? .so
        progress = Progress(enabled: !arguments.has("quiet"))
    }

    /// One module with where it came from and what came of it.
    private struct Row {
        let source: Int
        let input: CompileInput
        let outcome: EmitOutcome
        var manifest: Manifest?
    }

    private func run() throws(CommandFailure) -> ExitStatus {
        var sources: [CompileSource] = []
        for path in arguments.positionals { sources.append(try CompileSource(path: path)) }
        let layout = try OutputLayout(arguments.value("output"), sources: sources, product: product)
        let pool = try WorkerSetup.pool(arguments, jobs: arguments.integer("jobs") ?? 0)
        let rows = try compile(sources, pool)
        progress.finish()

        var status = ExitStatus.success
        for row in rows {
            switch row.outcome {
            case .made(let bytes, _, let usage):
                let path: String?
                do { path = try layout.write(bytes, source: row.source, name: row.input.name) } catch {
                    // The others are no worse for it.
                    if layout.isStandardOutput { throw error }
                    Output.note("smelt: \(error.message)")
                    status = .failure
                    continue
                }
                if layout.isStandardOutput { continue }
                let how = usage == nil ? "known" : "compiled"
                let place = path?.printable() ?? "\(bytes.count) bytes"
                try Output.data("\(how) \(row.input.name.printable()) \(row.input.cid.text) \(place)")
            case .refused(let reason):
                Output.note("smelt: \(sources[row.source].path): \(row.input.name): refused: \(reason)")
                if status == .success { status = .badInput }
            case .failed(let failure):
                Output.note("smelt: \(sources[row.source].path): \(row.input.name): not compiled: \(failure)")
                status = .failure
            }
        }
        if product == .so { try layout.writeIndexes(index(rows, sources)) }
        if arguments.has("verbose") { Output.note(ReportText.render(table(rows))) }
        return status
    }

    private func compile(_ sources: [CompileSource], _ pool: CompilePool) throws(CommandFailure) -> [Row] {
        let start = Progress.now
        let items = sources.enumerated().flatMap { source in source.element.inputs.map { (source.offset, $0) } }
        let inputs = items.map(\.1)
        let show = { (state: PoolProgress) in progress.update(CompileCommand.line(state, since: start)) }
        if product == .so {
            return zip(items, pool.compile(inputs, progress: show)).map { item, outcome in
                switch outcome {
                case .compiled(let actor):
                    if let reason = actor.baselineReason {
                        Output.note("smelt: \(item.1.name): compiled without optimisation, because \(reason)")
                    }
                    return Row(
                        source: item.0, input: item.1, outcome: .made(actor.object.bytes, actor.facts, actor.usage),
                        manifest: actor.manifest)
                case .refused(let text): return Row(source: item.0, input: item.1, outcome: .refused(text))
                case .failed(let failure): return Row(source: item.0, input: item.1, outcome: .failed(failure))
                }
            }
        }
        return zip(items, pool.emit(product, inputs, progress: show)).map {
            Row(source: $0.0, input: $0.1, outcome: $1)
        }
    }

    /// `3/16 actors; storageminer: optimise 120/1,800, slowest f7 400 ms; 310 MiB; about 12 s left`
    private static func line(_ state: PoolProgress, since start: UInt64) -> String {
        var parts = ["\(state.done)/\(state.total) actors"]
        for running in state.running {
            let progress = running.progress
            var text = "\(running.name): \(progress.stage)"
            if progress.total > 0 { text += " \(progress.done)/\(progress.total)" }
            if !progress.slowest.isEmpty { text += ", slowest \(progress.slowest) \(progress.slowestMilliseconds) ms" }
            parts.append(text)
        }
        let memory = state.running.reduce(0) { $0 + $1.memory }
        if memory > 0 { parts.append("\(memory >> 20) MiB") }
        let elapsed = Double(Progress.now - start) / 1e9
        if state.fraction > 0.02 && elapsed > 2 {
            let left = elapsed * (1 - state.fraction) / state.fraction
            parts.append("about \(Int(left.rounded(.up))) s left")
        }
        return parts.joined(separator: "; ")
    }

    /// What an output directory's `index.json` says, by source: nothing that depends on when or where.
    private func index(_ rows: [Row], _ sources: [CompileSource]) -> [JSONValue] {
        sources.indices.map { source in
            let actors = rows.filter { $0.source == source }.map { row -> JSONValue in
                guard case .made(let bytes, _, _) = row.outcome, let manifest = row.manifest else {
                    var reason = ""
                    if case .refused(let text) = row.outcome { reason = text }
                    if case .failed(let failure) = row.outcome { reason = failure.description }
                    return .object([
                        "name": .string(row.input.name), "wasm": .string(row.input.cid.text), "error": .string(reason),
                    ])
                }
                return .object([
                    "name": .string(row.input.name), "wasm": .string(row.input.cid.text),
                    "file": .string(row.input.name + ".so"), "bytes": .integer(bytes.count),
                    "sha256": .string(Digest(of: bytes).hex), "key": .string(manifest.inputs.key.hex),
                    "cpu": .string(manifest.inputs.cpu.rawValue), "target": .string(manifest.inputs.target),
                ])
            }
            return .object([
                "schema": .string("smelt.objects/1"),
                "bundle": sources[source].bundle.map { .string($0.root.text) } ?? .null, "actors": .array(actors),
            ])
        }
    }

    /// The table of time by stage.
    private func table(_ rows: [Row]) -> JSONValue {
        let compiled = rows.compactMap { row -> (Row, CompileFacts, CompileUsage)? in
            guard case .made(_, let facts?, let usage?) = row.outcome else { return nil }
            return (row, facts, usage)
        }
        var stages: [String] = []
        for name in compiled.flatMap({ $0.1.stages.map(\.name) }) where !stages.contains(name) { stages.append(name) }
        func line(_ name: String, _ facts: [CompileFacts], _ usage: [CompileUsage]) -> JSONValue {
            var members: [JSONValue.Member] = [
                .init("actor", .string(name)),
                .init("functions", .integer(facts.reduce(0) { $0 + Int($1.functions) })),
                .init("baseline", .integer(facts.reduce(0) { $0 + Int($1.baselineFunctions) })),
                .init("largest_frame", .integer(facts.map(\.largestFrame).max() ?? 0)),
            ]
            for stage in stages {
                let time = facts.reduce(0) { sum, facts in
                    sum + facts.stages.filter { $0.name == stage }.reduce(0) { $0 + $1.microseconds }
                }
                members.append(.init("\(stage)_ms", .integer(time / 1000)))
            }
            members.append(.init("cpu_ms", .integer(usage.reduce(0) { $0 + $1.cpuMicroseconds } / 1000)))
            members.append(.init("peak_mib", .integer((usage.map(\.peakMemory).max() ?? 0) >> 20)))
            let slowest = facts.max { $0.slowestMilliseconds < $1.slowestMilliseconds }
            members.append(
                .init("slowest", .string(slowest.map { "\($0.slowest) \($0.slowestMilliseconds) ms" } ?? "")))
            return .object(members)
        }
        var lines = compiled.map { line($0.0.input.name, [$0.1], [$0.2]) }
        if compiled.count > 1 { lines.append(line("total", compiled.map(\.1), compiled.map(\.2))) }
        return .object(["time_by_stage": .array(lines)])
    }
}
