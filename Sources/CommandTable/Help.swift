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
        var text = "\(wrap(abstract))\n\nUSAGE: \(usage(path: path))\n"
        if !discussion.isEmpty {
            let paragraphs = discussion.split(separator: "\n", omittingEmptySubsequences: false)
            text += "\n" + paragraphs.map { wrap(String($0)) }.joined(separator: "\n") + "\n"
        }
        func section(_ title: String, _ rows: [(String, String)]) {
            guard !rows.isEmpty else { return }
            text += "\n\(title):\n"
            for (left, right) in rows {
                let padded = "  " + left
                text +=
                    padded.count < 30
                    ? padded + String(repeating: " ", count: 30 - padded.count)
                    : padded + "\n" + String(repeating: " ", count: 30)
                text += wrap(right, indent: 30) + "\n"
            }
        }
        section("ARGUMENTS", positionals.map { ($0.synopsis, $0.help) })
        section("COMMANDS", subcommandsAndHelp.map { ($0.name, $0.abstract) })
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
            case "…": "..."
            case _ where !character.isASCII:
                // Understood by every groff, whatever the encoding it expects.
                character.unicodeScalars.map { scalar in
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    return "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
                }.joined()
            default: String(character)
            }
        }
        let joined = String(escaped)
        return joined.hasPrefix(".") || joined.hasPrefix("'") ? "\\&" + joined : joined
    }.joined(separator: "\n")
}

/// Text broken at spaces so that no line is wider than 80 columns; every line but the first is indented.
private func wrap(_ text: String, indent: Int = 0) -> String {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        if line.isEmpty {
            line = String(word)
        } else if indent + line.count + 1 + word.count <= 80 {
            line += " " + word
        } else {
            lines.append(line)
            line = String(word)
        }
    }
    lines.append(line)
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
}
