import Foundation
import TestSupport
import Testing
import WasmFormat

/// Signals, pipes, terminals and shells.
@Suite struct TerminalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func bash(_ script: String) throws -> Tool.Run {
        try Tool.run("/bin/bash", ["-c", script, Tool.binary, folder.root])
    }

    /// A module that takes the compiler a while: one function of many additions.
    private func heavyModule() throws -> String {
        var code: [UInt8] = [0x41, 0]
        for index in 0..<40_000 {
            code += [0x41, UInt8(index & 31), 0x28, 2] + WasmBytes.unsigned(4 * (index & 1_023)) + [0x6A]
        }
        let body = WasmBytes.sized([0] + code + [0x0B])
        return try folder.write(
            WasmBytes.module([
                WasmBytes.section(1, WasmBytes.vector([WasmBytes.functionType([], [0x7F])])),
                WasmBytes.section(3, [1, 0]), WasmBytes.section(5, [1, 0, 1]),
                WasmBytes.section(7, [2, 1, 0x66, 0, 0] + WasmBytes.name("memory") + [2, 0]),
                WasmBytes.section(10, [1] + body),
            ]), "heavy.wasm")
    }

    @Test(arguments: [("INT", 130), ("TERM", 143), ("HUP", 129), ("KILL", 137)])
    func aSignalInTheMiddleOfACompilationLeavesNothing(signal: String, status: Int) throws {
        let module = try heavyModule()
        // Job control, so that the shell does not make its children ignore SIGINT.
        let run = try bash(
            """
            set -m; cd "$1"
            children() { cat /proc/$1/task/*/children 2> none | tr ' ' '\\n' | grep .; }
            "$0" compile '\(module)' --store store -o out/heavy.so/ > o 2> e & smelt=$!
            until children $smelt > workers && children "$(head -n 1 workers)" > child; do
                kill -0 $smelt || exit 1
            done
            kill -\(signal) $smelt; wait $smelt; echo "status $?"
            for process in $(cat workers child); do
                until ! [ -d /proc/$process ] || grep -q ') Z' /proc/$process/stat; do :; done
            done
            find store out \\( -name '*.new' -o -name '*.so' \\) 2> none
            """)
        #expect(run.output == "status \(status)\n", "\(run.output)\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
        #expect(try Tool.smelt("store", "verify", "--store", folder.path("store")).status == 0)
    }

    @Test func aReaderThatHasSeenEnoughIsNoError() throws {
        let run = try bash(
            """
            "$0" replay '\(Tool.vectors)' --store "$1/store" -q > "$1/all" || exit 1
            for count in 1 2 3 4 5 6 7 8 9; do cat '\(Tool.vectors)'/counter.json; done | tr -d '\\n' > "$1/line"
            "$0" replay $(for count in $(seq 300); do echo '\(Tool.vectors)/counter.json'; done) --store "$1/store" \
                --format json -q | head -n 1
            echo "${PIPESTATUS[0]}"
            """)
        #expect(run.errors.isEmpty && run.output == "{\n141\n", "\(run.output)\(run.errors)")
    }

    @Test func progressFitsANarrowTerminalAndIsClearedAtTheEnd() throws {
        let module = try heavyModule()
        let run = try bash(
            """
            cd "$1"; script -qec "stty cols 40; '$0' compile '\(module)' --store store" typescript > seen; cat seen
            """)
        #expect(run.status == 0)
        let shown = run.output.components(separatedBy: "\r\u{1B}[K").dropFirst()
        #expect(shown.count > 1, "\(run.output.debugDescription)")
        for line in shown.dropLast() { #expect(line.count < 40, "\(line.debugDescription)") }
        #expect(shown.last?.hasPrefix("compiled heavy bafk") == true, "\(run.output.debugDescription)")
    }

    @Test func bashCompletesCommandsOptionsValuesAndFilesWithSpaces() throws {
        let run = try bash(
            """
            cd "$1"; mkdir dir; touch 'a b.wasm' other.txt; source <("$0" --generate-completion-script bash)
            complete_words() {
                COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _smelt; printf '%s|' "${COMPREPLY[@]}"; echo
            }
            complete_words smelt rep; complete_words smelt store i; complete_words smelt compile --em
            complete_words smelt compile --emit p; complete_words smelt compile --emit = w
            complete_words smelt compile a; complete_words smelt compile --store d
            complete_words smelt compile --cpu x86-64-v3; complete_words smelt compile --jobs ''
            complete -p smelt
            """)
        let expected = [
            "replay|report|", "import|", "--emit|", "plan|", "wasm|", "a b.wasm|", "dir|", "x86-64-v3|", "|",
            "complete -o filenames -F _smelt smelt",
        ]
        #expect(run.lines == expected, "\(run.output)\(run.errors)")
    }

    @Test func theManPageRendersWithoutWarnings() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/groff") else { return print("not run: no groff") }
        let run = try bash(#""$0" --generate-man-page | groff -man -Tascii -ww"#)
        #expect(run.status == 0 && run.errors.isEmpty && run.output.contains("Filecoin actors"), "\(run.errors)")
    }
}
