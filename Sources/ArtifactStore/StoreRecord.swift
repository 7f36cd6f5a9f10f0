import ArtifactFormat

/// How an object came into the store.
public enum StoreOrigin: String, Sendable, Hashable {
    /// This user's compiler made it.
    case compiled
    /// The user took it in with `import`.
    case imported
}

/// What the store keeps beside an object, and as a whole for a refusal: from what it was made, how and when it came
/// here, and the authentication code over all of that (and over the object's bytes).
///
/// It can be read without the object, for choosing among several; only the authentication code makes it true.
struct StoreRecord {
    let inputs: ArtifactInputs
    let origin: StoreOrigin
    /// Nanoseconds of the system's clock; only the order counts.
    let time: UInt64
    /// The refusal's text; nil for an object.
    let refusal: String?
    /// The authentication code in hexadecimal; empty while it is not made.
    private(set) var code: String

    private static let version = "2"

    init(inputs: ArtifactInputs, origin: StoreOrigin, time: UInt64, refusal: String? = nil) {
        self.inputs = inputs
        self.origin = origin
        self.time = time
        self.refusal = refusal
        code = ""
    }

    /// Reads a record; nil when the bytes are not exactly what `encoded` writes for some record.
    init?(_ bytes: [UInt8]) {
        guard let text = FieldText.decode(bytes), text.first("smelt-record") == StoreRecord.version,
            let inputs = ArtifactInputs(text), let time: UInt64 = text.number("time"),
            let origin = text.first("origin").flatMap(StoreOrigin.init(rawValue:)), let code = text.first("code")
        else { return nil }
        self.init(inputs: inputs, origin: origin, time: time, refusal: text.first("refusal"))
        self.code = code
        guard encoded == bytes else { return nil }
    }

    /// Keeps a code of one kind of record from serving for another.
    static func kind(_ record: StoreRecord) -> String { record.refusal == nil ? "object" : "refusal" }

    /// What the authentication code covers, apart from an object's bytes.
    var signed: [UInt8] { text.encoded }

    private var text: FieldText {
        var text = FieldText(["smelt-record": StoreRecord.version])
        for field in inputs.text.fields { text.append(field.name, field.value) }
        text.append("origin", origin.rawValue)
        text.append("time", time)
        if let refusal { text.append("refusal", refusal) }
        return text
    }

    /// The record with its authentication code.
    func with(code: Digest) -> StoreRecord {
        var record = self
        record.code = code.hex
        return record
    }

    var encoded: [UInt8] {
        var text = text
        text.append("code", code)
        return text.encoded
    }
}
