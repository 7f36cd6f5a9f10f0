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
        guard let output else {
            if product == .so {
                place = .nowhere
            } else if single {
                let isBinary = product == .obj || product == .wasm
                if isBinary && Output.dataIsTerminal {
                    throw CommandFailure(.usage, "--emit \(product.rawValue) is binary: name a file with --output")
                }
                place = .standardOutput
            } else {
                throw CommandFailure(.usage, "--emit with more than one module needs --output")
            }
            return
        }
        if single && !output.hasSuffix("/") && !Files.isDirectory(output) {
            place = .file(output)
            return
        }
        // One source fills the directory itself; several bundles get a folder each, lone modules share the top.
        var directories: [String] = []
        for source in sources {
            let path =
                sources.count == 1 || source.bundle == nil ? output : "\(output)/\(CompileSource.stem(source.path))"
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
        for directory in directories { try Files.makeDirectory(directory) }
        place = .directories(directories)
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
            let path = "\(directories[source])/\(name)\(suffix)"
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
            try Files.write(
                Array((JSONValue.object(members).text(.indented) + "\n").utf8), to: "\(directory)/index.json")
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
