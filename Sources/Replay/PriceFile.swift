import GasSchedule
import JSON
import Primitives

/// A price list as a file, so that one can edit it: JSON whose members are the fields of `PriceList`, amounts in
/// milligas.
public enum PriceFile {
    /// The file of a list.
    public static func json(_ list: PriceList) -> JSONValue {
        var writer = PriceWriter()
        var list = list
        // Writing changes nothing, so nothing can be refused.
        try? PriceFields.visit(&list, &writer)
        return .object(writer.members)
    }

    /// Reads a file.
    /// - Throws: with the place of a member that is unknown, missing, no whole number or below zero.
    public static func read(_ bytes: [UInt8], file: String) throws(VectorError) -> PriceList {
        let value: JSONValue
        do { value = try JSON.parse(bytes) } catch {
            throw VectorError(file: file, field: "", reason: "not JSON: \(error)")
        }
        let root = VectorField(value, file: file)
        let name = try root.member("id")
        guard let id = PriceListID(rawValue: try name.string()) else {
            let known = PriceListID.allCases.map(\.rawValue).joined(separator: ", ")
            throw name.error("no price list has this name; there are \(known)")
        }
        var list = PriceList.named(id)
        // First: a name that is misspelled is also one that is missing, and the less helpful word.
        try refuseUnknown(root, json(list), name: id.rawValue)
        var reader = PriceReader(root)
        try PriceFields.visit(&list, &reader)
        return list
    }

    /// - Parameter model: has all the members that there are.
    private static func refuseUnknown(
        _ place: VectorField, _ model: JSONValue, name: String
    ) throws(VectorError) {
        if let members = place.value.members, let known = model.members {
            for member in members {
                guard let like = known.first(where: { $0.name == member.name }) else {
                    throw try place.member(member.name).error("price list \(name) has no such field")
                }
                try refuseUnknown(try place.member(member.name), like.value, name: name)
            }
        } else if place.value.array != nil, let like = model.array?.first {
            for element in try place.elements() { try refuseUnknown(element, like, name: name) }
        }
    }

    /// Members that two lists do not have alike, by their place; a member that one lacks is null there.
    public static func changes(_ old: PriceList, _ new: PriceList) -> [(field: String, old: JSONValue, new: JSONValue)]
    {
        let (before, after) = (leaves(json(old), ""), leaves(json(new), ""))
        let names = before.map(\.0) + after.map(\.0).filter { name in !before.contains { $0.0 == name } }
        return names.compactMap { name in
            let first = before.first { $0.0 == name }?.1 ?? .null
            let second = after.first { $0.0 == name }?.1 ?? .null
            return first == second ? nil : (name, first, second)
        }
    }

    private static func leaves(_ value: JSONValue, _ path: String) -> [(String, JSONValue)] {
        if let members = value.members {
            return members.flatMap { leaves($0.value, path.isEmpty ? $0.name : "\(path).\($0.name)") }
        }
        if let elements = value.array {
            return elements.enumerated().flatMap { leaves($1, "\(path)[\($0)]") }
        }
        return [(path, value)]
    }
}

/// Something that goes through the members of a price list, reading or writing each.
private protocol PriceVisitor {
    mutating func amount(_ name: String, _ value: inout UInt64) throws(VectorError)
    mutating func number(_ name: String, _ value: inout Int64) throws(VectorError)
    /// A choice between names.
    mutating func name(_ name: String, _ value: inout String, of known: [String]) throws(VectorError)
    mutating func object(_ name: String, _ body: (inout Self) throws(VectorError) -> Void) throws(VectorError)
    /// - Parameter count: of elements; a reader sets it.
    mutating func array(
        _ name: String, count: inout Int, _ body: (inout Self, Int) throws(VectorError) -> Void
    ) throws(VectorError)
}

/// The one list of a price list's members, for reading and for writing.
private enum PriceFields {
    typealias Amounts<Root> = [(String, WritableKeyPath<Root, UInt64> & Sendable)]

    private static let wasm: Amounts<WasmPrices> = [
        ("instruction", \.instruction), ("math", \.math), ("jumpUnconditional", \.jumpUnconditional),
        ("jumpConditional", \.jumpConditional), ("jumpIndirect", \.jumpIndirect), ("call", \.call),
        ("memoryAccess", \.memoryAccess), ("memoryFillBase", \.memoryFillBase),
        ("memoryCopyPerByte", \.memoryCopyPerByte), ("memoryFillPerByte", \.memoryFillPerByte),
        ("gasCharge", \.gasCharge), ("linearCalculation", \.linearCalculation),
    ]

