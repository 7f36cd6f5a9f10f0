import ArtifactFormat

/// One message between the host and a worker: a kind, named values, and bytes.
///
/// On the wire: kind (1 byte), length of the text, length of the bytes (4 bytes each, little-endian), text, bytes.
public struct Frame: Sendable, Hashable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// Worker, once: which compiler it is.
        case hello = 1
        /// Host: compile this.
        case request = 2
        /// Worker: how far it is.
        case progress = 3
        /// Worker: what came of it.
        case reply = 4
        /// Worker: how the process that compiled ended, and what it used.
        case ended = 5
        /// Worker, before its introduction: which files it would have to read; host: digests of those it knows.
        case files = 6
    }

    public var kind: Kind
    public var text: FieldText
    public var payload: [UInt8]

    public init(_ kind: Kind, _ text: FieldText, payload: [UInt8] = []) {
        self.kind = kind
        self.text = text
        self.payload = payload
    }

    static let headerSize = 9
    /// Bytes of a text, and of a payload. A module is at most 1 GiB with everything that is made from it.
    static let textLimit = 16 << 20
    static let payloadLimit = 1 << 30

    public var encoded: [UInt8] {
        let text = text.encoded
        var out: [UInt8] = [kind.rawValue]
        out.reserveCapacity(Frame.headerSize + text.count + payload.count)
        for count in [text.count, payload.count] {
            for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }
        return out + text + payload
    }
}

/// The other side does not speak this protocol, or not any more.
public struct ProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// Takes bytes as they come and gives the frames they make up.
public struct FrameReader: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0

    public init() {}

    /// Whether bytes of an incomplete frame are waiting.
    public var isInsideFrame: Bool { start < buffer.count }

    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next complete frame; nil when more bytes are needed.
    public mutating func next() throws(ProtocolError) -> Frame? {
        guard buffer.count - start >= Frame.headerSize else { return nil }
        guard let kind = Frame.Kind(rawValue: buffer[start]) else {
            throw ProtocolError("message of unknown kind \(buffer[start])")
        }
        func length(at offset: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(buffer[start + offset + $1]) << (8 * $1) }
        }
        let textCount = length(at: 1)
        let payloadCount = length(at: 5)
        guard textCount <= Frame.textLimit, payloadCount <= Frame.payloadLimit else {
            throw ProtocolError("message of \(textCount) and \(payloadCount) bytes is too long")
        }
        let textStart = start + Frame.headerSize
        let end = textStart + textCount + payloadCount
        guard buffer.count >= end else { return nil }
        guard let text = FieldText.decode(buffer[textStart..<textStart + textCount]) else {
            throw ProtocolError("malformed message of kind \(kind)")
        }
        let frame = Frame(kind, text, payload: Array(buffer[(textStart + textCount)..<end]))
        start = end
        return frame
    }
}
