import CommandTable
import Foundation

let witnessCommand = Command(
    "smelt-witness", "Compare compiled code with the reference interpreter, and measure what compiling takes.",
    subcommands: [EnumerationCommand.command, FunctionsCommand.command, BombsCommand.command])

/// Writes a line at once: a crash must not take it along.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
func report(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// The last line of every part; the program's exit status.
func conclude(passed: Int, failed: Int) -> Int32 {
    say("\(passed) passed, \(failed) failed")
    return failed == 0 ? 0 : 1
}

do {
    let arguments = try witnessCommand.parse(Array(CommandLine.arguments.dropFirst()))
    if arguments.has("help") {
        say(arguments.command.help(path: arguments.path))
        exit(0)
    }
    switch arguments.path.last {
    case "enumeration": exit(try EnumerationCommand.run(arguments))
    case "functions": exit(try FunctionsCommand.run(arguments))
    case "bombs": exit(BombsCommand.run(arguments))
    default: exit(64)
    }
} catch let error as UsageError {
    report("smelt-witness: \(error)")
    exit(64)
} catch {
    report("smelt-witness: \(error)")
    exit(1)
}
