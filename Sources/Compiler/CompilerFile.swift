import ArtifactFormat
import Glibc

/// A program or library whose content makes the bytes of objects.
struct CompilerFile: Sendable {
    /// As it was found.
    let place: PlacedFile
    var path: String { place.path }
    var stamp: FileStamp { place.stamp }

    init(path: String) throws(CompilerError) {
        guard let place = PlacedFile(path: path) else { throw .system(path, errno) }
        self.place = place
    }

    /// Whether the path still leads to the content it led to.
    var isUnchanged: Bool { place.isUnchanged }

    /// Whether it is an ELF file and no script.
    var isELF: Bool {
        get throws(CompilerError) {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .system(path, errno) }
            defer { close(descriptor) }
            var start: [UInt8] = [0, 0, 0, 0]
            return read(descriptor, &start, start.count) == 4 && start == [0x7F, 0x45, 0x4C, 0x46]
        }
    }

    /// Reads it. Whether the digest may be remembered depends on the time since its last change.
    func digest() throws(CompilerError) -> (digest: Digest, isSettled: Bool) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path, errno) }
        defer { close(descriptor) }
        let now = FileStamp.now
        try check(descriptor)
        let size = Int(clamping: stamp.size)
        guard size > 0, let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw .system(path, errno)
        }
        defer { munmap(start, size) }
        // Sound: the mapping has `size` bytes of the file, and lives longer than the span.
        let digest = Digest(of: UnsafeRawBufferPointer(start: start, count: size).bindMemory(to: UInt8.self).span)
        try check(descriptor)
        return (digest, stamp.isSettled(now: now))
    }

    private func check(_ descriptor: Int32) throws(CompilerError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(path, errno) }
        guard FileStamp(status) == stamp else { throw .replaced(path) }
    }

    /// LLVM's library as this process has it loaded.
    static func loadedLLVM() throws(CompilerError) -> CompilerFile {
        func path() -> String? {
            let maps = String(decoding: ProcessFile.contents("/proc/self/maps") ?? [], as: UTF8.self)
            // Range, permissions, offset, device, inode, and the path, which may have spaces.
            let paths = maps.split(separator: "\n").compactMap { line -> String? in
                let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
                return fields.count == 6 ? String(fields[5].drop { $0 == " " }) : nil
            }
            return paths.first { ($0.split(separator: "/").last ?? "").hasPrefix("libLLVM") }
        }
        guard let before = path() else { throw .noIdentity("LLVM's library is not among the loaded ones") }
        let file = try CompilerFile(path: before)
        // Only now is it certain that the path led to what is loaded: of a library that was replaced the kernel
        // says that it is deleted.
        guard path() == before, !before.hasSuffix(" (deleted)") else { throw .replaced(before) }
        return file
    }
}

/// Files of /proc, which have no size before they are read.
enum ProcessFile {
    static func contents(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                guard errno == EINTR else { return nil }
                continue
            }
            bytes += chunk[..<count]
        }
    }
}
