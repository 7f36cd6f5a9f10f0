import CGetopt
import Glibc
import Synchronization

/// `getopt_long` keeps its state in globals: one scan at a time.
private let scanning = Mutex(())

/// Arguments that do not fit the table. `description` says what and why; the exit status is 64 (EX_USAGE).
public struct UsageError: Error, CustomStringConvertible, Equatable {
    public let command: String
    public let reason: String

    public init(command: String, reason: String) {
        self.command = command
        self.reason = reason
    }

    public var description: String { "\(reason)\nSee '\(command) --help' for more information." }
}

/// What a command line said.
public struct Parsed: Sendable {
    /// Names from the root to the command: `["smelt", "store", "ls"]`.
    public let path: [String]
    public let command: Command
    public let positionals: [String]
    private let values: [String: [String]]

    init(path: [String], command: Command, positionals: [String], values: [String: [String]]) {
        self.path = path
        self.command = command
        self.positionals = positionals
        self.values = values
    }

    public func has(_ option: String) -> Bool { values[option] != nil }
    /// How often a flag was given.
    public func count(_ option: String) -> Int { values[option]?.count ?? 0 }
    public func value(_ option: String) -> String? { values[option]?.last }
    public func all(_ option: String) -> [String] { values[option] ?? [] }
    /// The value of an integer option; parsing has checked its range.
    public func integer(_ option: String) -> UInt64? { value(option).flatMap { UInt64($0) } }
}

