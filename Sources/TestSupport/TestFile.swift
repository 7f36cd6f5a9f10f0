import Glibc

/// The content of the file at `path`, or nil when it cannot be read.
public func fileBytes(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var out: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return ferror(file) == 0 ? out : nil }
        out += chunk[..<count]
    }
}

/// The content of a file of the shared data; nil (said on stderr) when it is not there.
public func sharedBytes(_ path: String) -> [UInt8]? { sharedData(path).flatMap(fileBytes) }

/// The names in the folder at `path` that end in `suffix`, sorted.
public func fileNames(in path: String, suffix: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name.hasSuffix(suffix) { names.append(name) }
    }
    return names.sorted()
}
