import CLinux
import Glibc
import LLVMKit

/// Debian's lld, the one linker: its version goes into every object.
public struct Linker: Sendable {
    /// The program.
    public let path: String
    /// What it says of itself.
    public let version: String
    /// The program and the libraries of LLVM and lld that it loads.
    let files: [CompilerFile]

    /// LLVM's major version: the linker is the one of the same release.
    static let major = llvmVersion.prefix { $0 != "." }
    /// Its name in Debian.
    static let name = "ld.lld-\(major)"
    private static let places = ["/usr/bin/\(name)", "/usr/lib/llvm-\(major)/bin/ld.lld", "/usr/local/bin/\(name)"]

    /// Finds the linker in `PATH` or where Debian puts it.
    public static func find() throws(CompilerError) -> Linker {
        let folders = getenv("PATH").map { String(cString: $0) } ?? ""
        let inPath = folders.split(separator: ":").map { "\($0)/\(name)" }
        guard let path = (inPath + places).first(where: { access($0, X_OK) == 0 }) else { throw .noLinker }
        let output = try Subprocess.run([path, "--version"], operation: "ask the linker for its version")
        let version = String(decoding: output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard version.contains("LLD \(major).") else { throw .wrongLinker(path: path, version: version) }
        return Linker(path: path, version: version, files: try files(path))
    }

    private static func files(_ path: String) throws(CompilerError) -> [CompilerFile] {
        let program = try CompilerFile(path: path)
        guard try program.isELF else { throw .wrongLinker(path: path, version: "no program of this machine") }
        // The dynamic loader lists what it would load, and where from, instead of starting the program. One without
        // libraries does start, and prints its version.
        let listing = try Subprocess.run(
            [path, "--version"], environment: ["LD_TRACE_LOADED_OBJECTS=1"],
            operation: "ask for the linker's libraries")
        var files = [program]
        for line in String(decoding: listing, as: UTF8.self).split(separator: "\n") {
            // `libLLVM.so.19.1 => /lib/x86_64-linux-gnu/libLLVM.so.19.1 (0x00007f4a40000000)`
            let name = line.drop { $0 == "\t" || $0 == " " }
            guard name.hasPrefix("libLLVM") || name.hasPrefix("liblld"), let arrow = name.firstRange(of: " => "),
                let end = name.firstRange(of: " (0x")
            else { continue }
            files.append(try CompilerFile(path: String(name[arrow.upperBound..<end.lowerBound])))
        }
        return files
    }

    /// Everything about the result is said here; nothing depends on paths, user, time or number of processors.
    private static let options = [
        "-shared", "-m", "elf_x86_64",
        "-Bsymbolic", "--no-undefined",  // complete in itself
        "-z", "now", "-z", "relro", "-z", "noexecstack", "-z", "separate-code", "-z", "max-page-size=4096",
        "--hash-style=sysv",  // its chains tell the number of symbols, which `ElfPolicy` needs
        "--build-id=none", "--threads=1", "--no-color-diagnostics",
    ]

    /// Links one relocatable object into a shared object.
    public func link(_ object: [UInt8]) throws(CompilerError) -> [UInt8] { try link([object]) }

    /// Links relocatable objects, in this order, into a shared object.
    public func link(_ objects: [[UInt8]]) throws(CompilerError) -> [UInt8] {
        // Descriptors from 3 on are the objects: no files, and no paths that could end up in the result.
        let paths = objects.indices.map { "/proc/self/fd/\(Subprocess.firstInput + Int32($0))" }
        let linked = try Subprocess.run(
            [path] + Linker.options + ["-o", "-"] + paths, inputs: objects, operation: "link")
        // What was run just now is what the identity names, unless a package was installed meanwhile.
        for file in files where !file.isUnchanged { throw .replaced(file.path) }
        return linked
    }
}

/// Runs a program with bytes on descriptors and gives what it writes.
enum Subprocess {
    /// The descriptor of the first input; the others follow.
    static let firstInput: Int32 = 3
    /// Of the files in this process, above all that the program's own are put at.
    private static let lowestOwn: Int32 = 64

    /// - Parameter environment: all of it; nothing of this process's may matter.
    static func run(
        _ arguments: [String], environment variables: [String] = [], inputs: [[UInt8]] = [], operation: String
    ) throws(CompilerError) -> [UInt8] {
        precondition(firstInput + Int32(inputs.count) <= lowestOwn)
        let output = try Subprocess.memoryFile(operation)
        let messages = try Subprocess.memoryFile(operation)
        var sources: [Int32] = []
        defer { for descriptor in [output, messages] + sources { close(descriptor) } }
        for input in inputs {
            sources.append(try Subprocess.memoryFile(operation))
            try write(input, to: sources[sources.count - 1], operation)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, messages, 2)
        for (number, source) in sources.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, firstInput + Int32(number))
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, firstInput + Int32(sources.count))
        var words = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for word in environment { free(word) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, arguments[0], &actions, nil, &words, &environment)
        guard code == 0 else { throw .system(operation, code) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw .system(operation, errno) }
        }
        guard status == 0 else {
            let text = String(decoding: try contents(of: messages, operation).prefix(2_000), as: UTF8.self)
            throw .linkFailed(status: status, messages: text)
        }
        return try contents(of: output, operation)
    }

    /// An anonymous file in memory, above the descriptors that the program's own are put at.
    private static func memoryFile(_ operation: String) throws(CompilerError) -> Int32 {
        let closeOnExec: UInt32 = 1
        let descriptor = memfd_create("smelt", closeOnExec)
        guard descriptor >= 0 else { throw .system(operation, errno) }
        guard descriptor < lowestOwn else { return descriptor }
        defer { close(descriptor) }
        let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, lowestOwn)
        guard moved >= 0 else { throw .system(operation, errno) }
        return moved
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ operation: String) throws(CompilerError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                // Sound: the range from `done` to the count lies inside the array, which is not empty.
                Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
            }
            if count > 0 { done += count } else if errno != EINTR { throw .system(operation, errno) }
        }
    }

    private static func contents(of descriptor: Int32, _ operation: String) throws(CompilerError) -> [UInt8] {
        let size = lseek(descriptor, 0, SEEK_END)
        guard size >= 0 else { throw .system(operation, errno) }
        var bytes = [UInt8](repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = bytes.withUnsafeMutableBytes { buffer in
                // Sound: the range from `done` to `size` lies inside the array, which is not empty.
                pread(descriptor, buffer.baseAddress! + done, size - done, off_t(done))
            }
            if count > 0 { done += count } else if count == 0 || errno != EINTR { throw .system(operation, errno) }
        }
        return bytes
    }
}
