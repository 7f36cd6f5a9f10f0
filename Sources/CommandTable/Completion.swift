/// A shell for which a completion script can be made.
public enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish
}

extension Command {
    /// A completion script for `shell`, derived from the table.
    public func completionScript(_ shell: Shell) -> String {
        switch shell {
        case .bash: bashCompletion()
        case .zsh: "#compdef \(name)\nautoload -U +X bashcompinit && bashcompinit\n" + bashCompletion()
        case .fish: fishCompletion()
        }
    }

    /// Every command with its words after the root, parents first.
    private func leaves(_ path: [String] = []) -> [(path: [String], command: Command)] {
        [(path, self)] + subcommands.flatMap { $0.leaves(path + [$0.name]) }
    }

    private func bashCompletion() -> String {
        var cases = ""
        var values = ""
        for (path, command) in leaves() {
            let key = path.joined(separator: " ")
            let words = command.subcommands.map(\.name) + command.allOptions.map { "--\($0.name)" }
            cases += "        '\(key)') words='\(words.joined(separator: " "))' ;;\n"
            for option in command.allOptions {
                let action: String
                switch option.argument {
                case .choice(let choices):
                    action = "COMPREPLY=($(compgen -W '\(choices.joined(separator: " "))' -- \"$current\"))"
                case .file: action = "COMPREPLY=($(compgen -f -- \"$current\"))"
                case .directory: action = "COMPREPLY=($(compgen -d -- \"$current\"))"
                case .value, .integer: action = "COMPREPLY=()"
                case .none: continue
                }
                values += "        '\(key) --\(option.name)'"
                if let short = option.short { values += " | '\(key) -\(short)'" }
                values += ") \(action); return ;;\n"
            }
        }
        return """
            _\(name)() {
                local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" path='' words='' word
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case "$path $word" in
            \(leaves().filter { !$0.path.isEmpty }.map { "            '\(($0.path.dropLast().joined(separator: " ")) + " " + $0.path.last!)') path=\"${path:+$path }$word\" ;;" }.joined(separator: "\n"))
                    esac
                done
                case "$path $previous" in
            \(values)    esac
                case "$path" in
            \(cases)    esac
                COMPREPLY=($(compgen -W "$words" -- "$current"))
                [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current"))
            }
            complete -o filenames -F _\(name) \(name)

            """
    }

    private func fishCompletion() -> String {
        var script = "complete -c \(name) -f\n"
        for (path, command) in leaves() {
            let seen =
                path.isEmpty
                ? "__fish_use_subcommand"
                : "__fish_seen_subcommand_from \(path.joined(separator: "; and __fish_seen_subcommand_from "))"
            for sub in command.subcommands {
                script += "complete -c \(name) -n '\(seen)' -a \(sub.name) -d '\(quote(sub.abstract))'\n"
            }
            for option in command.allOptions {
                script += "complete -c \(name) -n '\(seen)' -l \(option.name)"
                if let short = option.short { script += " -s \(short)" }
                switch option.argument {
                case .none: break
                case .choice(let choices): script += " -x -a '\(choices.joined(separator: " "))'"
                case .file, .directory: script += " -r -F"
                case .value, .integer: script += " -x"
                }
                script += " -d '\(quote(option.help))'\n"
            }
            if !path.isEmpty && command.subcommands.isEmpty { script += "complete -c \(name) -n '\(seen)' -F\n" }
        }
        return script
    }
}

private func quote(_ text: String) -> String {
    text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\\'")
}
