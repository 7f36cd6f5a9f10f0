import ArtifactFormat

/// Digests of the compiler's own files, so that not every start reads all of LLVM.
extension ArtifactStore {
    /// More than any machine has compilers; a file this long is written anew.
    private static var digestLimit: Int { 64 }
    private static var digestVersion: String { "1" }

    /// What is remembered; nothing when there is nothing, or nothing sound.
    public func knownDigests() -> [FileStamp: Digest] {
        do throws(StoreError) {
            let bytes = try readOwn(layout.digests)
            guard let text = FieldText.decode(bytes), text.first("smelt-digests") == Self.digestVersion,
                let digests = text.digests, let code = text.first("code"),
                Self.encode(digests, code: code) == bytes
            else { throw StoreError.damaged(path: layout.digests, reason: "the list is malformed") }
            try check(code, "digests", Self.encode(digests, code: nil), at: layout.digests)
            return digests
        } catch .file(let error) where error.isMissing {
            return [:]
        } catch {
            reject(layout.digests, error)
            return [:]
        }
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
        let code = try authenticate("digests", Self.encode(all, code: nil), makingSecret: true)
        try writeOwn(Self.encode(all, code: code.hex), to: layout.digests)
    }

    private static func encode(_ digests: [FileStamp: Digest], code: String?) -> [UInt8] {
        var text = FieldText(["smelt-digests": digestVersion])
        text.append(digests: digests)
        if let code { text.append("code", code) }
        return text.encoded
    }
}
