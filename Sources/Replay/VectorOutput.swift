import Synchronization

/// Where vectors are written, which is never where one was read.
final class VectorOutput: Sendable {
    private enum Place: Sendable {
        case file(String)
        case directory(String)
    }

    private let place: Place
    private let inputs: [Files.Identity: String]
    private let written = Mutex<Set<String>>([])

    /// A place for what becomes of `sources`: `path` itself where one file of one vector was named and no folder is
    /// meant by the path; else a folder that gets a file for each name.
    /// - Throws: when an input would be replaced, before anything has run.
    init(
        _ path: String, option: String, sources: [VectorSource], mayBeFile: Bool
    ) throws(ReplayError) {
        guard path != "-" else { throw .usage("\(option): files cannot be written to standard output") }
        var inputs: [Files.Identity: String] = [:]
        for source in sources {
            guard let file = source.path, let identity = Files.identity(file) else { continue }
            inputs[identity] = file
        }
        self.inputs = inputs
        let isDirectory = (try? Files.kind(of: path)) == .directory
        if mayBeFile && !isDirectory && !path.hasSuffix("/") {
            place = .file(path)
        } else {
            place = .directory(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
            do throws(FileError) { try Files.makeDirectory(path) } catch { throw .local(error.description) }
        }
        for target in sources.compactMap(\.name).map(self.path) {
            if let input = input(at: target) {
                throw .usage("\(option): \(target) is the input \(input) and would be overwritten")
            }
        }
    }

    private func path(of name: String) -> String {
        switch place {
        case .file(let path): path
        case .directory(let directory): "\(directory)/\(name).json"
        }
    }

    private func input(at path: String) -> String? { Files.identity(path).flatMap { inputs[$0] } }

    /// Writes a vector's text under its name.
    func write(_ bytes: [UInt8], name: String) throws {
        guard ReplayRunner.isPathBelow(name) else {
            throw NoResults(reason: "\"\(name)\" cannot be the name of a file")
        }
        guard written.withLock({ $0.insert(name).inserted }) else {
            throw NoResults(reason: "another vector is called \"\(name)\" too")
        }
        let path = path(of: name)
        if let input = input(at: path) { throw NoResults(reason: "\(path) is the input \(input)") }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try Files.makeDirectory(String(path[..<slash]))
        }
        try Files.write(bytes, to: path)
    }
}
