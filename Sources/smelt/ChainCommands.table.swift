import CommandTable

let fromOption = Option(
    "from", .integer("H", 0...UInt64(Int64.max)), "The lowest height (default: the file's).")
let toOption = Option("to", .integer("H", 0...UInt64(Int64.max)), "The highest height (default: the head's).")
let alsoOption = Option(
    "also", .file("FILE"), repeats: true, "Another file with blocks that FILE lacks: a diff, a lite snapshot.")
let networkOption = Option(
    "network", .value("NAME|FILE"),
    "mainnet, calibrationnet, or a file that describes one (default: by the chain's genesis).")
let chainIDOption = Option(
    "chain-id", .integer("N", 0...UInt64(Int64.max)),
    "EIP-155 chain id, with --network-version (default: 31415926).")
private let makingOptions = [
    Option("output", short: "o", .file("OUT"), "Where to write the chain."),
    Option("form", .choice(["plain", "zstd", "forest"]), "How to write it (default: plain)."),
    Option("message", short: "m", .file("FILE"), repeats: true, "A message, in the order given."),
    Option("tipsets", .integer("N", 1...100_000), "Tipsets to make (default: 1)."),
    Option("blocks", .integer("K", 1...100), "Blocks of each (default: 1)."),
    Option("null", .integer("N", 0...10_000), "Null rounds before each (default: 0)."),
    Option("miner", .value("ADDRESS"), repeats: true, "Miners, in turn (default: those in the state)."),
    Option("script", .file("FILE"), "What tipsets hold, one a line as JSON, instead."),
    networkOption,
    Option("network-version", .integer("N", 0...1_000), "The network version that all heights run."), chainIDOption,
    Option("like", .choice(["lotus", "forest"]), "Where nodes differ, do as this one (default: lotus)."),
    Option("no-receipts", "Leave receipts out, as nodes' snapshots do."),
    Option("bundle", short: "b", .file("FILE"), repeats: true, "Take code the state lacks from here."),
    formatOption, storeOption, cpuOption, boundsOption, tierOption, quietOption,
]
private let makingText = """
    Each tipset holds what executing the one below it came to. Tickets, election proofs, beacon entries, proofs and \
    signatures are made up, the same for the same input; messages are dealt to the blocks in their order, and put in a \
    block's list of BLS or of other messages by their senders' addresses or their signatures. A line of a script is \
    {"null": N, "blocks": [{"miner": "f0…", "win_count": N, "messages": [MESSAGE…]}]}, where only blocks must be, and \
    MESSAGE is Lotus's JSON.
    """
private let chainFile = Positional("FILE", 1...1, "A snapshot, an export or a genesis.")

/// `smelt chain`, whole.
let chainCommand = Command(
    "chain", "Show, check and cut chains in files.",
    discussion: """
        FILE is a CAR: version 1 or 2, plain, in Zstandard frames, or Forest's .forest.car.zst; what it is is seen from \
        its content. It is read in place. A large file without an index gets one in the cache on first use. FILE may \
        also be the directory of a database that 'smelt chain import' has filled.
        """,
    subcommands: [
        Command(
            "ls", "List tipsets, the head's first.",
            options: [
                fromOption, toOption, alsoOption,
                Option("format", .choice(["text", "json", "ndjson"]), "How to print (default: text)."), quietOption,
            ], positionals: [chainFile]),
        Command(
            "head", "Show what a file holds: form, network, heights, the head.",
            options: [alsoOption, formatOption, quietOption], positionals: [chainFile]),
        Command(
            "verify", "Check headers, keys, message lists, base fees, and whether messages and states are complete.",
            discussion: """
                Every block that is looked at is compared with its CID. Faults are listed by height, and the status is 1. \
                A file need not hold all states or messages; from which height on it does is printed.
                """,
            options: [
                Option("no-states", "Look at states' roots only."), alsoOption, formatOption, quietOption,
            ], positionals: [chainFile]),
        Command(
            "export", "Write a part of a chain as a new file.",
            discussion: """
                Headers of the range with their messages and the states they begin with, so far as FILE has them. The \
                root is the key of the highest tipset. OUT '-' is standard output.
                """,
            options: [
                Option("output", short: "o", .file("OUT"), "Where to write."),
                Option("height", .integer("H", 0...UInt64(Int64.max)), "One height; as --from H --to H."),
                fromOption, toOption,
                Option(
                    "form", .choice(["plain", "zstd", "forest"]),
                    "How to write: a CAR, one in a Zstandard frame, or Forest's with an index (default: plain)."),
                Option("no-messages", "Leave messages out."), Option("no-states", "Leave states out."),
                alsoOption, formatOption, quietOption,
            ], positionals: [chainFile]),
        Command(
            "make", "Make a chain on a state, for example of 'smelt genesis'.",
            discussion: makingText,
            options: [
                Option("state", .value("FILE[@ROOT]"), "The state of height 0."), alsoOption,
                Option(
                    "genesis-time", .integer("SECONDS", 0...UInt64(Int64.max)),
                    "Unix time of height 0 (default: 1735689600, the first second of 2025)."),
                Option("base-fee", .value("ATTO"), "attoFIL per gas of height 0 (default: 100000000)."),
            ] + makingOptions),
        Command(
            "extend", "Make tipsets on a chain's head and write the chain with them.",
            discussion: makingText, options: [alsoOption] + makingOptions, positionals: [chainFile]),
        Command(
            "import", "Copy blocks into a database, in which many are found faster.",
            discussion: """
                DIR is made where it is not there, and kept otherwise. Its roots are those of the first file. It stands \
                for a file in all commands that take archives. Each block is compared with its CID.
                """,
            options: [
                Option("into", .file("DIR"), "The directory of the database (LMDB)."), formatOption, quietOption,
            ], positionals: [Positional("FILE", 1...Int.max, "A CAR in any form.")]),
    ])

