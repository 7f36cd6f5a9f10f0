import ArtifactFormat

/// A compiler by what it was found from: while all of that is as it was, it is the same one.
public struct KnownCompiler: Hashable, Sendable {
    /// The worker program, the libraries and the linker, and the list by which the system finds libraries.
    public var files: [PlacedFile]
    /// What the worker is given of the environment, as `NAME=VALUE`.
    public var environment: [String]
    public var identity: CompilerIdentity

    public init(files: [PlacedFile], environment: [String], identity: CompilerIdentity) {
        self.files = files
        self.environment = environment
        self.identity = identity
    }

    private static let first = "compiler"

    /// Lines that begin with one which is in no other place.
    var fields: FieldText {
        var text = FieldText([Self.first: files.first?.path ?? ""])
        for line in identity.fields.fields { text.append(line.name, line.value) }
        text.append(files: files)
        for variable in environment { text.append("environment", variable) }
        return text
    }

    /// What `fields` of several wrote, one after the other, behind lines of something else; nil for anything malformed.
    static func list(fields: FieldText) -> [KnownCompiler]? {
        var parts: [FieldText] = []
        for line in fields.fields {
            if line.name == Self.first { parts.append(FieldText()) }
            if !parts.isEmpty { parts[parts.count - 1].append(line.name, line.value) }
        }
        let compilers = parts.compactMap { part -> KnownCompiler? in
            guard let identity = CompilerIdentity(fields: part), let files = part.files else { return nil }
            return KnownCompiler(files: files, environment: part.all("environment"), identity: identity)
        }
        return compilers.count == parts.count ? compilers : nil
    }

    /// Whether the other one is what its place and environment lead to now.
    func isReplaced(by other: KnownCompiler) -> Bool {
        files.first?.path == other.files.first?.path && environment == other.environment
    }

    /// Whether a worker at this path, started in this environment, would be this compiler.
    public func isInstalled(at worker: String, environment: [String]) -> Bool {
        files.first?.path == worker && self.environment == environment && files.allSatisfy(\.isUnchanged)
    }
}
