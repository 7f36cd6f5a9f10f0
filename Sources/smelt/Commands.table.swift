import ArtifactFormat
import CodeSettings
import CommandTable

let cpuOption = Option(
    "cpu", .choice(CPULevel.allCases.map(\.rawValue)), "CPU level (default: \(CPULevel.standard.rawValue)).")
let boundsOption = Option(
    "bounds", .choice(Bounds.allCases.map(\.rawValue)),
    "Memory bounds by guard pages or explicit checks (default: guard).")
let tierOption = Option(
    "tier", .choice(Tier.allCases.map(\.rawValue)),
    "Optimised code, or code that compiles quickly and runs at about half the speed (default: optimised).")
let storeOption = Option("store", .directory("DIR"), "The store (default: smelt in the XDG cache directory).")
let formatOption = Option("format", .choice(["text", "json"]), "How to print (default: text).")
let quietOption = Option("quiet", short: "q", "No progress.")

/// Which tipsets of a chain, and by whose rules.
let chainRangeOptions = [
    Option("height", .integer("H", 0...UInt64(Int64.max)), "Of the chain: one height."),
    fromOption, toOption,
    Option("last", .integer("N", 1...UInt64(Int32.max)), "Of the chain: the last N that have a child."),
    Option("like", .choice(["lotus", "forest"]), "Where nodes differ, do as this one (default: lotus)."),
    networkOption, chainIDOption, alsoOption,
]

