/// What an object says of itself: the inputs it was made from and digests of what it contains.
///
/// It lies as plain lines in the section `.smelt.manifest`, which is not loaded: a loaded segment could not contain
/// its own digest. `readelf -p .smelt.manifest FILE` shows it.
public struct Manifest: Hashable, Sendable {
    /// A loadable segment: where it lies in the file, in bytes, and the digest of those bytes.
    public struct Segment: Hashable, Sendable {
        public var offset: UInt64
        public var size: UInt64
        public var digest: Digest
    }

    public var inputs: ArtifactInputs
    /// In the order of the program headers.
    public var segments: [Segment]
    /// Digest of the whole file with the bytes of the manifest section taken as zero; covers symbols, line tables
    /// and headers, which no segment contains.
    public var file: Digest

    public static let sectionName = ".smelt.manifest"

    public init(inputs: ArtifactInputs, segments: [Segment], file: Digest) {
        self.inputs = inputs
        self.segments = segments
        self.file = file
    }

    /// The lines; the last one is the digest of all before it, so a damaged manifest is known as such.
    public var encoded: [UInt8] {
        var text = inputs.text
        for segment in segments {
            text.append("segment", "\(segment.offset) \(segment.size) \(segment.digest.hex)")
        }
        text.append("file", file.hex)
        text.append("manifest", Digest(of: text.encoded).hex)
        return text.encoded
    }

    /// Reads a manifest; nil when the bytes are not exactly what `encoded` writes for some manifest.
    public static func decode(_ bytes: [UInt8]) -> Manifest? {
        guard let text = FieldText.decode(bytes), let inputs = ArtifactInputs(text),
            let file = text.first("file").flatMap({ Digest(hex: $0) })
        else { return nil }
        var segments: [Segment] = []
        for value in text.all("segment") {
            let parts = value.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, let offset: UInt64 = decimal(parts[0]), let size: UInt64 = decimal(parts[1]),
                let digest = Digest(hex: parts[2])
            else { return nil }
            segments.append(Segment(offset: offset, size: size, digest: digest))
        }
        let manifest = Manifest(inputs: inputs, segments: segments, file: file)
        return manifest.encoded == bytes ? manifest : nil
    }
}
