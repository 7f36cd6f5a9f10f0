import ArtifactFormat

/// Before it introduces itself a worker asks for digests of its files that the host knows already: reading LLVM and
/// the linker takes a tenth of a second at each start, much longer on a cold disk.
public struct FilesQuestion: Sendable, Hashable {
    public var files: [FileStamp]

    public init(files: [FileStamp]) { self.files = files }

    public var frame: Frame {
        var text = FieldText()
        for file in files { text.append("file", file.text) }
        return Frame(.files, text)
    }

    public init(_ frame: Frame) throws(ProtocolError) {
        let files = frame.text.all("file").compactMap { FileStamp(text: $0) }
        guard frame.kind == .files, files.count == frame.text.all("file").count else {
            throw ProtocolError("malformed question about files")
        }
        self.init(files: files)
    }
}

/// The host's answer: those it knows. The worker reads the others.
public struct FilesAnswer: Sendable, Hashable {
    public var digests: [FileStamp: Digest]

    public init(digests: [FileStamp: Digest]) { self.digests = digests }

    public var frame: Frame {
        var text = FieldText()
        text.append(digests: digests)
        return Frame(.files, text)
    }

    public init(_ frame: Frame) throws(ProtocolError) {
        guard frame.kind == .files, let digests = frame.text.digests else {
            throw ProtocolError("malformed answer about files")
        }
        self.init(digests: digests)
    }
}