    private static let amounts: Amounts<PriceList> = [
        ("sendTransferFunds", \.sendTransferFunds), ("sendInvokeMethod", \.sendInvokeMethod),
        ("actorLookup", \.actorLookup), ("actorUpdate", \.actorUpdate),
        ("actorCreateStorage", \.actorCreateStorage), ("addressLookup", \.addressLookup),
        ("addressAssignment", \.addressAssignment), ("secp256k1Recover", \.secp256k1Recover),
        ("blsPairing", \.blsPairing), ("computeUnsealedSectorCid", \.computeUnsealedSectorCid),
        ("verifySeal", \.verifySeal), ("verifyConsensusFault", \.verifyConsensusFault),
        ("verifyReplicaUpdate", \.verifyReplicaUpdate), ("blockPersistCompute", \.blockPersistCompute),
        ("ipldScanPerCid", \.ipldScanPerCid), ("ipldScanPerField", \.ipldScanPerField),
        ("ipldLinkTracked", \.ipldLinkTracked), ("ipldLinkChecked", \.ipldLinkChecked),
        ("builtinActorManifestLookup", \.builtinActorManifestLookup), ("networkContext", \.networkContext),
        ("messageContext", \.messageContext), ("installWasmPerByte", \.installWasmPerByte),
        ("hostCall", \.hostCall),
    ]

    private static let costs: [(String, WritableKeyPath<PriceList, LinearCost> & Sendable)] = [
        ("onChainMessageCompute", \.onChainMessageCompute), ("onChainMessageStorage", \.onChainMessageStorage),
        ("onChainReturnCompute", \.onChainReturnCompute), ("onChainReturnStorage", \.onChainReturnStorage),
        ("secp256k1Signature", \.secp256k1Signature), ("blsSignature", \.blsSignature),
        ("blsHashing", \.blsHashing), ("sha2256", \.sha2256), ("blake2b256", \.blake2b256),
        ("blake2b512", \.blake2b512), ("keccak256", \.keccak256), ("ripemd160", \.ripemd160),
        ("verifyPost", \.verifyPost), ("blockAllocate", \.blockAllocate), ("blockMemcpy", \.blockMemcpy),
        ("blockMemoryRetentionMinimum", \.blockMemoryRetentionMinimum), ("blockOpen", \.blockOpen),
        ("blockPersistStorage", \.blockPersistStorage),
    ]

    static func visit<V: PriceVisitor>(_ list: inout PriceList, _ visitor: inout V) throws(VectorError) {
        var id = list.id.rawValue
        try visitor.name("id", &id, of: PriceListID.allCases.map(\.rawValue))
        try visitor.object("wasm") { (visitor) throws(VectorError) in
            for (name, path) in wasm { try visitor.amount(name, &list.wasm[keyPath: path]) }
        }
        for (name, path) in amounts { try visitor.amount(name, &list[keyPath: path]) }
        for (name, path) in costs { try cost(name, &list[keyPath: path], &visitor) }
        try seals(&list, &visitor)
        try form(&list, &visitor)
        try tipset(&list, &visitor)
        try randomness(&list, &visitor)
        try events(&list, &visitor)
    }

    private static func cost<V: PriceVisitor>(
        _ name: String, _ cost: inout LinearCost, _ visitor: inout V
    ) throws(VectorError) {
        try visitor.object(name) { (visitor) throws(VectorError) in try linear(&cost, &visitor) }
    }

    private static func linear<V: PriceVisitor>(_ cost: inout LinearCost, _ visitor: inout V) throws(VectorError) {
        try visitor.amount("flat", &cost.flat)
        try visitor.amount("scale", &cost.scale)
    }

    private static func seals<V: PriceVisitor>(_ list: inout PriceList, _ visitor: inout V) throws(VectorError) {
        var rows = list.verifyAggregateSeal
        var count = rows.count
        try visitor.array("verifyAggregateSeal", count: &count) { (visitor, index) throws(VectorError) in
            if index == rows.count { rows.append(rows[index - 1]) }
            var proof = rows[index].proof.rawValue
            try visitor.number("proof", &proof)
            rows[index].proof = PricedSealProof(rawValue: proof) ?? rows[index].proof
            try visitor.amount("perSector", &rows[index].perSector)
            var steps = rows[index].steps.steps
            var stepCount = steps.count
            try visitor.array("steps", count: &stepCount) { (visitor, step) throws(VectorError) in
                if step == steps.count { steps.append(StepCost.Step(start: 0, cost: 0)) }
                try visitor.amount("start", &steps[step].start)
                try visitor.amount("cost", &steps[step].cost)
            }
            rows[index].steps.steps = Array(steps.prefix(stepCount))
        }
        list.verifyAggregateSeal = Array(rows.prefix(count))
    }

    private static func form<V: PriceVisitor>(_ list: inout PriceList, _ visitor: inout V) throws(VectorError) {
        var form = list.blockOpenForm == .perByte ? "perByte" : "withLinks"
        try visitor.name("blockOpenForm", &form, of: ["perByte", "withLinks"])
        list.blockOpenForm = form == "perByte" ? .perByte : .withLinks
    }

