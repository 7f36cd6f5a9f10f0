import Crypto
import Kernel
import Machine
import Primitives

/// A conformance vector: a state, messages, and what the reference made of them (FVM vectors, section 1).
///
/// Read with `init(json:file:name:)`, written with `encoded()` or `write(to:)`.
public struct Vector: Sendable, Equatable {
    /// What the report calls it: the file's name without extension, or `_meta.id`.
    public var name: String
    /// From `_meta.description`; empty when absent.
    public var description: String
    /// Why it cannot be run at all; nil when it can.
    public var unsupported: String?
    /// A CAR of the blocks of the states; the pre-state root is among its roots.
    public var car: [UInt8]
    public var preStateRoot: Cid
    public var environment: Environment
    public var variants: [Variant]
    public var messages: [VectorMessage]
    /// Why the message behind the last of `messages` is none, with its index and the byte; nil when all were read. The
    /// messages before it can be executed still.
    public var unreadableMessage: VectorError?
    /// What has to come of the messages; nil where the file does not say: such a vector can be run, not passed.
    public var postconditions: Postconditions?
    public var randomness: [RandomnessAnswer]
    /// What the node called tipsets that were asked for (ref-fvm's vectors, `tipset_cids`); other epochs go by the rule of
    /// the reference's driver.
    public var tipsetCids: [TipsetCidAnswer]
    public var verifications: Verifications

    /// Who answers the proof syscalls and books their gas: the recorded vectors were executed by the reference's driver,
    /// messages of a chain by nodes.
    public enum Verifications: String, Sendable, CaseIterable {
        /// Every proof is valid, there is no fault; batches of seals are free.
        case conformance
        /// Every proof is valid, there is no fault; all have their price.
        case node
    }

    /// A vector made here. Its CAR is best made by `Vector.archive`.
    public init(
        name: String, description: String = "", car: [UInt8], preStateRoot: Cid, environment: Environment,
        variants: [Variant], messages: [VectorMessage], randomness: [RandomnessAnswer] = [],
        tipsetCids: [TipsetCidAnswer] = [], verifications: Verifications = .conformance,
        postconditions: Postconditions? = nil
    ) {
        self.name = name
        self.description = description
        self.car = car
        self.preStateRoot = preStateRoot
        self.environment = environment
        self.variants = variants
        self.messages = messages
        self.randomness = randomness
        self.tipsetCids = tipsetCids
        self.verifications = verifications
        self.postconditions = postconditions
    }

    /// What the tipset's chain says, apart from what variants say.
    public struct Environment: Sendable, Equatable {
        /// attoFIL.
        public var baseFee: TokenAmount
        /// attoFIL.
        public var circulatingSupply: TokenAmount
        public var chainID: UInt64
        /// Unix seconds; nil is 30 per epoch.
        public var timestamp: UInt64?
        /// Whether actors are told that debugging is on; no recorded vector says so.
        public var actorDebugging: Bool

        public init(
            baseFee: TokenAmount, circulatingSupply: TokenAmount, chainID: UInt64, timestamp: UInt64? = nil,
            actorDebugging: Bool = false
        ) {
            self.baseFee = baseFee
            self.circulatingSupply = circulatingSupply
            self.chainID = chainID
            self.timestamp = timestamp
            self.actorDebugging = actorDebugging
        }
    }

    /// One run of the vector.
    public struct Variant: Sendable, Equatable {
        public var id: String
        public var epoch: Int64
        public var networkVersion: NetworkVersion

        public init(id: String, epoch: Int64, networkVersion: NetworkVersion) {
            self.id = id
            self.epoch = epoch
            self.networkVersion = networkVersion
        }
    }

    /// What has to come of a vector's messages.
    public struct Postconditions: Sendable, Equatable {
        /// The state after all messages.
        public var stateRoot: Cid
        /// One per message.
        public var receipts: [ExpectedReceipt]
        /// One list per message, or nil where the file says nothing.
        public var events: [[ActorEvent]]?
        /// One per message, or nil where the file says nothing.
        public var gasOutputs: [GasOutputs]?

