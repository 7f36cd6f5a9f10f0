import ArtifactFormat
import Bundle
import CommandTable
import CompilePool
import Engine
import FVM
import GasReport
import GasSchedule
import JSON
import Measuring
import NativeEngine
import Replay

/// `smelt gas whatif`: messages under other prices, or with the code of another release.
enum GasWhatIfCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        if let version = arguments.integer("print-prices") { return try printPrices(UInt32(version)) }
        let prices = try arguments.value("prices").map { (path) throws(CommandFailure) in try priceList(path) }
        let redirects = try arguments.all("redirect-bundle").map { (text) throws(CommandFailure) in
            try redirect(text)
        }
        guard prices != nil || !redirects.isEmpty else {
            throw CommandFailure(.usage, "nothing is changed: name --prices or --redirect-bundle")
        }
        guard !arguments.positionals.isEmpty else { throw CommandFailure(.usage, "name vectors") }
        let sessions = try GasCommand.sessions(
            arguments, arguments.positionals, bundles: redirects.map(\.bundles.old))
        let engine = try engine(arguments, prices, redirects)
        var whatIf = WhatIf(
            WhatIf.Change(prices: prices, engine: engine.changed), rounds: Int(arguments.integer("rounds") ?? 5))
        var leftOut = LeftOut()
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        for index in 0..<sessions.count {
            for opened in sessions.open(index) {
                switch opened {
                case .report(let report): leftOut.add(report)
                case .session(let session):
                    if let report = whatIf.add(session) { leftOut.add(report) }
                    progress.update("\(index + 1)/\(sessions.count) vectors; last \(session.name)")
                }
            }
        }
        progress.finish()
        guard !whatIf.rows.isEmpty else {
            if leftOut.status != .success { return leftOut.status }
            throw CommandFailure(.badInput, "no message could be replayed")
        }
        if let redirected = engine.redirected, redirected.useCount == 0 {
            throw CommandFailure(.badInput, "no message runs code of the bundle that is redirected")
        }
        let change = describe(prices, redirects, engine.redirected)
        switch arguments.value("format") ?? "text" {
        case "json": try Output.json(whatIf.json(change: change, leftOut: leftOut.rows))
        case "csv":
            let key = arguments.value("by").flatMap(WhatIf.Key.init(rawValue:)) ?? .message
            try Output.raw(Array(CSV.text(whatIf.table(by: key)).utf8))
        default: try Output.report(whatIf.summary(change: change, leftOut: leftOut.rows), json: false)
        }
        return leftOut.status
    }

    private static func printPrices(_ number: UInt32) throws(CommandFailure) -> ExitStatus {
        guard let profile = NetworkProfile.table.first(where: { $0.version.rawValue == number }) else {
            throw CommandFailure(.usage, "--print-prices: network version \(number) is not known")
        }
        try Output.data(PriceFile.json(PriceList.named(profile.priceList)).text(.indented))
        return .success
    }

    private static func priceList(_ path: String) throws(CommandFailure) -> PriceList {
        let bytes = try Files.read(path)
        do throws(VectorError) { return try PriceFile.read(bytes, file: path) } catch {
            throw CommandFailure(.badInput, error.description)
        }
    }

    // MARK: What is changed

    private struct Redirect {
        var text: String
        var bundles: (old: ActorBundle, new: ActorBundle)
    }

    private static func redirect(_ text: String) throws(CommandFailure) -> Redirect {
        let paths = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard paths.count == 2, paths.allSatisfy({ !$0.isEmpty }) else {
            throw CommandFailure(.usage, "--redirect-bundle \(text): two bundles are expected, OLD=NEW")
        }
        return Redirect(text: text, bundles: (try BundleInput.open(paths[0]), try BundleInput.open(paths[1])))
    }

    /// The engine for the change; nil where the vectors' own does it.
    private static func engine(
        _ arguments: Parsed, _ prices: PriceList?, _ redirects: [Redirect]
    ) throws(CommandFailure) -> (changed: (any ActorEngine)?, redirected: RedirectedEngine?) {
        var settings = WorkerSetup.settings(arguments)
        let isRepriced = prices.map { $0.wasm != settings.prices } ?? false
        guard isRepriced || !redirects.isEmpty else { return (nil, nil) }
        // What instructions cost stands in compiled code: it is compiled for these prices, and the store keeps it apart.
        if let prices { settings.prices = prices.wasm }
        let pool = CompilePool(store: try StoreCommand.open(arguments), settings: settings)
        let engine = NativeEngine(source: ActorObjects(pool: pool))
        guard !redirects.isEmpty else { return (engine, nil) }
        let redirected = RedirectedEngine(engine, bundles: redirects.map(\.bundles))
        return (redirected, redirected)
    }

    private static func describe(
        _ prices: PriceList?, _ redirects: [Redirect], _ redirected: RedirectedEngine?
    ) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let prices {
            let changes = PriceFile.changes(PriceList.named(prices.id), prices).map { change -> JSONValue in
                .object(["field": .string(change.field), "was": change.old, "is": change.new])
            }
            members.append(.init("price_list", .string(prices.id.rawValue)))
            members.append(.init("prices", .array(changes)))
        }
        if let redirected {
            members.append(
                .init(
                    "redirected",
                    .array(
                        redirects.map {
                            .object([
                                "old": .string($0.bundles.old.root.text), "new": .string($0.bundles.new.root.text),
                            ])
                        })))
            members.append(.init("redirected_codes", .integer(redirected.count)))
            members.append(.init("unchanged_or_gone", .array(redirected.kept.map { .string($0) })))
        }
        return .object(members)
    }
}
