import Foundation
import Testing

/// Where output goes: full devices, things that are no files, descriptors that are missing.
@Suite struct OutputTests {
    private let folder: TemporaryFolder
    private let store: String
    private let module = Tool.samples + "/counter.wasm"

    init() throws {
        folder = try TemporaryFolder()
        store = folder.path("store")
    }

    @Test(arguments: [
        "compile \"$1\" --store \"$2\"", "compile \"$1\" --emit ir", "compile \"$1\" --emit wasm", "inspect \"$1\"",
        "version", "--help", "--generate-man-page", "run \"$4\" gcd 4 6 --store \"$2\"",
        "replay \"$3\" --store \"$2\"", "replay \"$3\" --store \"$2\" --format json",
        "replay \"$3\" --store \"$2\" --format ndjson",
    ])
    func aFullDeviceAsStandardOutputIsAnError(command: String) throws {
        let run = try Tool.shell(
            "exec \"$0\" \(command) >/dev/full", module, store, Tool.vectors, Tool.samples + "/arithmetic.wasm")
        #expect(run.status == 1)
        #expect(run.errors.contains("standard output: No space left on device"), "\(run.errors)")
    }

    /// Through a symbolic link, so that only the link is lost should the device be replaced instead of written to.
    @Test func aDeviceIsWrittenToAndNotReplaced() throws {
        for (device, status) in [("/dev/full", 1), ("/dev/null", 0)] as [(String, Int32)] {
            let link = folder.path("link")
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: device)
            let run = try Tool.smelt("compile", module, "-o", link, "--store", store)
            #expect(run.status == status, "\(run.errors)")
            #expect(status == 0 || run.errors.contains("link: No space left on device"), "\(run.errors)")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == device)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root).sorted() == ["link", "store"])
    }

    @Test func aPipeIsWrittenToAndNotReplaced() throws {
        let run = try Tool.shell(
            """
            mkfifo "$3" && { cat "$3" >"$4" & } && "$0" compile "$1" --store "$2" -o "$3" && wait && test -p "$3" \
                && "$0" compile "$1" --store "$2" -o "$5" && cmp "$4" "$5"
            """, module, store, folder.path("pipe"), folder.path("through"), folder.path("direct"))
        #expect(run.status == 0, "\(run.output)\(run.errors)")
    }

    /// A descriptor that is closed must not become a file of the store that then receives what is printed.
    @Test(arguments: [("<&-", 0), (">&-", 1), ("2>&-", 0), ("<&- 2>&-", 0), ("<&- >&- 2>&-", 1)] as [(String, Int32)])
    func closedStandardDescriptorsDoNotReachFiles(closing: String, status: Int32) throws {
        let run = try Tool.shell(
            "exec \"$0\" compile \"$1\" --store \"$2\" \(closing)", module, store)
        #expect(run.status == status, "\(run.errors)")
        let check = try Tool.smelt("store", "verify", "--store", store)
        #expect(check.status == 0 && check.output == "2 checked, 0 damaged\n", "\(check.output)\(check.errors)")
        // The program before the object is the same in both.
        let known = try Tool.smelt("compile", module, "--store", store)
        #expect(known.output.hasPrefix("known counter"))
    }

    /// The worker's pipes get whatever numbers are free.
    @Test func aWorkerStartsWhateverDescriptorsTheProgramInherits() throws {
        for count in [3, 10] + Array(50...66) {
            let script = "for ((at = 3; at < $1; at++)); do eval \"exec $at</dev/null\"; done; exec \"$0\" version"
            let run = try Tool.shell(script, String(count))
            #expect(run.status == 0 && run.output.contains("19."), "\(count): \(run.output)\(run.errors)")
        }
    }
}
