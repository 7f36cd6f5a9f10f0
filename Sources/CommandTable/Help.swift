extension Option {
    /// `-o, --output OUT` without the help text.
    var synopsis: String {
        (short.map { "-\($0), " } ?? "    ") + "--\(name)" + (placeholder.map { " \($0)" } ?? "")
    }

    var placeholder: String? {
        switch argument {
        case .none: nil
        case .value(let name), .file(let name), .directory(let name), .integer(let name, _): name
        case .choice(let choices): choices.joined(separator: "|")
        }
    }
}

extension Positional {
    var synopsis: String {
        let many = count.upperBound > 1 ? "\(name)…" : name
        return count.lowerBound == 0 ? "[\(many)]" : many
    }
}

extension Command {
    /// `smelt compile INPUT… [options]`
    func usage(path: [String]) -> String {
        let words = path.joined(separator: " ")
        if !subcommands.isEmpty { return "\(words) <command>" }
        return ([words] + positionals.map(\.synopsis) + (options.isEmpty ? [] : ["[options]"])).joined(separator: " ")
    }

    /// Help as `--help` prints it.
    public func help(path: [String]) -> String {
        var text = "\(abstract)\n\nUSAGE: \(usage(path: path))\n"
        if !discussion.isEmpty { text += "\n\(discussion)\n" }
        func section(_ title: String, _ rows: [(String, String)]) {
            guard !rows.isEmpty else { return }
            text += "\n\(title):\n"
            for (left, right) in rows {
                let padded = "  " + left
                text +=
                    padded.count < 30
                    ? padded + String(repeating: " ", count: 30 - padded.count)
                    : padded + "\n" + String(repeating: " ", count: 30)
                text += right + "\n"
            }
        }
        section("ARGUMENTS", positionals.map { ($0.synopsis, $0.help) })
        section("COMMANDS", subcommands.map { ($0.name, $0.abstract) })
        section("OPTIONS", allOptions.map { ($0.synopsis, $0.help) })
        return text
    }

    /// A man page (section 1) for the command and its subcommands.
    public func manPage(version: String) -> String {
        var page = ".TH \(name.uppercased()) 1 \"\" \"\(name) \(version)\" \"User Commands\"\n"
        page += ".SH NAME\n\(name) \\- \(roff(abstract))\n.SH SYNOPSIS\n.B \(name)\n<command> [options]\n"
        if !discussion.isEmpty { page += ".SH DESCRIPTION\n\(roff(discussion))\n" }
        page += ".SH COMMANDS\n" + subcommands.map { $0.manSection(path: [name]) }.joined()
        page += ".SH OPTIONS\n" + allOptions.map(\.manEntry).joined()
        return page
    }

    private func manSection(path: [String]) -> String {
        let here = path + [name]
        var page = ".SS \"\(roff(usage(path: here)))\"\n\(roff(abstract))\n"
        if !discussion.isEmpty { page += ".PP\n\(roff(discussion))\n" }
        page += positionals.map { ".TP\n.I \(roff($0.synopsis))\n\(roff($0.help))\n" }.joined()
        page += options.map(\.manEntry).joined()
        return page + subcommands.map { $0.manSection(path: here) }.joined()
    }
}

extension Option {
    fileprivate var manEntry: String {
        ".TP\n.B \(roff(synopsis.split(separator: " ").joined(separator: " ")))\n\(roff(help))\n"
    }
}

/// Text with roff's special characters escaped.
private func roff(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let escaped = line.flatMap { character -> String in
            switch character {
            case "\\": "\\e"
            case "-": "\\-"
            default: String(character)
            }
        }
        let joined = String(escaped)
        return joined.hasPrefix(".") || joined.hasPrefix("'") ? "\\&" + joined : joined
    }.joined(separator: "\n")
}
