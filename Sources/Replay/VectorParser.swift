import JSON
import Kernel
import Machine
import Primitives

extension Vector {
    /// Bytes a vector's CAR may have when decompressed; the largest known has less than 10 MB.
    static let carLimit = 1 << 28
    /// Base fee and supply of vectors that state none (the reference's test driver).
    public static let defaultBaseFee = TokenAmount(100)
    public static let defaultCirculatingSupply = TokenAmount(2_000_000_000) * TokenAmount(TokenAmount.attoPerFil)

    /// Reads a vector; `file` is only for complaints and, without extension, for its name.
    public init(json: [UInt8], file: String, name: String? = nil) throws(VectorError) {
        guard !json.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw VectorError(file: file, field: "", reason: "not JSON: it begins with a byte order mark (EF BB BF)")
        }
        let root: VectorField
        do throws(JSONError) {
            root = VectorField(try JSON.parse(json), file: file)
        } catch {
            throw VectorError(file: file, field: "", reason: "not JSON: \(error)")
        }
        let kind = try root.member("class")
        guard try kind.string() == "message" else { throw kind.error("is not \"message\"") }

        let meta = try root.optional("_meta")
        let id = try meta?.optional("id")?.string()
        self.name = name ?? id ?? file
        description = try meta?.optional("description")?.string() ?? ""
        unsupported = try Self.unsupportedSelector(try root.optional("selector"))

        let preconditions = try root.member("preconditions")
        preStateRoot = try preconditions.member("state_tree").member("root_cid").link()
        environment = Environment(
            baseFee: try preconditions.optional("basefee")?.amount() ?? Self.defaultBaseFee,
            circulatingSupply: try preconditions.optional("circ_supply")?.amount() ?? Self.defaultCirculatingSupply,
            chainID: try preconditions.optional("chain_id")?.integer() ?? 0,
            timestamp: try preconditions.optional("timestamp")?.integer(),
            actorDebugging: try preconditions.optional("actor_debugging")?.boolean() ?? false)
        variants = try Self.variants(try preconditions.member("variants"))
        let applied = try root.member("apply_messages")
        (messages, unreadableMessage) = try Self.messages(applied)

        let demanded = try root.optional("postconditions")
        let count = try applied.elements().count
        // Of a vector that does not come to its end, the message is what is wrong with it.
        postconditions =
            unreadableMessage == nil
            ? try Self.postconditions(demanded, count: count) : try? Self.postconditions(demanded, count: count)
        randomness = try Self.randomness(try root.optional("randomness"))
        tipsetCids = []
        for element in try root.optional("tipset_cids")?.elements() ?? [] {
            tipsetCids.append(
                TipsetCidAnswer(epoch: try element.member("epoch").integer(), cid: try element.member("cid").link()))
        }
        verifications = .conformance
        if let field = try root.optional("verifications") {
            let text = try field.string()
            guard let known = Verifications(rawValue: text) else {
                throw field.error("\"\(text.prefix(40))\" is neither \"conformance\" nor \"node\"")
            }
            verifications = known
        }

