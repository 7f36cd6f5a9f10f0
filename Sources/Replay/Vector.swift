import Kernel
import Machine
import Primitives

/// A conformance vector: a state, messages, and what the reference made of them (FVM vectors, section 1).
public struct Vector: Sendable {
    /// What the report calls it: the file's name without extension, or `_meta.id`.
    public var name: String
    /// From `_meta.description`; empty when absent.
    public var description: String
    /// Why it cannot be run at all; nil when it can.
    public var unsupported: String?
    /// A CAR of the blocks of both states.
    public var car: [UInt8]
    public var preStateRoot: Cid
    public var postStateRoot: Cid
    public var environment: Environment
    public var variants: [Variant]
    public var messages: [VectorMessage]
    /// One per message.
    public var receipts: [ExpectedReceipt]
    /// One per message, or nil where the file says nothing.
    public var events: [[ActorEvent]]?
    public var gasOutputs: [GasOutputs]?
    public var randomness: [RandomnessAnswer]

    /// What the tipset's chain says, apart from what variants say.
    public struct Environment: Sendable, Equatable {
        /// attoFIL.
        public var baseFee: TokenAmount
        /// attoFIL.
        public var circulatingSupply: TokenAmount
        public var chainID: UInt64
        /// Unix seconds; nil is 30 per epoch.
        public var timestamp: UInt64?
    }

    /// One run of the vector.
    public struct Variant: Sendable, Equatable {
        public var id: String
        public var epoch: Int64
        public var networkVersion: NetworkVersion
    }
}

/// A message as a vector has it.
public struct VectorMessage: Sendable, Equatable {
    public var message: Message
    /// The CID of the message's encoding, without a signature.
    public var cid: Cid
    public var kind: ApplyKind
    /// Bytes charged for inclusion.
    public var chainLength: UInt64
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
}

/// An answer the node gave when the message was executed first.
public struct RandomnessAnswer: Sendable, Equatable {
    public enum Source: String, Sendable { case chain, beacon }

    public var source: Source
    public var epoch: Int64
    /// 32 bytes, before anything is mixed in.
    public var digest: [UInt8]
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
