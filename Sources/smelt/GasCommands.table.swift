import CommandTable

private let messageOption = Option("message", .integer("INDEX", 0...1_000_000), "Which message, from 0 (default: 0).")
/// Of commands that measure vectors.
private let measureOptions = [
    Option("bundle", short: "b", .file("FILE"), repeats: true, "Take actor code from this bundle."),
    Option("network-version", .integer("N", 0...1_000), "Only variants of this network version."),
    storeOption, cpuOption, boundsOption, tierOption, quietOption,
]

/// Of commands that measure operators and loops.
private let engineOptions = [
    Option("wasmtime", .directory("DIR"), repeats: true, "PyPI's wasmtime in DIR as a further engine."),
    Option("no-wasmtime", "Measure no other engine."),
]

/// `smelt gas`, whole.
let gasCommand = Command(
    "gas", "Show whether gas measures time.",
    subcommands: [
        Command(
            "report", "Measure, and write report.html, report.json and CSV tables.",
            discussion: """
                Messages of the vectors, charge by charge, then every operator of the price list. What was measured is \
                kept in DIR/measured.json as it comes: the same command takes up a run that ended early, and one that is \
                whole is only written again. A vector that fails is listed and left out, and the status is 1. With \
                --network-version only variants of these are measured; actors' code comes from bundles and the store.
                """,
            options: [
                Option("output", short: "o", .directory("DIR"), "Where to write (default: gas-report)."),
                Option("vectors", .file("PATH"), repeats: true, "Measure the messages of these."),
                measureOptions[0],
                Option(
                    "budget", .integer("SECONDS", 1...86_400), "Time to measure, when code is compiled (default: 480)."),
                Option("network-version", .integer("N", 0...1_000), "Only variants of this network version."),
                Option("no-operators", "Leave the operator table out."),
                Option("fresh", "Begin anew."),
            ] + engineOptions + measureOptions.dropFirst(2)),
        Command(
            "diff", "Compare two reports row by row.",
            discussion: """
                A row drifted where the intervals do not overlap, the ratio is beyond the threshold, and chance does not \
                explain it among so many rows (Holm). Rows whose intervals are wider than the threshold have no verdict. \
                Times of the newer report are divided by what its yardstick took, a fixed piece of work. The status is 3 \
                when something drifted. Reports of other machines, actors, settings or vectors are refused.
                """,
            options: [
                Option("threshold", .integer("PERCENT", 1...1_000), "What counts as a drift (default: 10)."),
                Option("force", "Compare although conditions differ."), formatOption,
            ],
            positionals: [Positional("OLD", 1...1, "A report.json."), Positional("NEW", 1...1, "Another one.")]),
        Command(
            "price", "Show the prices that a report's measurements would give.",
            discussion: """
                Each charge for computing is scaled as a whole by its fit in the report; charges without a model and proofs, \
                which are answered and not computed, keep their prices. Then what that does to the gas of the report's \
                messages, by method, and to how many fit into a block.
                """,
            options: [
                Option("anchor", .integer("N", 1...1_000), "Gas per nanosecond (default: 10)."), formatOption,
            ],
            positionals: [Positional("DIR", 1...1, "What 'smelt gas report' wrote.")]),
        Command(
            "whatif", "Replay messages under other prices, or with the code of another release.",
            discussion: """
                Each message runs on the state it had, under its own gas limit, as it was and as it would be; printed \
                are gas and time, now by before, in percentiles by actor and method, and the messages that would not \
                end the same way: out of gas, another outcome, another state, or no verdict since they ask for a block \
                that was not recorded. A price file has the fields of the price list, in milligas; --print-prices writes \
                that of a network version. Under other prices of instructions actors are compiled for them; the baseline \
                tier does that in seconds.
                """,
            options: [
                Option("prices", .file("FILE"), "Take the prices of this file."),
                Option(
                    "redirect-bundle", .value("OLD=NEW"), repeats: true,
                    "Run the code of bundle NEW for actors of bundle OLD."),
                Option(
                    "print-prices", .integer("N", 0...1_000), "Write the prices of network version N as such a file."),
                measureOptions[0],
                Option("rounds", .integer("N", 1...10_000), "Measured runs of each message (default: 5)."),
                Option("by", .choice(["message", "method", "actor"]), "What CSV rows are of (default: message)."),
                Option("format", .choice(["text", "json", "csv"]), "How to print (default: text)."),
            ] + measureOptions.dropFirst(),
            positionals: [Positional("PATH", 0...Int.max, "Vectors.")]),
        Command(
            "stat", "Add up gas and time over vectors, or over tipsets of a chain.",
            discussion: """
                With --chain, messages of tipsets from a file instead, each alone on the state it saw: those of blocks, \
                rewards and cron apart. \
                Every message of every vector that passes is measured charge by charge; what does not pass is \
                listed and left out, and the status is 1. Gas is as charged, in milligas; times are \
                means over the faster half of the rounds, without the clock's cost; of several rounds one \
                more comes first and warms up. Rows in \
                parentheses are time that no charge pays for. By function, gas is counted by the interpreter, \
                exactly, and time sampled.
                """,
            options: [
                Option(
                    "by", .choice(["charge", "syscall", "actor", "method", "function"]),
                    "What rows are of (default: charge)."),
                measureOptions[0], Option("rounds", .integer("N", 1...10_000), "Measured runs (default: 5)."),
                Option("format", .choice(["text", "json", "csv"]), "How to print (default: text)."),
                Option("chain", .file("FILE"), "Measure tipsets of this snapshot, export or per-tipset file."),
            ] + chainRangeOptions + measureOptions.dropFirst(),
            positionals: [Positional("PATH", 0...Int.max, "Vectors.")]),
        Command(
            "trace", "Show one message charge by charge with the time of each.",
            discussion: """
                A span lasts from its charge to the next one; guest code is charged when it has run. 'folded' is for \
                flame graph programs, 'speedscope' has a profile by gas and one by time, 'html' both as a page. \
                The functions inside guest code are found by running the message once more in the interpreter, \
                which counts each one's gas, and some hundred times with samples of where it is.
                """,
            options: [
                messageOption, measureOptions[0],
                Option("rounds", .integer("N", 1...10_000), "Measured runs (default: 20)."),
                Option(
                    "format", .choice(["text", "json", "ndjson", "folded", "speedscope", "html"]),
                    "How to print (default: text)."),
                Option("weight", .choice(["gas", "time"]), "What folded stacks count (default: gas)."),
                Option("no-functions", "Leave the functions inside guest code out."),
            ] + measureOptions.dropFirst(),
            positionals: [Positional("VECTOR", 1...1, "The vector.")]),
        Command(
            "limit", "Find the smallest gas limit with which a message ends as it did.",
            discussion: """
                Ends as it did: the same exit code, return value and events. The limit found is run, and one gas \
                less; sixteen smaller limits are tried besides, since a message may end the same way with less gas \
                and otherwise with more.
                """,
            options: [messageOption, measureOptions[0], formatOption] + measureOptions.dropFirst(),
            positionals: [Positional("VECTOR", 1...1, "The vector.")]),
        Command(
            "operators", "Time every WASM operator of the price list.",
            discussion: """
                Loops of one operator each are compiled and run with their steps once and twice; the difference is \
                the steps' time and gas, and the gas counter proves how often each ran. Latency rows have steps \
                that need each other, throughput rows steps that do not. Ten gas pay for one nanosecond. \
                Where Python has the package wasmtime, it runs the same kernels, instrumented as the reference does \
                it, in the same rounds; --wasmtime DIR adds the one that 'pip install --target DIR' put there. \
                Needs 1.5 GiB of memory, and 1 GiB for each other engine.
                """,
            options: [
                Option("budget", .integer("SECONDS", 1...86_400), "Time to measure (default: 60)."),
                Option("network-version", .integer("N", 0...1_000), "Whose prices (default: the newest)."),
                Option("operators", .value("NAME[,NAME]"), "These only, as i64.div_u."),
                Option("seed", .integer("N", 0...UInt64.max), "Of the order of runs (default: 1)."),
                Option("format", .choice(["text", "json", "csv"]), "How to print (default: text)."),
                Option("gasfit", .directory("DIR"), "Also write all runs to DIR, as evm-gasfit reads them."),
            ] + engineOptions + [
                storeOption, cpuOption, boundsOption, tierOption, quietOption,
            ]),
        Command(
            "search", "Look for the loops that take the most time for their gas.",
            discussion: """
                Loop bodies are made at random and bred by what they take; the search knows the instructions and \
                nothing of 'smelt gas operators'. The worst are written to DIR as worst-N.wasm, and the \
                command that measures each again is printed, with what a block full of it would take. \
                When the search is over the worst is measured beside the operator table's worst row, in the same \
                rounds, which takes a minute more. Needs 2 GiB of memory.
                """,
            options: [
                Option("budget", .integer("SECONDS", 1...86_400), "Time to search (default: 300)."),
                Option("seed", .integer("N", 0...UInt64.max), "Of what is random (default: 1)."),
                Option("output", short: "o", .directory("DIR"), "Where to write them (default: gas-search)."),
                Option("no-table", "Do not measure the worst beside the operator table's."),
                Option("network-version", .integer("N", 0...1_000), "Whose prices (default: the newest)."),
                formatOption, storeOption, cpuOption, boundsOption, tierOption, quietOption,
            ] + engineOptions),
        Command(
            "compile", "Show what compiling takes and makes, by byte, function and block.",
            discussion: """
                Each actor is compiled some times, without a store and one at a time; processor time and the object's size \
                are set against bytes, functions and metered blocks of WASM, with intervals. The optimising tier takes \
                a minute or two for a bundle and round, the baseline tier some seconds.
                """,
            options: [
                Option("rounds", .integer("N", 1...1_000), "Compilations of each (default: 3)."), formatOption,
                cpuOption, boundsOption, tierOption, quietOption,
            ],
            positionals: [Positional("INPUT", 1...Int.max, "Modules and bundles.")]),
        Command(
            "measure", "Time a loop of a module beside its gas.",
            discussion: """
                FUNCTION's first parameter is how often its loop runs; ITERATIONS is what to begin with, and \
                more are taken until a run is long enough. Twice as many take so much longer and use so much \
                more gas: their quotient is printed, with its interval, and what a block full of it would take.
                """,
            options: [formatOption, storeOption, cpuOption, boundsOption, tierOption],
            positionals: [
                Positional("FILE", 1...1, "Module or object."),
                Positional("FUNCTION", 1...1, "Name of an exported function."),
                Positional("ITERATIONS", 1...1, "Its first argument."),
                Positional("ARGUMENT", 0...Int.max, "Its other arguments."),
            ], takesNumbers: true),
    ])
