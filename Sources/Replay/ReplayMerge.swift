import JSON

/// Joins the reports of shards to the one that a single run would have made.
public enum ReplayMerge {
    /// Why reports cannot be joined; names the file.
    public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// - Parameter reports: documents of `smelt replay --shard I/N --format json`, one of each shard, in any order.
    public static func document(_ reports: [(file: String, report: JSONValue)]) throws(Failure) -> JSONValue {
        var shards: [Int: String] = [:]
        var count: Int?
        var total: Int?
        var vectors: [(position: Int, report: JSONValue)] = []
        var summary: [JSONValue.Member] = []
        for (file, report) in reports {
            guard report["schema"]?.string == JSONReport.schema else {
                throw Failure(description: "\(file): schema is not \(JSONReport.schema)")
            }
            guard let text = report["shard"]?["part"]?.string, let shard = Shard(text: text),
                let all = report["shard"]?["vectors"]?.integer(Int.self)
            else {
                throw Failure(description: "\(file): is no report of a shard (smelt replay --shard I/N --format json)")
            }
            guard count ?? shard.count == shard.count else {
                throw Failure(description: "\(file): is part \(shard.text), others are parts of \(count ?? 0)")
            }
            guard total ?? all == all else {
                throw Failure(description: "\(file): is a part of \(all) vectors, others of \(total ?? 0)")
            }
            (count, total) = (shard.count, all)
            if let other = shards.updateValue(file, forKey: shard.index) {
                throw Failure(description: "\(file): is part \(shard.text), as \(other) is")
            }
            guard let members = report["summary"]?.members, let found = report["vectors"]?.array else {
                throw Failure(description: "\(file): has no vectors or no summary")
            }
            for vector in found {
                guard let position = vector["position"]?.integer(Int.self), shard.contains(position) else {
                    throw Failure(description: "\(file): has a vector that belongs to no or another part")
                }
                vectors.append((position, without("position", vector)))
            }
            summary = summary.isEmpty ? members : try sum(summary, members, file)
        }
        guard let count else { throw Failure(description: "no reports") }
        let missing = (1...count).filter { shards[$0] == nil }
        guard missing.isEmpty else {
            throw Failure(description: "parts are missing: \(missing.map { "\($0)/\(count)" }.joined(separator: ", "))")
        }
        // Variants of one vector stand one behind the other in its shard's report already.
        let ordered = vectors.enumerated().sorted {
            ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
        }
        return .object([
            "schema": .string(JSONReport.schema), "vectors": .array(ordered.map(\.element.report)),
            "summary": .object(summary),
        ])
    }

    private static func without(_ name: String, _ value: JSONValue) -> JSONValue {
        .object((value.members ?? []).filter { $0.name != name })
    }

    /// Counts are added; lists of answered verifications by syscall.
    private static func sum(
        _ left: [JSONValue.Member], _ right: [JSONValue.Member], _ file: String
    ) throws(Failure) -> [JSONValue.Member] {
        guard left.map(\.name) == right.map(\.name) else {
            throw Failure(description: "\(file): its summary has other members than the others'")
        }
        return zip(left, right).map { one, other in
            if let a = one.value.integer(UInt64.self), let b = other.value.integer(UInt64.self) {
                return .init(one.name, .integer(a + b))
            }
            if one.name == "answered_verifications" { return .init(one.name, answered(one.value, other.value)) }
            if one.name == "code" { return .init(one.name, one.value.isNull ? other.value : one.value) }
            return one
        }
    }

    private static func answered(_ left: JSONValue, _ right: JSONValue) -> JSONValue {
        var rows = left.array ?? []
        for row in right.array ?? [] {
            guard let index = rows.firstIndex(where: { $0["syscall"]?.string == row["syscall"]?.string }) else {
                rows.append(row)
                continue
            }
            let count = (rows[index]["count"]?.integer(UInt64.self) ?? 0) + (row["count"]?.integer(UInt64.self) ?? 0)
            rows[index] = .object(
                (row.members ?? []).map { $0.name == "count" ? .init("count", .integer(count)) : $0 })
        }
        let order = AnsweredVerifications.Kind.allCases.map { "crypto::\($0.rawValue)" }
        return .array(
            rows.sorted { one, other in
                let places = [one, other].map { order.firstIndex(of: $0["syscall"]?.string ?? "") ?? order.count }
                return places[0] < places[1]
            })
    }
}
