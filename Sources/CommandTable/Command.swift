/// One option of a command. A row of the command table; parsing, help, completion and the man page derive from it.
public struct Option: Sendable, Hashable {
    public enum Argument: Sendable, Hashable {
        /// A flag.
        case none
        /// Any text; the name stands in the help.
        case value(String)
        case file(String)
        case directory(String)
        case choice([String])
        /// A decimal integer in the range.
        case integer(String, ClosedRange<UInt64>)
    }

    /// Long name without dashes; the key under which the parsed value is found.
    public let name: String
    public let short: Character?
    public let argument: Argument
    public let repeats: Bool
    public let help: String

    /// A flag.
    public init(_ name: String, short: Character? = nil, _ help: String) {
        self.init(name, short: short, .none, help)
    }

    /// An option with an argument.
    public init(_ name: String, short: Character? = nil, _ argument: Argument, repeats: Bool = false, _ help: String) {
        self.name = name
        self.short = short
        self.argument = argument
        self.repeats = repeats
        self.help = help
    }
}

/// The positional arguments of a command: how many, and what they are called.
public struct Positional: Sendable, Hashable {
    public let name: String
    public let count: ClosedRange<Int>
    public let help: String

    public init(_ name: String, _ count: ClosedRange<Int>, _ help: String) {
        self.name = name
        self.count = count
        self.help = help
    }
}

/// A command, or a group of commands when it has subcommands.
public struct Command: Sendable, Hashable {
    public let name: String
    public let abstract: String
    public let discussion: String
    public let options: [Option]
    public let positionals: [Positional]
    public let subcommands: [Command]
    /// Arguments such as `-1`, `-0x10`, `-inf` are numbers, not options.
    public let takesNumbers: Bool

    public init(
        _ name: String, _ abstract: String, discussion: String = "", options: [Option] = [],
        positionals: [Positional] = [], subcommands: [Command] = [], takesNumbers: Bool = false
    ) {
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.options = options
        self.positionals = positionals
        self.subcommands = subcommands
        self.takesNumbers = takesNumbers
    }

    /// The command that every group has besides its own.
    static let help = Command("help", "Show help for a command.")

    /// The subcommands of a group as help and completion list them.
    var subcommandsAndHelp: [Command] { subcommands.isEmpty ? [] : subcommands + [Command.help] }

    /// Options every command has.
    public static let commonOptions = [Option("help", short: "h", "Show help for this command.")]

    /// The command's own options and the common ones.
    public var allOptions: [Option] { options + Command.commonOptions }
}