extension Command {
    /// Parses `arguments` (without the program's name) with glibc's `getopt_long`.
    ///
    /// - Throws: `UsageError` naming the command, the argument and the rule it broke.
    public func parse(_ arguments: [String], path: [String] = []) throws(UsageError) -> Parsed {
        let here = path + [name]
        if !subcommands.isEmpty {
            guard let first = arguments.first(where: { !$0.hasPrefix("-") }),
                arguments.first == first
            else { return try parseOptions(arguments, path: here) }
            // `help` is a command of every group: `smelt help store ls` is `smelt store ls --help`.
            if first == Command.help.name { return try parse(arguments.dropFirst() + ["--help"], path: path) }
            guard let command = subcommands.first(where: { $0.name == first }) else {
                let near = nearest(first, among: subcommandsAndHelp.map(\.name))
                throw UsageError(
                    command: here.joined(separator: " "),
                    reason: "unknown command '\(first)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
            }
            return try command.parse(Array(arguments.dropFirst()), path: here)
        }
        return try parseOptions(arguments, path: here)
    }

    private func parseOptions(_ arguments: [String], path: [String]) throws(UsageError) -> Parsed {
        let name = path.joined(separator: " ")
        let scan = scanning.withLock { _ in scanOptions(arguments, name: name) }
        if let reason = scan.failure { throw UsageError(command: name, reason: reason) }
        var values: [String: [String]] = [:]
        for (option, value) in scan.options {
            try check(option, value, command: name)
            if !option.repeats, values[option.name] != nil, option.argument != .none {
                throw UsageError(command: name, reason: "--\(option.name) may be given once only")
            }
            values[option.name, default: []].append(value ?? "")
        }
        let parsed = Parsed(path: path, command: self, positionals: scan.positionals, values: values)
        if !parsed.has("help") { try checkPositionals(scan.positionals, hasOptions: !values.isEmpty, command: name) }
        return parsed
    }

    private func check(_ option: Option, _ value: String?, command: String) throws(UsageError) {
        switch option.argument {
        case .choice(let choices):
            guard let value, choices.contains(value) else {
                throw UsageError(
                    command: command,
                    reason: "--\(option.name): '\(value ?? "")' is not one of \(choices.joined(separator: ", "))")
            }
        case .integer(_, let range):
            guard let value, let number = UInt64(value), range.contains(number) else {
                throw UsageError(
                    command: command,
                    reason:
                        "--\(option.name): '\(value ?? "")' is not an integer from \(range.lowerBound) to \(range.upperBound)"
                )
            }
        case .file, .directory:
            guard value?.isEmpty == false else {
                throw UsageError(command: command, reason: "--\(option.name): the path is empty")
            }
        case .none, .value: break
        }
    }

    private func checkPositionals(_ given: [String], hasOptions: Bool, command: String) throws(UsageError) {
        if !subcommands.isEmpty {
            if hasOptions { return }
            throw UsageError(
                command: command, reason: "missing command; one of \(subcommands.map(\.name).joined(separator: ", "))")
        }
        let least = positionals.reduce(0) { $0 + $1.count.lowerBound }
        let most = positionals.reduce(0) {
            $0.addingReportingOverflow($1.count.upperBound).overflow ? Int.max : $0 + $1.count.upperBound
        }
        if given.count < least {
            var rest = given.count
            let missing = positionals.first { positional in
                defer { rest -= positional.count.lowerBound }
                return rest < positional.count.lowerBound
            }
            throw UsageError(command: command, reason: "missing argument \(missing?.name ?? "")")
        }
        if given.count > most {
            throw UsageError(command: command, reason: "unexpected argument '\(given[most])'")
        }
    }

    /// Hides a negative number's dash from `getopt_long` behind a control character.
    private func shield(_ argument: String) -> String {
        guard takesNumbers, argument.hasPrefix("-"), let next = argument.dropFirst().first else { return argument }
        let word = argument.dropFirst().lowercased()
        return next.isNumber || next == "." || word == "inf" || word.hasPrefix("nan") ? "\u{1}" + argument : argument
    }

    private func unshield(_ argument: String) -> String {
        argument.hasPrefix("\u{1}") ? String(argument.dropFirst()) : argument
    }

    private struct Scan {
        var options: [(Option, String?)] = []
        var positionals: [String] = []
        var failure: String?
    }

    /// Runs `getopt_long`. The only unsafe part: its tables live as long as this call.
    private func scanOptions(_ arguments: [String], name: String) -> Scan {
        var scan = Scan()
        let rows = allOptions
        var cStrings = ([name] + arguments.map(shield)).map { strdup($0) }
        var names = rows.map { strdup($0.name) }
        defer { for text in cStrings + names { free(text) } }
        var table = rows.enumerated().map { index, row in
            option(
                name: UnsafePointer(names[index]), has_arg: row.argument == .none ? no_argument : required_argument,
                flag: nil, val: Int32(1000 + index))
        }
        table.append(option(name: nil, has_arg: 0, flag: nil, val: 0))
        names.append(nil)
        cStrings.append(nil)
        // "+" stops at the first positional; ":" reports a missing value apart from an unknown option.
        var shorts = subcommands.isEmpty ? ":" : "+:"
        for row in rows {
            guard let short = row.short else { continue }
            shorts += String(short) + (row.argument == .none ? "" : ":")
        }
        var step = getopt_begin()
        let count = Int32(arguments.count + 1)
        scanning: while true {
            step = getopt_next(count, cStrings, shorts, table)
            // The argument that was just scanned, as the user wrote it (clusters of short options share one).
            let written = step.next >= 2 && Int(step.next) <= cStrings.count ? Int(step.next) - 1 : 1
            let text = cStrings[min(written, cStrings.count - 2)].map { unshield(String(cString: $0)) } ?? ""
            switch step.code {
            case -1: break scanning
            case 58:  // ':'
                scan.failure = "missing value for \(text)"
                break scanning
            case 63:  // '?'
                let near = nearest(String(text.drop { $0 == "-" }), among: rows.map(\.name))
                scan.failure = "unknown option '\(text)'" + (near.map { "; did you mean '--\($0)'?" } ?? "")
                break scanning
            default:
                let row =
                    step.code >= 1000
                    ? rows[Int(step.code) - 1000]
                    : rows.first { $0.short == Character(UnicodeScalar(UInt8(truncatingIfNeeded: step.code))) }
                guard let row else { continue }
                scan.options.append((row, step.argument.map { unshield(String(cString: $0)) }))
            }
        }
        for text in cStrings.dropFirst(Int(step.next)) {
            if let text { scan.positionals.append(unshield(String(cString: text))) }
        }
        return scan
    }
}

/// The candidate within two edits of `word`, for "did you mean"; nil when none is.
public func nearest(_ word: String, among candidates: [String]) -> String? {
    let ranked = candidates.map { (distance(word, $0), $0) }.sorted { $0 < $1 }
    guard let best = ranked.first, best.0 <= 2, best.0 < word.count else { return nil }
    return best.1
}

/// Levenshtein distance.
private func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}
