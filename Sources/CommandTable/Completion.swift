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
        var descend = ""
        var cases = ""
        var values = ""
        for (path, command) in leaves() {
            let key = path.joined(separator: " ")
            if let last = path.last {
                descend += "            '\(path.dropLast().joined(separator: " ")) \(last)') path='\(key)' ;;\n"
            }
            let commands = command.subcommandsAndHelp.map(\.name).joined(separator: " ")
            let options = command.allOptions.map { "--\($0.name)" }.joined(separator: " ")
            cases += "        '\(key)') commands='\(commands)' options='\(options)' ;;\n"
            for option in command.allOptions {
                let action: String
                switch option.argument {
                case .choice(let choices): action = "-W '\(choices.joined(separator: " "))'"
                case .file: action = "-f"
                case .directory: action = "-d"
                case .value, .integer: action = "-W ''"
                case .none: continue
                }
                values += "        '\(key) --\(option.name)'"
                if let short = option.short { values += " | '\(key) -\(short)'" }
                values += ") how=(\(action)) ;;\n"
            }
        }
        return """
            _\(name)() {
                local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
                local path='' commands='' options='' word how=()
                # bash takes --option=value for three words.
                if [[ $current == = ]]; then
                    current=''
                elif [[ $previous == = ]]; then
                    previous="${COMP_WORDS[COMP_CWORD-2]}"
                fi
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case "$path $word" in
            \(descend)        esac
                done
                case "$path $previous" in
            \(values)    esac
                case "$path" in
            \(cases)    esac
                if [[ ${#how[@]} -eq 0 ]]; then
                    if [[ $current == -* ]]; then
                        how=(-W "$options")
                    elif [[ -n $commands ]]; then
                        how=(-W "$commands")
                    else
                        how=(-f)
                    fi
                fi
                # One name a line: names may hold spaces.
                COMPREPLY=()
                while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "${how[@]}" -- "$current")
                [[ ${how[0]} == -W ]] && compopt +o filenames 2>/dev/null
                return 0
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
            for sub in command.subcommandsAndHelp {
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
