import Glibc

/// A folder that is removed with everything in it when the value goes away.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() {
        var template = Array("/tmp/smelt-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            // Sound: the template is NUL-terminated and mutable, as mkdtemp asks.
            mkdtemp(buffer.baseAddress!).map { String(cString: $0) } ?? "/nonexistent"
        }
    }

    deinit { _ = shell("chmod -R u+rwx '\(path)'; rm -rf '\(path)'") }
}

/// Runs a shell command; whether it ended with 0.
public func shell(_ command: String) -> Bool {
    guard let pipe = popen(command, "re") else { return false }
    var sink = [UInt8](repeating: 0, count: 4_096)
    while fread(&sink, 1, sink.count, pipe) > 0 {}
    return pclose(pipe) == 0
}

/// Writes a file; whether it could.
public func writeFile(_ bytes: [UInt8], _ path: String) -> Bool {
    guard let file = fopen(path, "wb") else { return false }
    let written = fwrite(bytes, 1, bytes.count, file)
    return fclose(file) == 0 && written == bytes.count
}

/// `Tests/Fixtures/artifact/module.c`, compiled by the system's C compiler and linked as the compiler links actors,
/// without a manifest.
public func linkedFixture(
    variant: Int = 7, linkerFlags: String = "", compilerFlags: String = "", source: String = "module.c"
) -> [UInt8]? {
    let folder = TemporaryFolder()
    let object = folder.path + "/module.o"
    let linked = folder.path + "/module.so"
    let compile =
        "cc -c -O1 -fPIC -ffreestanding -fvisibility=hidden -fcf-protection=none -fno-asynchronous-unwind-tables "
        + "-fno-toplevel-reorder -fno-stack-protector -DVARIANT=\(variant) \(compilerFlags) -I'\(packageRoot)/Runtime/include' "
        + "'\(packageRoot)/Tests/Fixtures/artifact/\(source)' -o '\(object)'"
    let link =
        "ld.lld-19 -shared -Bsymbolic --no-undefined -z now -z relro -z noexecstack -z separate-code "
        + "--hash-style=sysv --build-id=none \(linkerFlags) -o '\(linked)' '\(object)'"
    guard shell(compile + " && " + link) else { return nil }
    return fileBytes(linked)
}