    // Which form a price has belongs to the list that the file names: its network versions' syscalls ask for it.

    private static func tipset<V: PriceVisitor>(_ list: inout PriceList, _ visitor: inout V) throws(VectorError) {
        switch list.tipsetCid {
        case .byAge(var latest, var historical):
            try visitor.object("tipsetCid") { (visitor) throws(VectorError) in
                try visitor.amount("latest", &latest)
                try visitor.amount("historical", &historical)
            }
            list.tipsetCid = .byAge(latest: latest, historical: historical)
        case .byLookback(var price):
            try cost("tipsetCid", &price, &visitor)
            list.tipsetCid = .byLookback(price)
        }
    }

    private static func randomness<V: PriceVisitor>(_ list: inout PriceList, _ visitor: inout V) throws(VectorError) {
        switch list.randomness {
        case .byEntropy(var seed):
            try visitor.object("randomness") { (visitor) throws(VectorError) in try visitor.amount("seed", &seed) }
            list.randomness = .byEntropy(seed: seed)
        case .byLookback(var price):
            try cost("randomness", &price, &visitor)
            list.randomness = .byLookback(price)
        }
    }

    private static func events<V: PriceVisitor>(_ list: inout PriceList, _ visitor: inout V) throws(VectorError) {
        switch list.events {
        case .encoded(var validation, var element):
            try visitor.object("events") { (visitor) throws(VectorError) in
                try cost("validation", &validation, &visitor)
                try cost("acceptPerIndexElement", &element, &visitor)
            }
            list.events = .encoded(validation: validation, acceptPerIndexElement: element)
        case .entries(var entry, var validation):
            try visitor.object("events") { (visitor) throws(VectorError) in
                try cost("perEntry", &entry, &visitor)
                try cost("utf8Validation", &validation, &visitor)
            }
            list.events = .entries(perEntry: entry, utf8Validation: validation)
        }
    }
}

private struct PriceWriter: PriceVisitor {
    var members: [JSONValue.Member] = []

    mutating func amount(_ name: String, _ value: inout UInt64) { members.append(.init(name, .integer(value))) }
    mutating func number(_ name: String, _ value: inout Int64) { members.append(.init(name, .integer(value))) }
    mutating func name(_ name: String, _ value: inout String, of known: [String]) {
        members.append(.init(name, .string(value)))
    }

    mutating func object(_ name: String, _ body: (inout Self) throws(VectorError) -> Void) throws(VectorError) {
        members.append(.init(name, try inside(body)))
    }

    mutating func array(
        _ name: String, count: inout Int, _ body: (inout Self, Int) throws(VectorError) -> Void
    ) throws(VectorError) {
        var elements: [JSONValue] = []
        for index in 0..<count {
            elements.append(try inside { (writer) throws(VectorError) in try body(&writer, index) })
        }
        members.append(.init(name, .array(elements)))
    }

    private func inside(_ body: (inout Self) throws(VectorError) -> Void) throws(VectorError) -> JSONValue {
        var writer = PriceWriter()
        try body(&writer)
        return .object(writer.members)
    }
}

private struct PriceReader: PriceVisitor {
    private let place: VectorField

    init(_ place: VectorField) { self.place = place }

    mutating func amount(_ name: String, _ value: inout UInt64) throws(VectorError) {
        value = try place.member(name).integer()
    }

    mutating func number(_ name: String, _ value: inout Int64) throws(VectorError) {
        let field = try place.member(name)
        value = try field.integer()
        guard PricedSealProof(rawValue: value) != nil else {
            throw field.error("\(value) is no proof type with a price of its own")
        }
    }

    mutating func name(_ name: String, _ value: inout String, of known: [String]) throws(VectorError) {
        let field = try place.member(name)
        value = try field.string()
        guard known.contains(value) else { throw field.error("one of \(known.joined(separator: ", ")) is expected") }
    }

    mutating func object(_ name: String, _ body: (inout Self) throws(VectorError) -> Void) throws(VectorError) {
        try Self.inside(try place.member(name), body)
    }

    mutating func array(
        _ name: String, count: inout Int, _ body: (inout Self, Int) throws(VectorError) -> Void
    ) throws(VectorError) {
        let field = try place.member(name)
        let elements = try field.elements()
        guard !elements.isEmpty else { throw field.error("at least one element is expected") }
        count = elements.count
        for (index, element) in elements.enumerated() {
            try Self.inside(element) { (reader) throws(VectorError) in try body(&reader, index) }
        }
    }

    private static func inside(
        _ place: VectorField, _ body: (inout Self) throws(VectorError) -> Void
    ) throws(VectorError) {
        var reader = PriceReader(place)
        try body(&reader)
    }
}