        public init(
            stateRoot: Cid, receipts: [ExpectedReceipt], events: [[ActorEvent]]? = nil, gasOutputs: [GasOutputs]? = nil
        ) {
            self.stateRoot = stateRoot
            self.receipts = receipts
            self.events = events
            self.gasOutputs = gasOutputs
        }

        /// Everything that came of messages, as demands: one result per message.
        public init(stateRoot: Cid, results: [ApplyResult]) {
            self.init(
                stateRoot: stateRoot, receipts: results.map { ExpectedReceipt($0.receipt) },
                events: results.map(\.events), gasOutputs: results.map(\.gas))
        }
    }
}

/// A message as a vector has it.
public struct VectorMessage: Sendable, Equatable {
    public var message: Message
    /// The message as the vector has it, without a signature.
    public let encoding: [UInt8]
    /// The CID of the encoding. On chain a message with a signature of its own has another one, of both together.
    public let cid: Cid
    public var kind: ApplyKind
    /// Bytes charged for inclusion.
    public var chainLength: UInt64

    /// A message as decoded from `encoding`.
    init(_ message: Message, encoding: [UInt8], kind: ApplyKind, chainLength: UInt64) {
        self.message = message
        self.encoding = encoding
        cid = .blake2b256(codec: Cid.dagCbor, data: encoding)
        self.kind = kind
        self.chainLength = chainLength
    }

    /// A message to be executed.
    /// - Parameter chainLength: bytes charged for inclusion; nil is what the message has on chain: its own encoding
    ///   and, but for id, actor and BLS senders (whose signatures are aggregated), 69 bytes of signature.
    /// - Throws: for an amount that has no encoding.
    public init(_ message: Message, kind: ApplyKind = .explicit, chainLength: UInt64? = nil) throws(MessageError) {
        let encoding = try message.encoded()
        let isSigned = [.secp256k1, .delegated].contains(message.from.addressProtocol)
        let length = UInt64(encoding.count) + (isSigned ? Message.signatureOverhead : 0)
        self.init(message, encoding: encoding, kind: kind, chainLength: chainLength ?? length)
    }
}

/// A receipt as a vector demands it.
public struct ExpectedReceipt: Sendable, Equatable {
    /// The events root, where the file states one.
    public enum EventsRoot: Sendable, Equatable {
        case unstated
        case stated(Cid?)
    }

    public var exitCode: ExitCode
    public var returnData: [UInt8]
    /// Whole gas.
    public var gasUsed: UInt64
    public var eventsRoot: EventsRoot

    public init(exitCode: ExitCode, returnData: [UInt8], gasUsed: UInt64, eventsRoot: EventsRoot = .unstated) {
        self.exitCode = exitCode
        self.returnData = returnData
        self.gasUsed = gasUsed
        self.eventsRoot = eventsRoot
    }

    /// Demands this receipt, whole.
    public init(_ receipt: Receipt) {
        self.init(
            exitCode: receipt.exitCode, returnData: receipt.returnData, gasUsed: receipt.gasUsed,
            eventsRoot: .stated(receipt.eventsRoot))
    }
}

/// An answer the node gave when the message was executed first.
public struct RandomnessAnswer: Sendable, Equatable {
    public enum Source: String, Sendable { case chain, beacon }

    public var source: Source
    public var epoch: Int64
    /// 32 bytes, before anything is mixed in.
    public var digest: [UInt8]

    public init(source: Source, epoch: Int64, digest: [UInt8]) {
        self.source = source
        self.epoch = epoch
        self.digest = digest
    }
}

/// What the node called a tipset when the message was executed first.
public struct TipsetCidAnswer: Sendable, Equatable {
    public var epoch: Int64
    public var cid: Cid

    public init(epoch: Int64, cid: Cid) {
        self.epoch = epoch
        self.cid = cid
    }
}

/// Why a vector cannot be read: which file, which field, what is wrong with it.
public struct VectorError: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    /// Path of the field, like `preconditions.variants[0].nv`; empty for the whole file.
    public var field: String
    public var reason: String

    public init(file: String, field: String, reason: String) {
        self.file = file
        self.field = field
        self.reason = reason
    }

    public var description: String {
        field.isEmpty ? "\(file): \(reason)" : "\(file): \(field): \(reason)"
    }
}
