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

    var fields: FieldText {
        var text = identity.fields
        text.append(files: files)
        for variable in environment { text.append("environment", variable) }
        return text
    }

    init?(fields: FieldText) {
        guard let identity = CompilerIdentity(fields: fields), let files = fields.files else { return nil }
        self.init(files: files, environment: fields.all("environment"), identity: identity)
    }

    /// Whether a worker at this path, started in this environment, would be this compiler.
    public func isInstalled(at worker: String, environment: [String]) -> Bool {
        files.first?.path == worker && self.environment == environment && files.allSatisfy(\.isUnchanged)
    }
}
