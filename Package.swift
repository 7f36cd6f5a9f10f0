// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Every Swift target is compiled in Swift 6 mode with warnings as errors. Strict memory safety makes every unsafe
// expression one of these warnings: a layer has none unless its row says why it touches memory itself.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
]

/// Why a layer contains unsafe code.
enum Unsafe {
    /// It calls a C library with pointers.
    case cLibrary
    /// It makes system calls.
    case systemCalls
    /// It runs guest code or reads the structures of the C runtime.
    case runtime
}

func layer(
    _ name: String, _ dependencies: [Target.Dependency] = [], unsafe: Unsafe? = nil, resources: [Resource]? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: resources,
        swiftSettings: strict + (unsafe == nil ? [.strictMemorySafety()] : []))
}

func program(_ name: String, _ dependencies: [Target.Dependency], linker: [LinkerSetting]? = nil) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: linker)
}

/// Swift's runtime inside the programs: finding and relocating its libraries was a quarter of what a process takes that
/// does nothing, and a machine that only uses Smelt needs no Swift. Nothing of a program is there for others to link
/// with, as the flag would have it. No test may depend on such a program: a test bundle has the shared runtime.
let inside: [LinkerSetting] = [.unsafeFlags(["-static-stdlib", "-Xlinker", "--no-export-dynamic"])]

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies + ["TestSupport"],
        path: "Tests/" + name + "Tests", swiftSettings: strict)
}

func library(_ name: String, pkgConfig: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Sources/" + name, pkgConfig: pkgConfig)
}