/// The command line of `smelt`, whole. Parsing, help, completions and the man page derive from this table.
let smeltCommand = Command(
    "smelt", "Compiles Filecoin actors from WebAssembly to native code, and runs what it compiled.",
    discussion: """
        Data goes to standard output, progress and diagnostics to standard error.
        Exit status: 0 success; 1 an operation failed or a mismatch was found; 2 bad input file or invalid module; \
        3 two gas reports differ; \
        4 integrity failure; 64 wrong use; 70 internal error; 75 a failure of this machine.
        """,
    options: [
        Option("version", "Print the version."),
        Option("generate-completion-script", .choice(Shell.allCases.map(\.rawValue)), "Print a completion script."),
        Option("generate-man-page", "Print the man page."),
    ],
    subcommands: [
        Command(
            "compile", "Compile actors or whole bundles to shared objects.",
            discussion: """
                INPUT is a .wasm file, or a bundle: .car or .car.zst. The store is filled; with --output the objects \
                are also written: a single .wasm to the file OUT, bundles or several inputs into the directory OUT, \
                with an index. OUT '-' is standard output, for one module. INPUT '-' is standard input.
                """,
            options: [
                Option("output", short: "o", .file("OUT"), "Where to write objects (or what --emit names)."),
                Option("jobs", short: "j", .integer("N", 1...256), "Processors to use (default: all)."),
                cpuOption,
                Option("target", .choice([ArtifactFormat.target]), "Target triple; there is one so far."),
                Option(
                    "emit", .choice(["so", "obj", "asm", "ir", "plan", "wasm"]),
                    "What to write with --output (default: so)."),
                boundsOption, tierOption, storeOption, quietOption,
                Option("verbose", short: "v", "Print a table of time by stage."),
            ],
            positionals: [Positional("INPUT", 1...Int.max, "Modules and bundles.")]),
        Command(
            "inspect", "Show what a module, an object, a bundle or another archive contains.",
            discussion: """
                FILE is a .wasm module, a .so object made by 'smelt compile', a .car or .car.zst bundle, a snapshot, a \
                state or a genesis ('smelt chain' and 'smelt state' show more of them), or - for standard input.
                """,
            options: [Option("json", "Print JSON.")],
            positionals: [Positional("FILE", 1...1, "The file.")]),
        Command(
            "run", "Call an exported function of a module without syscalls.",
            discussion: """
                FILE is a .wasm module (compiled when needed), an object, or - for standard input. Integers are \
                decimal or hexadecimal (0x2a, -0x1); floats are decimal, hexadecimal (0x1.8p3), inf, nan or \
                nan:0xPAYLOAD. Prints the results, then the gas used. An argument that begins like an option comes \
                after '--'.
                """,
            options: [
                Option("gas", .integer("N", 0...9_223_372_036_854_775), "Gas limit (default: the largest)."),
                cpuOption, boundsOption, tierOption, storeOption,
                Option("json", "Print JSON."),
            ],
            positionals: [
                Positional("FILE", 1...1, "Module or object."),
                Positional("FUNCTION", 1...1, "Name of an exported function."),
                Positional("ARGUMENT", 0...Int.max, "Its arguments."),
            ], takesNumbers: true),
        Command(
            "replay", "Replay messages from test vectors, or tipsets of a chain, and compare what they come to.",
            discussion: """
                With --chain, tipsets from a file instead: each is executed on the state its headers name and compared \
                with its child; docs/chain.md says how. \
                PATH is a vector, a directory (all *.json files below it), an .ndjson file with a vector a line, or - for \
                standard input. Actor code comes from the vector, the bundles named, or the store. Objects come from \
                the store: the installed compiler's, then imported ones, and where no compiler is installed those of \
                any compiler. What has no optimised object yet is compiled in the baseline tier and runs at once, \
                while its optimised object is made behind it and taken when it is ready; results, gas and traces are \
                the same. Ends with 'N passed, N failed, N skipped'; a vector without postconditions has 'ran', and \
                --bless writes it with them. The status is 0 only if nothing failed; no vectors, or none of the \
                network version asked for, is an error.
                """,
            options: [
                Option("bundle", short: "b", .file("FILE"), repeats: true, "Take actor code from this bundle."),
                storeOption,
                Option("jobs", short: "j", .integer("N", 1...256), "Vectors at a time (default: processors)."),
                Option("shard", .value("I/N"), "Replay the I-th of N parts; 'smelt report merge' joins their reports."),
                Option(
                    "rounds", .integer("N", 1...1_000), "Run each vector N times; times are the fastest (default: 1)."),
                Option(
                    "format", .choice(["text", "json", "ndjson", "lotus"]), "How to print results (default: text)."),
                Option("receipts", "Show each message's whole receipt: return value, events, fees."),
                Option("trace", .directory("DIR"), "Write NAME.trace.jsonl for each vector."),
                Option("golden", .directory("DIR"), "Compare with NAME.trace.jsonl from this directory."),
                Option(
                    "bless", .file("OUT"),
                    "Write vectors with what came of them: to the file OUT, of several into the directory OUT."),
                Option("extract", .directory("DIR"), "Write each message as a vector of its own, NAME__INDEX.json."),
                Option(
                    "extract-tipsets", .directory("DIR"),
                    "Write each tipset as a file of its own, NETWORK_HEIGHT.forest.car.zst."),
                Option(
                    "message", .integer("INDEX", 0...1_000_000),
                    "Of a chain's tipset: the one message to trace or extract, from 0."),
                Option(
                    "network-version", .integer("N", 0...1_000),
                    "Skip variants of other network versions; of a chain, the version all heights run."),
                Option("fail-fast", "Stop at the first failure."),
                Option("wait", "Wait for optimised objects before anything runs."),
                Option("chain", .file("FILE"), "Replay tipsets of this snapshot, export or per-tipset file."),
            ] + chainRangeOptions + [
                Option("require-all", "Count a skipped vector as a failure."),
                Option("perf-map", "Name compiled functions in /tmp/perf-PID.map, for Linux perf."),
                cpuOption, boundsOption, tierOption, quietOption,
            ],
            positionals: [Positional("PATH", 0...Int.max, "Vectors.")]),
        Command(
            "genesis", "Make an initial state with the actors of a bundle.",
            discussion: """
                The actors' constructors run as implicit messages of the system actor, and accounts are made by sending \
                FIL to their addresses: f1… and f3… get ids from f0100 on in the order given, f410f… (or 0x…) become \
                placeholders, which their first message makes Ethereum accounts. The state is written as a CAR whose \
                root is the state root, with the actors' code unless --no-code is given; equal arguments give equal \
                bytes. OUT '-' is standard output.
                """,
            options: [
                Option("bundle", short: "b", .file("FILE"), "The bundle of built-in actors."),
                Option("network-version", .integer("N", 0...1_000), "The network version whose rules hold."),
                Option("account", .value("ADDRESS=FIL"), repeats: true, "Give FIL to this address."),
                Option("output", short: "o", .file("OUT"), "Where to write the state."),
                Option(
                    "miner", .value("OWNER[,WORKER][=FIL]"), repeats: true,
                    "Create a miner through the power actor; the worker is a BLS account, FIL its deposit."),
                Option(
                    "verified-root", .value("ADDRESS"),
                    "The account that is the verified registry's root (default: the system actor)."),
                Option(
                    "verified-signer", .value("ADDRESS"), repeats: true,
                    "A signer of the multisig that is the verified registry's root."),
                Option("verified-threshold", .integer("N", 1...256), "Approvals that multisig needs (default: 1)."),
                Option("network-name", .value("NAME"), "What the init actor calls the network (default: devnet)."),
                Option("chain-id", .integer("N", 0...UInt64(Int64.max)), "EIP-155 chain id (default: 31415926)."),
                Option("no-code", "Leave the actors' code out of the state."),
                Option("json", "Print JSON."),
                storeOption, cpuOption, boundsOption, tierOption, quietOption,
            ]),
        Command(
            "message", "Make messages.",
            subcommands: [
                Command(
                    "make", "Make a message in Lotus's JSON.",
                    discussion: """
                        Addresses are f…, t…, or 0x… for Ethereum's. --deploy sends a contract's code to the Ethereum \
                        address manager, --call calls one; for any other message --method and --params say what is sent. \
                        The message has no signature.
                        """,
                    options: [
                        Option("from", .value("ADDRESS"), "The sender."),
                        Option("to", .value("ADDRESS"), "The receiver."),
                        Option("nonce", .integer("N", 0...UInt64.max), "Messages the sender has sent before."),
                        Option("value", .value("FIL"), "FIL to move (default: 0)."),
                        Option("method", .integer("N", 0...UInt64.max), "Method number (default: 0, a transfer)."),
                        Option("params", .value("HEX"), "Parameters, in CBOR."),
                        Option("deploy", .file("FILE"), "Create a contract from this code, bytes in hexadecimal."),
                        Option("arguments", .value("HEX"), "The constructor's arguments, ABI encoded."),
                        Option("call", .value("HEX"), "Call a contract with this data: selector and arguments."),
                        Option("gas-limit", .integer("N", 1...UInt64(Int64.max)), "Gas limit (default: 1000000000)."),
                        Option("fee-cap", .value("ATTO"), "attoFIL per gas at most (default: 1000)."),
                        Option("premium", .value("ATTO"), "attoFIL per gas for the miner (default: 0)."),
                        Option("output", short: "o", .file("OUT"), "Where to write it (default: standard output)."),
                    ])
            ]),
        Command(
            "vector", "Make test vectors.",
            subcommands: [
                Command(
                    "make", "Execute messages on a state and write a vector with what came of them.",
                    discussion: """
                        Messages are files in Lotus's JSON, or CBOR as bytes or in hexadecimal, with or without a \
                        signature, which is not checked. They run one after another on the state, a CAR as 'smelt genesis' \
                        writes it. Prints the receipts and the actors that were created. The vector holds what the \
                        messages read and wrote, without built-in actors' code: 'smelt replay --bundle' passes it. \
                        A message that fails with an exit code is a result like any other.
                        """,
                    options: [
                        Option("state", .file("CAR"), "The state; its root is the archive's first."),
                        Option("network-version", .integer("N", 0...1_000), "The network version whose rules hold."),
                        Option("message", short: "m", .file("FILE"), repeats: true, "A message, in the order given."),
                        Option("output", short: "o", .file("OUT"), "Where to write the vector."),
                        Option("output-state", .file("CAR"), "Write the state after the messages."),
                        Option(
                            "bundle", short: "b", .file("FILE"), repeats: true, "Take code the state lacks from here."),
                        Option("epoch", .integer("N", 0...UInt64(Int64.max)), "The epoch they run in (default: 1)."),
                        Option("base-fee", .value("ATTO"), "attoFIL per gas (default: 100)."),
                        Option("timestamp", .integer("SECONDS", 0...UInt64.max), "Unix time (default: 30 per epoch)."),
                        Option(
                            "chain-id", .integer("N", 0...UInt64(Int64.max)), "EIP-155 chain id (default: 31415926)."),
                        Option("implicit", "Apply them as the node's own: no nonce, no fees, any sender."),
                        Option("json", "Print JSON."),
                        storeOption, cpuOption, boundsOption, tierOption, quietOption,
                    ])
            ]),
        Command(
            "bundle", "Show, check and compare bundles of actors.",
            subcommands: [
                Command(
                    "ls", "List the actors: CIDs, sizes, numbers of functions, syscalls.",
                    discussion: """
                        The release and the network versions are shown for bundles whose root is that of a release of \
                        mainnet or of the calibration network.
                        """,
                    options: [formatOption], positionals: [Positional("FILE", 1...Int.max, "Bundles, or -.")]),
                Command(
                    "verify", "Check each block's hash, the manifest, and each actor by the FVM's rules.",
                    options: [formatOption], positionals: [Positional("FILE", 1...Int.max, "Bundles, or -.")]),
                Command(
                    "diff", "Compare two bundles: actors, functions, syscalls.",
                    discussion: """
                        Functions are matched by name where both modules have a name section (a hash that Rust ends a \
                        name with does not count). Otherwise a function is unchanged when the other module has one \
                        with the same type, locals and instructions, where a call counts as one to a function of \
                        that type or to that import; changed when only constants and offsets of memory differ; and \
                        else removed and added. --format json lists the functions. The status is 0 whether bundles \
                        differ or not.
                        """,
                    options: [formatOption], positionals: [Positional("FILE", 2...2, "The two bundles.")]),
            ]),
        Command(
            "store", "Look after the store of compiled actors.",
            subcommands: [
                Command("ls", "List the objects.", options: [storeOption, Option("json", "Print JSON.")]),
                Command("verify", "Check every entry; quarantine what is damaged.", options: [storeOption]),
                Command(
                    "prune", "Remove entries that this version cannot use, and quarantined ones.",
                    options: [storeOption, Option("all", "Remove everything.")]),
                Command(
                    "import", "Take objects made elsewhere after checking them in full.", options: [storeOption],
                    positionals: [Positional("DIR", 1...1, "A directory written by 'smelt compile --output'.")]),
            ]),
        applyCommand, chainCommand, stateCommand, gasCommand, reportCommand,
        Command(
            "version", "Print versions: Smelt, object format, compiler.", options: [Option("json", "Print JSON.")]),
    ])
