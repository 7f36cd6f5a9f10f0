import Crypto
import GasSchedule
import Primitives
import Testing
import WasmFormat

@testable import ArtifactFormat

@Suite struct KeyTests {
    @Test func objectsOfAnyCompilerServeEqualSettingsAndNoOthers() throws {
        let compiler = CompilerIdentity(
            version: "1.0", build: Digest(of: [1]), llvmVersion: "19.1.7", llvmBuild: Digest(of: [8]),
            linkerVersion: "Debian LLD 19.1.7", linkerBuild: Digest(of: [9]))
        let inputs = compiler.inputs(wasm: .blake2b256(codec: Cid.raw, data: [1]), settings: CompileSettings())
        #expect(inputs.compiler == compiler)
        #expect(ArtifactInputs(inputs.text) == inputs)
        var other = compiler
        (other.version, other.build, other.llvmVersion) = ("2.0", Digest(of: [2]), "20.1.0")
        #expect(other.inputs(wasm: inputs.wasm, settings: CompileSettings()).serves(CompileSettings()))
        for change in [
            { $0.bounds = .checks }, { $0.cpu = .v3 }, { $0.tier = .baseline }, { $0.isMetered = false },
            { $0.profile = .suite }, { $0.stackLimit = 100 }, { $0.target = "aarch64-unknown-linux-gnu" },
            { $0.prices.call += 1 },
        ] as [(inout CompileSettings) -> Void] {
            var settings = CompileSettings()
            change(&settings)
            #expect(!inputs.serves(settings))
        }
        for change in [
            { $0.formatVersion += 1 }, { $0.abiMajor += 1 }, { $0.abiMinor += 1 },
        ] as [(inout ArtifactInputs) -> Void] {
            var changed = inputs
            change(&changed)
            #expect(!changed.serves(CompileSettings()))
        }
    }

    /// One changed copy per input; a new input must be added here.
    static let changes: [(String, @Sendable (inout ArtifactInputs) -> Void)] = [
        ("smelt-artifact", { $0.formatVersion += 1 }),
        ("abi-major", { $0.abiMajor += 1 }),
        ("abi-minor", { $0.abiMinor += 1 }),
        ("compiler-version", { $0.compilerVersion += "x" }),
        ("compiler-build", { $0.compilerBuild = Digest(of: [99]) }),
        ("llvm-version", { $0.llvmVersion = "19.1.8" }),
        ("llvm-build", { $0.llvmBuild = Digest(of: [7]) }),
        ("linker-version", { $0.linkerVersion = "LLD 19.1.8" }),
        ("linker-build", { $0.linkerBuild = Digest(of: [7]) }),
        ("wasm", { $0.wasm = .blake2b256(codec: Cid.raw, data: [5]) }),
        ("acceptance-profile", { $0.acceptanceProfile = Digest(of: [98]) }),
        ("prices", { $0.prices = Digest(of: [97]) }),
        ("settings", { $0.settings = Digest(of: [96]) }),
        ("target", { $0.target = "aarch64-unknown-linux-gnu" }),
        ("cpu", { $0.cpu = .v3 }),
    ]

    @Test func eachInputChangesTheKey() {
        var keys: Set<ArtifactKey> = [Sample.inputs.key]
        for (_, change) in KeyTests.changes {
            var inputs = Sample.inputs
            change(&inputs)
            keys.insert(inputs.key)
        }
        #expect(keys.count == KeyTests.changes.count + 1)
    }

    @Test func everyInputIsListed() {
        #expect(Sample.inputs.text.fields.map(\.name) == KeyTests.changes.map(\.0))
        #expect(Mirror(reflecting: Sample.inputs).children.count == KeyTests.changes.count)
    }

    @Test func inputsAreReadBackAsWritten() {
        for (_, change) in KeyTests.changes {
            var inputs = Sample.inputs
            change(&inputs)
            #expect(ArtifactInputs(inputs.text) == inputs)
        }
    }

    @Test func eachSettingChangesADigest() {
        let base = CompileSettings()
        var changed: [CompileSettings] = []
        func add(_ change: (inout CompileSettings) -> Void) {
            var settings = base
            change(&settings)
            changed.append(settings)
        }
        add { $0.profile = .suite }
        add { $0.prices.math += 1 }
        add { $0.stackLimit += 1 }
        add { $0.isMetered = false }
        add { $0.bounds = .checks }
        add { $0.tier = .baseline }
        let identity = CompilerIdentity(
            version: "1.0", build: Digest(of: [1]), llvmVersion: "19.1.7", llvmBuild: Digest(of: [8]),
            linkerVersion: "LLD 19.1.7", linkerBuild: Digest(of: [9]))
        let keys = Set(([base] + changed).map { identity.inputs(wasm: Sample.inputs.wasm, settings: $0).key })
        #expect(keys.count == changed.count + 1)
    }

    @Test func pathsOfDebugInformationDoNotChangeTheBuildDigest() throws {
        let base = try #require(CompilerIdentity.buildDigest(ofProgram: Sample.linked))
        var longer = Sample.linked
        // The section headers move when debug information grows.
        let table = try Int(ElfFile(longer).sectionHeaderOffset)
        longer.insert(contentsOf: [UInt8](repeating: 1, count: 64), at: table)
        longer.store(UInt64(table + 64), at: 40)
        #expect(CompilerIdentity.buildDigest(ofProgram: longer) == base)
        var code = Sample.linked
        code[0x1000] ^= 1
        #expect(CompilerIdentity.buildDigest(ofProgram: code) != base)
        #expect(CompilerIdentity.buildDigest(ofProgram: []) == nil)
    }
}

@Suite struct FieldTextTests {
    @Test func valuesWithLineBreaksAndBackslashesSurvive() {
        let text = FieldText(["a": "x\ny\\z\u{7f}\u{0}", "b": "", "a": "2", "c-1": "ÿ—漢"])
        #expect(FieldText.decode(text.encoded) == text)
        #expect(text.encoded.filter { $0 == 10 }.count == 4)
        #expect(text.all("a").count == 2)
    }

    @Test(arguments: [
        "a", "a b", " b\n", "A b\n", "a b\\\n", "a \\x4\n", "a \\x41\n", "a \\x0A\n", "\n", "a\tb\n", "a \u{1}\n",
    ])
    func textThatIsNotCanonicalIsRefused(_ text: String) {
        #expect(FieldText.decode(Array(text.utf8)) == nil)
    }

    @Test func invalidUTF8IsRefused() {
        #expect(FieldText.decode([97, 32, 0xff, 10]) == nil)
    }

    @Test func numbersHaveOneForm() {
        let text = FieldText(["a": "12", "b": "012", "c": "+1", "d": "256", "e": "-1"])
        #expect(text.number("a", as: UInt8.self) == 12)
        for name in ["b", "c", "d", "e", "f"] { #expect(text.number(name, as: UInt8.self) == nil) }
    }
}