/// The layers, lowest first. A target may depend on targets above it in this list only;
/// the compiler side and the host side never meet (checked by `make arrows`).
let targets: [Target] = [
    // C libraries.
    library("CGMP", pkgConfig: "gmp"),
    library("CSodium", pkgConfig: "libsodium"),
    library("CLibCrypto", pkgConfig: "libcrypto"),
    library("CTomCrypt", pkgConfig: "libtomcrypt"),
    library("CSecp256k1", pkgConfig: "libsecp256k1"),
    library("CBLST", pkgConfig: "smelt-blst"),
    library("CZstd", pkgConfig: "libzstd"),
    library("CZlib", pkgConfig: "zlib"),
    library("CYajl", pkgConfig: "yajl"),
    library("CFFI", pkgConfig: "libffi"),
    library("CLLVM", pkgConfig: "smelt-llvm"),
    library("CGSL", pkgConfig: "gsl"),
    library("CLMDB"),
    library("CGetopt"),
    library("CLinux"),

    // L0: facts.
    .target(
        name: "CActorRuntime", path: "Runtime", exclude: ["tests"],
        cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])]),
    layer("CodeSettings"),
    layer("SeededRandom"),
    layer("Drafts", unsafe: .systemCalls),
    layer("Primitives", ["CGMP", "CSodium"], unsafe: .cLibrary),
    layer("WasmFormat", ["CActorRuntime"]),
    layer("GasSchedule", ["Primitives"]),
    layer("Syscalls", ["WasmFormat"]),

    // L1: front end and data structures.
    layer("Validator", ["WasmFormat"]),
    layer("Metering", ["Validator", "WasmFormat", "GasSchedule", "Syscalls"]),
    layer("CodeImage", ["CodeSettings", "Metering", "WasmFormat", "CActorRuntime"], unsafe: .runtime),
    layer("SinglePass", ["CodeImage", "CodeSettings", "Metering", "Validator", "WasmFormat", "CActorRuntime"]),
    layer("Crypto", ["Primitives", "CSodium", "CLibCrypto", "CTomCrypt", "CSecp256k1", "CBLST"], unsafe: .cLibrary),
    layer("IPLD", ["Primitives", "Crypto"]),
    layer("Zstandard", ["CZstd"], unsafe: .cLibrary),
    layer("Bundle", ["IPLD", "Primitives", "Zstandard"], unsafe: .systemCalls),
    layer("BlockFiles", ["IPLD", "Primitives", "Crypto", "Zstandard", "Drafts", "CLMDB"], unsafe: .systemCalls),
    layer("Engine", ["CActorRuntime"], unsafe: .runtime),
    layer("JSON", ["CYajl"], unsafe: .cLibrary),
    layer("CommandTable", ["CGetopt"], unsafe: .cLibrary),
    layer("Statistics", ["SeededRandom", "CGSL"], unsafe: .cLibrary),
    layer("Measuring", ["SeededRandom", "Statistics", "JSON"], unsafe: .systemCalls),

    // L2: artifacts, shared by both sides.
    layer(
        "ArtifactFormat", ["CodeSettings", "Primitives", "Crypto", "WasmFormat", "GasSchedule", "CActorRuntime"],
        unsafe: .runtime),
    layer("ArtifactStore", ["ArtifactFormat", "Drafts", "Primitives", "Crypto"], unsafe: .systemCalls),
    layer("WorkerProtocol", ["ArtifactFormat", "CodeSettings", "GasSchedule", "Primitives", "WasmFormat"]),

    // L3: the compiler side.
    layer("LLVMKit", ["CLLVM"], unsafe: .cLibrary),
    layer(
        "Lowering",
        [
            "CodeImage", "SinglePass", "CodeSettings", "LLVMKit", "Metering", "Validator", "WasmFormat",
            "CActorRuntime",
        ],
        unsafe: .runtime),
    layer(
        "Compiler",
        [
            "Lowering", "LLVMKit", "Metering", "ArtifactFormat", "WorkerProtocol", "WasmFormat", "CodeSettings",
            "CLinux",
        ], unsafe: .systemCalls),

    // L3: the host side.
    layer("NativeEngine", ["Engine", "ArtifactFormat", "CActorRuntime", "WasmFormat", "CFFI"], unsafe: .runtime),
    layer("StateTree", ["IPLD", "Primitives", "Crypto"]),
    layer("Kernel", ["Engine", "Syscalls", "GasSchedule", "StateTree", "IPLD", "Primitives", "Crypto"]),
    layer(
        "Machine",
        [
            "Kernel", "StateTree", "Syscalls", "Engine", "GasSchedule", "IPLD", "Primitives", "Crypto",
        ]),

    layer("Chain", ["Machine", "StateTree", "BlockFiles", "GasSchedule", "IPLD", "Primitives", "Crypto"]),

    // L4: tools' shared parts.
    layer(
        "CompilePool",
        ["ArtifactFormat", "ArtifactStore", "CodeSettings", "WorkerProtocol", "Primitives", "Crypto", "CLinux"],
        unsafe: .systemCalls),
    // The library: a session on an engine, a store and the outside world.
    layer(
        "FVM",
        [
            "CompilePool", "ArtifactFormat", "CodeSettings", "NativeEngine", "Engine", "Machine", "Kernel", "StateTree",
            "GasSchedule", "IPLD", "Primitives",
        ]),
    .target(name: "CSmelt", exclude: ["library"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])]),
    layer(
        "CInterface",
        [
            "CSmelt", "FVM", "BlockFiles", "ArtifactStore", "CompilePool", "ArtifactFormat", "CodeSettings",
            "NativeEngine",
            "Engine", "Machine", "Kernel", "StateTree", "GasSchedule", "IPLD", "Primitives", "CActorRuntime",
        ], unsafe: .cLibrary),
    layer(
        "Replay",
        [
            "Machine", "Kernel", "StateTree", "Engine", "GasSchedule", "Syscalls", "Bundle", "IPLD", "Drafts",
            "Primitives", "Crypto", "JSON", "CZlib",
        ], unsafe: .systemCalls),
    layer(
        "Tipsets",
        [
            "Replay", "Chain", "Machine", "Kernel", "StateTree", "Engine", "BlockFiles", "GasSchedule", "IPLD",
            "Primitives", "Crypto", "JSON",
        ]),
    // The interpreter: a witness for tests, and for the reports the one that counts gas by function.
    layer("WasmReference", ["Metering", "Validator", "GasSchedule", "WasmFormat", "Engine"], unsafe: .runtime),
    layer(
        "GasReport",
        [
            "SeededRandom", "Measuring", "Replay", "Machine", "Kernel", "NativeEngine", "WasmReference", "Metering",
            "Engine", "WasmFormat", "Syscalls", "GasSchedule", "Statistics", "JSON", "Primitives",
        ], unsafe: .systemCalls),
    layer(
        "Genesis",
        [
            "Machine", "Kernel", "StateTree", "Engine", "GasSchedule", "Syscalls", "Bundle", "WasmFormat", "IPLD",
            "Primitives",
        ]),
    layer(
        "GasBench",
        [
            "SeededRandom", "CompilePool", "NativeEngine", "Engine", "Metering", "GasSchedule", "WasmFormat",
            "ArtifactFormat",
            "CodeSettings",
            "Measuring", "Statistics", "JSON", "CLinux", "Machine", "Kernel", "StateTree", "Syscalls", "IPLD", "Crypto",
            "Primitives",
        ], unsafe: .systemCalls, resources: [.embedInCode("Resources/wasmtime_peer.py")]),

    // L5: programs. `smelt-worker` is the only one that links LLVM.
    program("smelt-worker", ["Compiler", "CodeSettings"], linker: inside),
    program(
        "smelt",
        [
            "FVM",
            "CompilePool", "WorkerProtocol", "GasBench", "Measuring", "Statistics", "Genesis", "GasReport", "Replay",
            "Machine",
            "NativeEngine", "Engine", "CActorRuntime",
            "ArtifactStore",
            "ArtifactFormat", "CodeSettings", "Metering", "Syscalls", "GasSchedule", "WasmFormat", "Bundle", "Drafts",
            "Tipsets", "Chain", "BlockFiles", "StateTree", "Kernel", "IPLD", "Crypto", "Primitives", "JSON",
            "CommandTable", "CLinux",
        ], linker: inside),

    // Witnesses and test helpers; no product imports them.
    layer(
        "SpecSuite",
        [
            "WasmReference", "Compiler", "WorkerProtocol", "ArtifactFormat", "CodeSettings", "Metering", "JSON",
            "CActorRuntime", "Syscalls",
            "GasSchedule", "Engine", "NativeEngine", "WasmFormat", "Crypto", "Primitives",
        ], unsafe: .systemCalls),
    program("smelt-spec", ["SpecSuite", "CommandTable"]),
    program(
        "smelt-samples",
        [
            "Replay", "Machine", "WasmReference", "Metering", "WasmFormat", "GasSchedule", "StateTree", "IPLD",
            "Crypto",
            "Primitives", "JSON",
        ]),
    layer("TestSupport", ["WasmFormat"], unsafe: .systemCalls),
    layer(
        "ModuleFuzz",
        [
            "SeededRandom", "TestSupport", "WasmReference", "ArtifactFormat", "CodeSettings", "Compiler", "Lowering",
            "NativeEngine",
            "Metering", "Validator", "GasSchedule", "Engine", "WasmFormat", "CZlib",
        ], unsafe: .cLibrary),
    program("smelt-fuzz", ["ModuleFuzz", "CommandTable"]),
    // Calls inside actors, out of replayed messages, for the witness to repeat.
    layer(
        "Captures",
        ["Replay", "WasmReference", "Metering", "Engine", "Bundle", "Primitives", "CLinux"],
        unsafe: .cLibrary),
    layer(
        "Witness",
        [
            "Captures", "SeededRandom", "TestSupport", "WasmReference", "ArtifactFormat", "Compiler", "Lowering",
            "NativeEngine",
            "Metering",
            "Validator", "GasSchedule", "Engine", "WasmFormat", "CodeSettings",
        ]),
    layer(
        "Bombs",
        [
            "TestSupport", "CompilePool", "WorkerProtocol", "ArtifactFormat", "CodeSettings", "Metering", "GasSchedule",
            "WasmFormat",
        ]),
    program("smelt-witness", ["Witness", "Captures", "Bombs", "Bundle", "CodeSettings", "CommandTable"]),

    tests("Primitives", ["Primitives", "JSON"]),
    tests("Crypto", ["Crypto", "Primitives", "JSON", "CBLST"]),
    tests("IPLD", ["IPLD", "Bundle", "Primitives", "Crypto", "JSON", "CZstd", "CZlib"]),
    tests("BlockFiles", ["BlockFiles", "Zstandard", "IPLD", "Crypto", "Primitives"]),
    tests("WasmFormat", ["WasmFormat"]),
    tests("Validator", ["Validator", "Bundle", "WasmFormat"]),
    tests("GasSchedule", ["GasSchedule", "Primitives", "JSON"]),
    tests("Syscalls", ["Syscalls", "WasmFormat"]),
    tests(
        "Metering",
        ["Metering", "SeededRandom", "Validator", "Bundle", "Crypto", "JSON", "WasmFormat", "GasSchedule", "Syscalls"]),
    tests("Runtime", ["CActorRuntime", "Engine"]),
    tests(
        "ArtifactFormat",
        ["ArtifactFormat", "CActorRuntime", "CodeSettings", "Primitives", "Crypto", "GasSchedule", "WasmFormat"]),
    tests("ArtifactStore", ["ArtifactStore", "ArtifactFormat", "Primitives", "Crypto"]),
    tests(
        "Lowering",
        [
            "SeededRandom", "Lowering", "ArtifactFormat", "CodeSettings", "Compiler", "CActorRuntime", "WasmReference",
            "NativeEngine",
            "Bundle", "Engine", "Metering", "Validator", "WasmFormat", "GasSchedule",
        ]),
    tests(
        "Compiler",
        [
            "CompilePool", "WorkerProtocol", "ArtifactFormat", "ArtifactStore", "CodeSettings", "NativeEngine",
            "Engine",
            "Bundle", "WasmFormat",
        ]),
    tests("NativeEngine", ["NativeEngine", "ArtifactFormat", "Engine", "WasmFormat", "CActorRuntime"]),
    tests("WasmReference", ["WasmReference", "Metering", "Validator", "GasSchedule", "WasmFormat", "Engine"]),
    tests("StateTree", ["StateTree", "IPLD", "Crypto", "Primitives", "JSON"]),
    tests(
        "Kernel",
        [
            "Kernel", "WasmReference", "Metering", "StateTree", "Engine", "Syscalls", "GasSchedule", "IPLD",
            "Primitives",
            "Crypto", "CActorRuntime",
        ]),
    tests("Chain", ["Chain", "BlockFiles", "StateTree", "IPLD", "Crypto", "Primitives"]),
    tests(
        "Machine",
        ["Machine", "StateTree", "Kernel", "Engine", "GasSchedule", "IPLD", "Crypto", "Primitives", "JSON"]),
    tests(
        "FVM",
        [
            "FVM", "Replay", "WasmReference", "NativeEngine", "Machine", "Kernel", "StateTree", "Engine", "GasSchedule",
            "IPLD", "Primitives", "ArtifactFormat", "CodeSettings",
        ]),
    tests(
        "Replay",
        [
            "Replay", "Machine", "Kernel", "WasmReference", "Engine", "GasSchedule", "Syscalls", "Bundle",
            "IPLD", "Crypto", "Primitives", "JSON",
        ]),
    tests(
        "Genesis",
        [
            "Genesis", "Machine", "Kernel", "StateTree", "WasmReference", "Metering", "Engine", "WasmFormat",
            "GasSchedule",
            "Bundle", "IPLD", "Crypto", "Primitives",
        ]),
    tests(
        "Tipsets",
        [
            "Tipsets", "Replay", "Chain", "Genesis", "Machine", "Kernel", "StateTree", "WasmReference", "Engine",
            "GasSchedule", "Bundle", "BlockFiles", "IPLD", "Crypto", "Primitives", "CBLST",
        ]),
    tests(
        "GasReport",
        [
            "GasReport", "Replay", "NativeEngine", "WasmReference", "Metering", "WasmFormat", "GasSchedule", "Kernel",
            "Engine", "Bundle", "Measuring", "Statistics", "JSON",
        ]),
    tests("SpecSuite", ["SpecSuite", "Metering", "GasSchedule"]),
    tests("ModuleFuzz", ["ModuleFuzz", "WasmFormat"]),
    tests("Witness", ["Witness", "Captures", "Bundle", "CodeSettings", "WasmFormat"]),
    tests("Bombs", ["Bombs", "CodeSettings", "WasmFormat", "Metering", "GasSchedule"]),
    tests("CommandTable", ["CommandTable"]),
    tests("Statistics", ["SeededRandom", "Statistics"]),
    tests("Measuring", ["Measuring", "Statistics", "JSON"]),
    tests(
        "GasBench",
        [
            "SeededRandom", "GasBench", "GasReport", "Measuring", "WasmReference", "Syscalls", "Engine", "Statistics",
            "CompilePool",
            "NativeEngine",
            "ArtifactFormat", "CodeSettings",
            "Metering",
            "GasSchedule",
            "WasmFormat", "JSON",
        ]),
    tests("CLI", ["WasmFormat", "ArtifactFormat", "WorkerProtocol", "JSON", "IPLD", "Crypto", "Primitives"]),
]

