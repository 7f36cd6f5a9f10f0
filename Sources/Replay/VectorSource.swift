/// Where one vector's JSON is, so that it need not be read before its turn.
struct VectorSource: Sendable {
    enum Place: Sendable {
        case file(String)
        /// A line of a file with many vectors.
        case line(String, offset: Int, count: Int)
        case bytes([UInt8])
    }

    var place: Place
    /// For complaints: the path, with the line where a file has many.
    var title: String
    /// The path below the argument, without extension; nil where only `_meta.id` names the vector.
    var name: String?
    /// Where its golden trace may lie beside it.
    var directory: String?

    /// The file it lies in; nil for standard input.
    var path: String? {
        switch place {
        case .file(let path), .line(let path, _, _): path
        case .bytes: nil
        }
    }

    /// Bytes of its JSON; 0 where the file cannot be looked at.
    var size: Int {
        switch place {
        case .file(let path): Files.size(of: path) ?? 0
        case .line(_, _, let count): count
        case .bytes(let bytes): bytes.count
        }
    }

    func read() throws(FileError) -> [UInt8] {
        switch place {
        case .file(let path): try Files.read(path)
        case .line(let path, let offset, let count): try Files.read(path, at: offset, count: count)
        case .bytes(let bytes): bytes
        }
    }

    /// Finds the vectors the user named: a vector, a directory (all `*.json` below it), an `.ndjson` file or `-`.
    static func discover(_ paths: [String]) throws(ReplayError) -> [VectorSource] {
        var sources: [VectorSource] = []
        for path in paths {
            let found: [VectorSource]
            do throws(FileError) { found = try discover(path) } catch { throw .input(error.description) }
            guard !found.isEmpty else { throw .input("\(path): no vectors found") }
            sources += found
        }
        guard !sources.isEmpty else { throw .input("no vectors named") }
        return sources
    }

    /// Whether what the user named is one vector and no folder.
    static func isOne(_ paths: [String], _ sources: [VectorSource]) -> Bool {
        sources.count == 1 && paths.count == 1
            && (paths[0] == "-" || (try? Files.kind(of: paths[0])) != .directory)
    }

    private static func discover(_ path: String) throws(FileError) -> [VectorSource] {
        if path == "-" { return split(try Files.readStandardInput()) }
        switch try Files.kind(of: path) {
        case .directory:
            let directory = path.hasSuffix("/") ? String(path.dropLast()) : path
            return try Files.tree(directory, suffix: ".json").map { file(directory + "/" + $0, name: $0) }
        case .file where path.hasSuffix(".ndjson"):
            var sources: [VectorSource] = []
            try Files.lines(of: path) { offset, count in
                sources.append(
                    VectorSource(
                        place: .line(path, offset: offset, count: count), title: "\(path):\(sources.count + 1)",
                        name: nil, directory: directory(of: path)))
            }
            return sources
        case .file, .other:
            return [file(path, name: path.split(separator: "/").last.map(String.init) ?? path)]
        }
    }

    private static func file(_ path: String, name: String) -> VectorSource {
        let isJSON = name.hasSuffix(".json")
        return VectorSource(
            place: .file(path), title: path, name: isJSON ? String(name.dropLast(".json".count)) : name,
            directory: directory(of: path))
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Standard input: one vector over any number of lines, or one vector per line.
    private static func split(_ bytes: [UInt8]) -> [VectorSource] {
        let lines = bytes.split(separator: UInt8(ascii: "\n")).filter { line in
            line.contains { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
        }
        // A vector per line is an object per line; the first line of a vector laid out over lines is not.
        guard let first = lines.first, lines.count > 1, first.last != UInt8(ascii: "}") else {
            return lines.enumerated().map { index, line in
                VectorSource(place: .bytes(Array(line)), title: "-:\(index + 1)", name: nil, directory: nil)
            }
        }
        return [VectorSource(place: .bytes(bytes), title: "-", name: nil, directory: nil)]
    }
}
