import CommandTable
import Testing

private let tool = Command(
    "tool", "A tool.",
    subcommands: [
        Command(
            "make", "Make things.",
            options: [
                Option("output", short: "o", .file("OUT"), "Where to."),
                Option("jobs", short: "j", .integer("N", 1...64), "How many."),
                Option("format", .choice(["text", "json"]), "How."),
                Option("bundle", .file("FILE"), repeats: true, "Bundles."),
                Option("verbose", short: "v", "More."),
            ], positionals: [Positional("INPUT", 1...Int.max, "What.")]),
        Command(
            "call", "Call.", options: [Option("gas", .integer("N", 0...100), "Gas.")],
            positionals: [Positional("ARG", 0...Int.max, "Args.")], takesNumbers: true),
    ])

@Test func optionsAndPositionalsMayBeMixed() throws {
    let parsed = try tool.parse(["make", "a", "-o", "out", "b", "--jobs=4", "-vv", "--bundle", "x", "--bundle=y"])
    #expect(parsed.path == ["tool", "make"])
    #expect(parsed.positionals == ["a", "b"])
    #expect(parsed.value("output") == "out")
    #expect(parsed.integer("jobs") == 4)
    #expect(parsed.count("verbose") == 2)
    #expect(parsed.all("bundle") == ["x", "y"])
}

@Test func doubleDashEndsOptions() throws {
    #expect(try tool.parse(["make", "--", "-x"]).positionals == ["-x"])
}

@Test func negativeNumbersAreNotOptions() throws {
    let parsed = try tool.parse(["call", "f", "-1", "-0x10", "-inf", "--gas", "7", "-nan:0x1", "-.5"])
    #expect(parsed.positionals == ["f", "-1", "-0x10", "-inf", "-nan:0x1", "-.5"])
    #expect(parsed.integer("gas") == 7)
}

@Test(arguments: [
    (["make"], "missing argument INPUT"),
    (["make", "a", "--jobs", "0"], "--jobs: '0' is not an integer from 1 to 64"),
    (["make", "a", "--jobs", "x"], "--jobs: 'x' is not an integer from 1 to 64"),
    (["make", "a", "--format", "xml"], "--format: 'xml' is not one of text, json"),
    (["make", "a", "--formta", "json"], "unknown option '--formta'; did you mean '--format'?"),
    (["make", "a", "-o"], "missing value for -o"),
    (["make", "a", "-o", ""], "--output: the path is empty"),
    (["help", "mkae"], "unknown command 'mkae'; did you mean 'make'?"),
    (["hlep"], "unknown command 'hlep'; did you mean 'help'?"),
    (["make", "a", "-o", "x", "-o", "y"], "--output may be given once only"),
    (["mkae", "a"], "unknown command 'mkae'; did you mean 'make'?"),
    (["call", "--gas", "-1"], "--gas: '-1' is not an integer from 0 to 100"),
    (["zzzzzz"], "unknown command 'zzzzzz'"),
    ([], "missing command; one of make, call"),
])
func wrongUseSaysWhatAndWhy(arguments: [String], reason: String) {
    let error = #expect(throws: UsageError.self) { try tool.parse(arguments) }
    #expect(error?.reason == reason)
}

@Test func helpIsAllowedWithoutArguments() throws {
    #expect(try tool.parse(["make", "--help"]).has("help"))
    #expect(try tool.parse(["-h"]).has("help"))
    #expect(try tool.parse(["help"]).has("help"))
    let make = try tool.parse(["help", "make"])
    #expect(make.has("help") && make.path == ["tool", "make"])
}

@Test func helpFitsAnOrdinaryTerminal() {
    let words = String(repeating: "several words of an explanation ", count: 12)
    let command = Command("long", words, discussion: words, options: [Option("some-option", .value("VALUE"), words)])
    for line in command.help(path: ["long"]).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
}

@Test func theManPageIsPlainASCII() {
    let page = tool.manPage(version: "1")
    #expect(page.utf8.allSatisfy { $0 < 0x80 } && page.contains("INPUT..."))
}

@Test func helpManPageAndCompletionsNameEveryOption() {
    let texts = [
        tool.manPage(version: "1"), tool.completionScript(.bash), tool.completionScript(.zsh),
        tool.subcommands[0].help(path: ["tool", "make"]),
    ]
    for text in texts {
        for option in tool.subcommands[0].options {
            let name = text.hasPrefix(".TH") ? option.name : "--\(option.name)"
            #expect(text.contains(name), "\(name) in \(text.prefix(40))")
        }
    }
    #expect(tool.completionScript(.fish).contains("-l output -s o"))
}
