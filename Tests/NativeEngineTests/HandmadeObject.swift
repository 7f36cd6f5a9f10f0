import Foundation

/// The artifact that Runtime/tests/object.c is, compiled with the C compiler: no part of the compiler under test.
enum HandmadeObject {
    struct Failure: Error { var text: String }

    /// The object with its import; `answer` returns 42.
    static let first = Result { try compile(["-DANSWER=42"]) }
    /// Another one; `answer` returns 43.
    static let second = Result { try compile(["-DANSWER=43"]) }
    /// One without imports, for calls that link nothing.
    static let alone = Result { try compile(["-DANSWER=44", "-DNO_IMPORTS"]) }

    private static func compile(_ definitions: [String]) throws -> [UInt8] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let object = FileManager.default.temporaryDirectory.appendingPathComponent("smelt-\(UUID().uuidString).so")
        defer { try? FileManager.default.removeItem(at: object) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.currentDirectoryURL = root
        process.arguments =
            [
                "cc", "-std=gnu11", "-O2", "-fPIC", "-ffreestanding", "-fno-builtin", "-fno-stack-protector",
                "-fvisibility=hidden", "-fcf-protection=none", "-shared", "-nostdlib", "-Wl,--build-id=none",
                "-Wl,-z,noexecstack", "-Wl,-z,now", "-Wl,-T,Runtime/tests/object.ld", "-o", object.path,
                "Runtime/tests/object.c",
            ] + definitions
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(text: "cc ended with \(process.terminationStatus)") }
        return Array(try Data(contentsOf: object))
    }
}
