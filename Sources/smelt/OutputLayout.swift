import JSON
import WorkerProtocol

/// Where `smelt compile` writes: nowhere, standard output, one file, or directories with an index.
struct OutputLayout {
    private enum Place {
        case nowhere
        case standardOutput
        case file(String)
        /// A directory for each source, its path.
        case directories([String])
    }
    private let place: Place
    private let suffix: String

    /// - Throws: when the place does not fit what is to be written; nothing has been compiled then.
    init(_ output: String?, sources: [CompileSource], product: Product) throws(CommandFailure) {
        suffix = OutputLayout.suffix(product)
        let single = sources.count == 1 && sources[0].bundle == nil
        if output == nil && product == .so {
            place = .nowhere
            return
        }
        guard let output, output != "-" else {
            guard single else {
                throw CommandFailure(.usage, "more than one module: name a directory with --output")
            }
            let isBinary = product != .asm && product != .ir && product != .plan
            if isBinary && Output.dataIsTerminal {
                throw CommandFailure(.usage, "--emit \(product.rawValue) is binary: name a file with --output")
            }
            place = .standardOutput
            return
        }
        if single && !output.hasSuffix("/") && !Files.isDirectory(output) {
            place = .file(output)
            try check([output], sources)
            return
        }
        // One source fills the directory itself; several bundles get a folder each, lone modules share the top.
        var directories: [String] = []
        for source in sources {
            let path =
                sources.count == 1 || source.bundle == nil
                ? output : OutputLayout.join(output, CompileSource.stem(source.path))
            if source.bundle != nil && directories.contains(path) {
                throw CommandFailure(
                    .usage, "--output: two bundles are both called '\(CompileSource.stem(source.path))'")
            }
            directories.append(path)
        }
        var names: Set<String> = []
        for (source, directory) in zip(sources, directories) {
            for input in source.inputs where !names.insert("\(directory)/\(input.name)").inserted {
                throw CommandFailure(
                    .usage, "--output: two modules would both be written to \(directory)/\(input.name)\(suffix)")
            }
        }
        place = .directories(directories)
        for directory in directories {
            if let obstacle = Files.obstacle(inDirectory: directory) { throw CommandFailure(.failure, obstacle) }
        }
        for (source, directory) in zip(sources, directories) where Files.isDirectory(directory) {
            try check(source.inputs.map { OutputLayout.join(directory, $0.name + suffix) }, sources)
            if product == .so { try check([OutputLayout.join(directory, "index.json")], sources) }
        }
    }

    /// Whether what is written goes to standard output.
    var isStandardOutput: Bool {
        if case .standardOutput = place { return true }
        return false
    }

    /// Before minutes of compiling: that the files can be written, and that none of them is an input.
    private func check(_ paths: [String], _ sources: [CompileSource]) throws(CommandFailure) {
        for path in paths {
            if let obstacle = Files.obstacle(at: path) { throw CommandFailure(.failure, obstacle) }
            if let source = sources.first(where: { $0.path != "-" && Files.isSame($0.path, path) }) {
                throw CommandFailure(.usage, "--output: \(path) is the input \(source.path) and would be overwritten")
            }
        }
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
    }

    /// Writes one product; returns its path when it went to a file.
    func write(_ bytes: [UInt8], source: Int, name: String) throws(CommandFailure) -> String? {
        switch place {
        case .nowhere: return nil
        case .standardOutput:
            try Output.raw(bytes)
            return nil
        case .file(let path):
            try Files.write(bytes, to: path)
            return path
        case .directories(let directories):
            try Files.makeDirectory(directories[source])
            let path = OutputLayout.join(directories[source], name + suffix)
            try Files.write(bytes, to: path)
            return path
        }
    }

    /// Writes `index.json` into each directory, the actors of sources that share one together.
    func writeIndexes(_ indexes: [JSONValue]) throws(CommandFailure) {
        guard case .directories(let directories) = place else { return }
        var written: [String] = []
        for directory in directories where !written.contains(directory) {
            written.append(directory)
            let parts = zip(directories, indexes).filter { $0.0 == directory }.map(\.1)
            var members = parts[0].members ?? []
            if parts.count > 1, let at = members.firstIndex(where: { $0.name == "actors" }) {
                members[at].value = .array(parts.flatMap { $0["actors"]?.array ?? [] })
            }
            try Files.makeDirectory(directory)
            try Files.write(
                Array((JSONValue.object(members).text(.indented) + "\n").utf8),
                to: OutputLayout.join(directory, "index.json"))
        }
    }

    private static func suffix(_ product: Product) -> String {
        switch product {
        case .so: ".so"
        case .obj: ".o"
        case .asm: ".s"
        case .ir: ".ll"
        case .plan: ".plan"
        case .wasm: ".wasm"
        }
    }
}
