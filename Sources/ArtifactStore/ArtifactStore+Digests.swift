import ArtifactFormat

/// What is remembered of the compiler, so that not every start reads all of LLVM, nor starts a worker only to learn
/// which one it is. Forgetting costs time and nothing else.
extension ArtifactStore {
    /// More than any machine has compilers; a file this long is written anew.
    private static var digestLimit: Int { 64 }

    /// What is remembered of digests of the compiler's own files; nothing when there is nothing, or nothing sound.
    public func knownDigests() -> [FileStamp: Digest] {
        read(Note.digests, at: layout.digests) { $0.digests } ?? [:]
    }

    /// Remembers digests of files, beside those already known.
    ///
    /// - Parameter digests: of contents whose stamps were settled when they were read.
    /// - Throws: when the store cannot be written, which costs time at the next start and nothing else.
    public func remember(_ digests: [FileStamp: Digest]) throws(StoreError) {
        var all = knownDigests()
        guard digests.contains(where: { all[$0.key] != $0.value }) else { return }
        if all.count + digests.count > Self.digestLimit { all = [:] }
        all.merge(digests) { _, new in new }
        var text = FieldText()
        text.append(digests: all)
        try write(text, Note.digests, at: layout.digests)
    }

    /// More than one machine has compilers and environments in use; of more the latest are remembered.
    private static var compilerLimit: Int { 8 }

    /// Compilers that introduced themselves to users of this store, the latest first; none when nothing is sound.
    public func knownCompilers() -> [KnownCompiler] {
        read(Note.compilers, at: layout.compilers) { KnownCompiler.list(fields: $0) } ?? []
    }

    /// Remembers a compiler; another one of the same place and environment is forgotten.
    public func remember(_ compiler: KnownCompiler) throws(StoreError) {
        let known = knownCompilers()
        guard !known.contains(compiler) else { return }
        var text = FieldText()
        for one in ([compiler] + known.filter { !$0.isReplaced(by: compiler) }).prefix(Self.compilerLimit) {
            for line in one.fields.fields { text.append(line.name, line.value) }
        }
        try write(text, Note.compilers, at: layout.compilers)
    }

    // MARK: Notes

    /// A kind of text that the store keeps for itself, with its authentication code in the last line.
    private struct Note {
        var name: String
        /// Of its form.
        var version: String

        static let digests = Note(name: "digests", version: "1")
        static let compilers = Note(name: "compilers", version: "1")

        /// The text as it is written, without its code.
        func text(_ lines: FieldText) -> FieldText {
            var text = FieldText(["smelt-\(name)": version])
            for line in lines.fields { text.append(line.name, line.value) }
            return text
        }
    }

    private func read<Content>(_ note: Note, at path: String, _ content: (FieldText) -> Content?) -> Content? {
        do throws(StoreError) {
            guard var text = FieldText.decode(try readOwn(path)), text.first("smelt-\(note.name)") == note.version,
                let code = text.removeLast("code"), let content = content(text)
            else { throw StoreError.damaged(path: path, reason: "the list is malformed") }
            try check(code, note.name, text.encoded, at: path)
            return content
        } catch .file(let error) where error.isMissing {
            return nil
        } catch {
            reject(path, error)
            return nil
        }
    }

    private func write(_ lines: FieldText, _ note: Note, at path: String) throws(StoreError) {
        var text = note.text(lines)
        text.append("code", try authenticate(note.name, text.encoded, makingSecret: true).hex)
        try writeOwn(text.encoded, to: path)
    }
}