private let stateFile = "A state in a file, as FILE or FILE@ROOT; without ROOT that of the head, or the file's root."

/// `smelt state`, whole.
let stateCommand = Command(
    "state", "Show and compare states in files.",
    discussion: """
        FILE is a CAR in any form, as for 'smelt chain'. States of every version can be listed, also those whose actors \
        were no WASM.
        """,
    subcommands: [
        Command(
            "get", "Show an actor and its state as DAG-JSON.",
            discussion: """
                ADDRESS may have a path behind it, as in f05/0: numbers are elements of arrays, names those of maps, and \
                links are followed.
                """,
            options: [alsoOption, Option("raw", "Print the block's bytes in hexadecimal."), quietOption],
            positionals: [Positional("STATE", 1...1, stateFile), Positional("ADDRESS", 1...1, "An address.")]),
        Command(
            "ls", "List the actors.",
            options: [
                Option("format", .choice(["text", "json", "ndjson"]), "How to print (default: text)."), alsoOption,
                quietOption,
            ], positionals: [Positional("STATE", 1...1, stateFile)]),
        Command(
            "diff", "Compare two states by actor; the status is 1 when they differ.",
            options: [alsoOption, formatOption, quietOption],
            positionals: [Positional("STATE", 2...2, stateFile)]),
    ])

/// `smelt apply`.
let applyCommand = Command(
    "apply", "Apply messages to a state in a file.",
    discussion: """
        Messages are files in Lotus's JSON, or CBOR as bytes or in hexadecimal, with or without a signature, which is not \
        checked but paid for. They are applied one after another; receipts are printed, and with --output the blocks that \
        are new are written as a CAR whose root is the new state. A message that fails with an exit code is a result like \
        any other. Randomness and tipsets' CIDs are answered as in test vectors that record none.
        """,
    options: [
        Option("state", .value("FILE[@ROOT]"), stateFile), alsoOption,
        Option("network-version", .integer("N", 0...1_000), "The network version whose rules hold."),
        Option("message", short: "m", .file("FILE"), repeats: true, "A message, in the order given."),
        Option("output", short: "o", .file("OUT"), "Where to write new blocks."),
        Option("form", .choice(["plain", "zstd", "forest"]), "How to write them (default: plain)."),
        Option("bundle", short: "b", .file("FILE"), repeats: true, "Take code the state lacks from here."),
        Option("epoch", .integer("N", 0...UInt64(Int64.max)), "The epoch they run in (default: 1)."),
        Option("base-fee", .value("ATTO"), "attoFIL per gas (default: 100)."),
        Option("circulating-supply", .value("ATTO"), "attoFIL (default: that of vectors without one, 10^27)."),
        Option("timestamp", .integer("SECONDS", 0...UInt64.max), "Unix time (default: 30 per epoch)."),
        Option("chain-id", .integer("N", 0...UInt64(Int64.max)), "EIP-155 chain id (default: 31415926)."),
        Option("implicit", "Apply them as the node's own: no nonce, no fees, any sender."),
        Option("estimate", "Print the smallest gas limit with which each message ends as it does."),
        Option("format", .choice(["text", "json"]), "How to print (default: text)."),
        storeOption, cpuOption, boundsOption, tierOption, quietOption,
    ])