/// Tests that start the worker. They do not depend on it: a test bundle would be linked with a program's flags.
let startingWorkers: Set = ["CompilerTests", "BombsTests", "GasBenchTests"]

/// `SMELT_ONLY=Metering,IPLDTests swift build` considers those targets and what they need, nothing else.
func selected(_ all: [Target], by list: String?) -> [Target] {
    guard let list, !list.isEmpty else { return all }
    var wanted = Set<String>()
    var pending = list.split(separator: ",").map(String.init)
    while let name = pending.popLast() {
        guard wanted.insert(name).inserted, let target = all.first(where: { $0.name == name }) else { continue }
        for case .byNameItem(let dependency, _) in target.dependencies { pending.append(dependency) }
        if startingWorkers.contains(name) { pending.append("smelt-worker") }
    }
    return all.filter { wanted.contains($0.name) }
}

let chosen = selected(targets, by: ProcessInfo.processInfo.environment["SMELT_ONLY"])

/// What other packages may depend on: the machine as a library, and the compiler, which links LLVM, apart from it. The
/// archive is what `make library` makes the C interface of.
let products: [(target: String, product: Product)] = [
    ("FVM", .library(name: "FVM", targets: ["FVM"])),
    ("Compiler", .library(name: "Compiler", targets: ["Compiler"])),
    ("CInterface", .library(name: "smelt-interface", type: .static, targets: ["CInterface"])),
]

let package = Package(
    name: "smelt",
    products: products.filter { row in chosen.contains { $0.name == row.target } }.map(\.product),
    targets: chosen)
