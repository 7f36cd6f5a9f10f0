import Drafts
import IPLD
import JSON
import Kernel
import Machine
import Primitives

// Writing of vectors, in the form `VectorParser` reads and the reference's golden vectors have (FVM vectors,
// section 1).
extension Vector {
    /// The vector as the text of a file: UTF-8, with a newline at its end. Equal vectors give equal bytes.
    ///
    /// What was written is read again: a file that would not give this vector back is never made.
    /// - Throws: the reader's complaint, with the vector's name in place of a file's; or that the vector is one of those
    ///   that cannot be run, whose selectors are not kept.
    public func encoded() throws(VectorError) -> [UInt8] {
        let bytes = Array((try json().text(.indented) + "\n").utf8)
        guard try Vector(json: bytes, file: name, name: name) == self else {
            throw VectorError(file: name, field: "", reason: "it does not survive being written and read")
        }
        return bytes
    }

    /// Writes `encoded()` to a file that is there whole or not at all, in place of one that may be there.
    public func write(to path: String) throws(VectorWriteError) {
        let bytes: [UInt8]
        do throws(VectorError) { bytes = try encoded() } catch { throw .vector(error) }
        do throws(FileError) { try Files.write(bytes, to: path) } catch { throw .file(error) }
    }

    /// A vector's CAR: the state before the messages first among the roots. The order of the blocks is that of their
    /// CIDs, so that equal blocks give equal archives.
    /// - Parameter roots: the pre-state root, then the post-state root where there is one.
    public static func archive(roots: [Cid], blocks: [Cid: [UInt8]]) -> [UInt8] {
        let sorted = blocks.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        return Car(roots: roots, blocks: sorted.map { Car.Block(cid: $0.key, data: $0.value) }).write()
    }

    /// The vector as JSON.
    func json() throws(VectorError) -> JSONValue {
        let compressed: [UInt8]
        do throws(GzipError) { compressed = try Gzip.compress(car) } catch {
            throw VectorError(file: name, field: "car", reason: "\(error)")
        }
        var meta: [JSONValue.Member] = [.init("id", .string(name))]
        if !description.isEmpty { meta.append(.init("description", .string(description))) }
        var members: [JSONValue.Member] = [
            .init("class", .string("message")), .init("_meta", .object(meta)),
            .init("car", .string(Base64.encode(compressed))),
            .init("preconditions", preconditions),
            .init("apply_messages", .array(messages.map(Self.value))),
        ]
        if let postconditions { members.append(.init("postconditions", postconditions.json)) }
        members.append(.init("randomness", .array(randomness.map(Self.value))))
        if !tipsetCids.isEmpty {
            members.append(
                .init(
                    "tipset_cids",
                    .array(
                        tipsetCids.map { .object(["epoch": .integer($0.epoch), "cid": Self.link($0.cid)]) })))
        }
        if verifications != .conformance {
            members.append(.init("verifications", .string(verifications.rawValue)))
        }
        return .object(members)
    }

    private var preconditions: JSONValue {
        var members: [JSONValue.Member] = [
            .init("state_tree", Self.stateTree(preStateRoot)),
            .init(
                "variants",
                .array(
                    variants.map { variant in
                        .object([
                            "id": .string(variant.id), "epoch": .integer(variant.epoch),
                            "nv": .integer(variant.networkVersion.rawValue),
                        ])
                    })),
            .init("basefee", .number(environment.baseFee.decimal)),
            .init("circ_supply", .number(environment.circulatingSupply.decimal)),
            .init("chain_id", .integer(environment.chainID)),
        ]
        if let timestamp = environment.timestamp { members.append(.init("timestamp", .integer(timestamp))) }
        if environment.actorDebugging { members.append(.init("actor_debugging", .bool(true))) }
        return .object(members)
    }

    private static func value(_ message: VectorMessage) -> JSONValue {
        .object([
            "bytes": .string(Base64.encode(message.encoding)), "kind": .string(message.kind.rawValue),
            "chain_length": .integer(message.chainLength),
        ])
    }

    private static func value(_ answer: RandomnessAnswer) -> JSONValue {
        .object([
            "on": .array([.string(answer.source.rawValue), .integer(answer.epoch)]),
            "ret": .string(Base64.encode(answer.digest)),
        ])
    }

    fileprivate static func stateTree(_ root: Cid) -> JSONValue { .object(["root_cid": link(root)]) }

    fileprivate static func link(_ cid: Cid) -> JSONValue { .object(["/": .string(cid.text)]) }
}

extension Vector.Postconditions {
    /// As the member of a vector.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("state_tree", Vector.stateTree(stateRoot)), .init("receipts", .array(receipts.map(Self.value))),
        ]
        if let events {
            members.append(.init("events", .array(events.map { list in .array(list.map(ReceiptReport.value)) })))
        }
        if let gasOutputs { members.append(.init("apply_rets", .array(gasOutputs.map(Self.value)))) }
        return .object(members)
    }

    private static func value(_ receipt: ExpectedReceipt) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("exit_code", .integer(receipt.exitCode.rawValue)),
            .init("return", .string(Base64.encode(receipt.returnData))), .init("gas_used", .integer(receipt.gasUsed)),
        ]
        if case .stated(let root) = receipt.eventsRoot {
            members.append(.init("events_root", root.map(Vector.link) ?? .null))
        }
        return .object(members)
    }

    private static func value(_ gas: GasOutputs) -> JSONValue {
        .object([
            "penalty": .string(gas.minerPenalty.decimal), "miner_tip": .string(gas.minerTip.decimal),
            "base_fee_burn": .string(gas.baseFeeBurn.decimal),
            "over_estimation_burn": .string(gas.overEstimationBurn.decimal), "refund": .string(gas.refund.decimal),
            "gas_refund": .integer(gas.gasRefund), "gas_burned": .integer(gas.gasBurned),
        ])
    }
}

/// Why a vector was not written.
public enum VectorWriteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It cannot be a vector.
    case vector(VectorError)
    /// A failure of this machine.
    case file(FileError)

    public var description: String {
        switch self {
        case .vector(let error): error.description
        case .file(let error): error.description
        }
    }
}