        let field = try root.member("car")
        let compressed = try field.base64()
        do throws(GzipError) {
            car = try Gzip.decompress(compressed, limit: Self.carLimit)
        } catch {
            throw field.error("\(error)")
        }
    }

    /// What no driver of this kind can run.
    private static func unsupportedSelector(_ field: VectorField?) throws(VectorError) -> String? {
        guard let field else { return nil }
        let refused = [
            ("chaos_actor", "true"), ("requires:consensus_fault_extern", "true"),
            ("min_protocol_version", "chocolate"),
        ]
        for (name, value) in refused where try field.optional(name)?.string() == value {
            return "selector \(name) = \(value) is not supported"
        }
        return nil
    }

    private static func variants(_ field: VectorField) throws(VectorError) -> [Variant] {
        var variants: [Variant] = []
        for element in try field.elements() {
            let epoch = try element.member("epoch")
            let variant = Variant(
                id: try element.member("id").string(), epoch: try epoch.integer(),
                networkVersion: NetworkVersion(rawValue: try element.member("nv").integer()))
            guard variant.epoch >= 0 else { throw epoch.error("\(variant.epoch) is negative") }
            variants.append(variant)
        }
        guard !variants.isEmpty else { throw field.error("is empty: nothing to run") }
        return variants
    }

    /// The messages up to the first that does not decode, and why it does not.
    private static func messages(_ field: VectorField) throws(VectorError) -> ([VectorMessage], VectorError?) {
        var messages: [VectorMessage] = []
        for element in try field.elements() {
            let bytes = try element.member("bytes")
            let encoded = try bytes.base64()
            let message: Message
            do throws(MessageError) { message = try Message(cbor: encoded) } catch {
                return (messages, bytes.error("\(error)"))
            }

            var kind = ApplyKind.explicit
            if let field = try element.optional("kind") {
                let text = try field.string()
                guard let known = ApplyKind(rawValue: text) else {
                    throw field.error("\"\(text.prefix(40))\" is neither \"explicit\" nor \"implicit\"")
                }
                kind = known
            }
            // Without a stated length: secp256k1 messages stand on chain with their signature.
            var length = UInt64(encoded.count)
            if message.from.addressProtocol == .secp256k1 { length += Message.signatureOverhead }
            messages.append(
                VectorMessage(
                    message, encoding: encoded, kind: kind,
                    chainLength: try element.optional("chain_length")?.integer() ?? length))
        }
        return (messages, nil)
    }

    /// Without members they state nothing, as if there were none.
    private static func postconditions(_ field: VectorField?, count: Int) throws(VectorError) -> Postconditions? {
        guard let field, field.value != .object([JSONValue.Member]()) else { return nil }
        return Postconditions(
            stateRoot: try field.member("state_tree").member("root_cid").link(),
            receipts: try receipts(try field.member("receipts"), count: count),
            events: try events(try field.optional("events"), count: count),
            gasOutputs: try gasOutputs(try field.optional("apply_rets"), count: count))
    }

    private static func receipts(_ field: VectorField, count: Int) throws(VectorError) -> [ExpectedReceipt] {
        var receipts: [ExpectedReceipt] = []
        for element in try field.elements(count: count) {
            var root = ExpectedReceipt.EventsRoot.unstated
            if let field = try element.stated("events_root") {
                root = .stated(field.isNull ? nil : try field.link())
            }
            receipts.append(
                ExpectedReceipt(
                    exitCode: ExitCode(rawValue: try element.member("exit_code").integer()),
                    returnData: try element.member("return").base64(),
                    gasUsed: try element.member("gas_used").integer(), eventsRoot: root))
        }
        return receipts
    }

    private static func events(_ field: VectorField?, count: Int) throws(VectorError) -> [[ActorEvent]]? {
        guard let field else { return nil }
        var lists: [[ActorEvent]] = []
        for list in try field.elements(count: count) {
            var events: [ActorEvent] = []
            for event in try list.elements() {
                var entries: [ActorEvent.Entry] = []
                for entry in try event.member("entries").elements() {
                    entries.append(
                        ActorEvent.Entry(
                            flags: try entry.member("flags").integer(),
                            key: Array(try entry.member("key").string().utf8),
                            codec: try entry.member("codec").integer(), value: try entry.member("value").base64()))
                }
                events.append(ActorEvent(emitter: try event.member("emitter").integer(), entries: entries))
            }
            lists.append(events)
        }
        return lists
    }

    private static func gasOutputs(_ field: VectorField?, count: Int) throws(VectorError) -> [GasOutputs]? {
        guard let field else { return nil }
        var all: [GasOutputs] = []
        for element in try field.elements(count: count) {
            var outputs = GasOutputs()
            outputs.minerPenalty = try element.member("penalty").amountText()
            outputs.minerTip = try element.member("miner_tip").amountText()
            outputs.baseFeeBurn = try element.member("base_fee_burn").amountText()
            outputs.overEstimationBurn = try element.member("over_estimation_burn").amountText()
            outputs.refund = try element.member("refund").amountText()
            outputs.gasRefund = try element.member("gas_refund").integer()
            outputs.gasBurned = try element.member("gas_burned").integer()
            all.append(outputs)
        }
        return all
    }

    private static func randomness(_ field: VectorField?) throws(VectorError) -> [RandomnessAnswer] {
        guard let field else { return [] }
        var answers: [RandomnessAnswer] = []
        for element in try field.elements() {
            let on = try element.member("on")
            let parts = try on.elements()
            guard parts.count == 2 else { throw on.error("\(parts.count) elements, expected kind and epoch") }
            let kind = try parts[0].string()
            guard let source = RandomnessAnswer.Source(rawValue: kind) else {
                throw parts[0].error("\"\(kind.prefix(40))\" is neither \"chain\" nor \"beacon\"")
            }
            let ret = try element.member("ret")
            let digest = try ret.base64()
            guard digest.count == 32 else { throw ret.error("\(digest.count) bytes, expected 32") }
            answers.append(
                RandomnessAnswer(source: source, epoch: try parts[1].integer(), digest: digest))
        }
        return answers
    }
}
