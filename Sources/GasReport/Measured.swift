import JSON
import Measuring
import Statistics

/// What a report has measured so far: kept as a file, so that a run that ended early is taken up.
public struct Measured: Sendable {
    /// The schema of the file.
    public static let schema = "smelt.gas.measured/2"

    /// What all measurements have in common: machine, compiler, prices, arguments. Only equal ones may be put together.
    public let conditions: JSONValue
    /// What may differ between runs that are put together: the day, the clock, the noise.
    public var facts: JSONValue = .null
    /// By vector, in the order in which they came up.
    var series: [MessageSeries] = []
    /// Vectors that were left out: by key, with the reason.
    private(set) var reasons: [(vector: String, reason: String)] = []
    /// Seconds that were spent on rounds.
    public var seconds = 0.0
    /// Whether all rounds are there that were to be measured.
    public var isComplete = false
    /// The operator table as `smelt gas operators` prints it; null until it was measured.
    public var operators: JSONValue = .null
    /// What compiling the actors took, as `smelt gas compile` prints it; null until it was measured.
    public var compile: JSONValue = .null

    public init(conditions: JSONValue) { self.conditions = conditions }

    /// How many messages were measured.
    public var count: Int { series.count }
    /// Rounds that all vectors have.
    public var rounds: Int { series.map(\.rounds.count).min() ?? 0 }
    /// Vectors that were left out, with the reason.
    public var leftOut: [JSONValue] {
        reasons.map { .object(["vector": .string($0.vector), "reason": .string($0.reason)]) }
    }

    /// Whether a vector was left out.
    func isLeftOut(_ vector: String) -> Bool { reasons.contains { $0.vector == vector } }

    /// How many rounds of a vector there are; nil where it was never measured.
    func rounds(of vector: String) -> Int? { series.first { $0.vector == vector }?.rounds.count }

    /// Adds a round of a vector.
    /// - Returns: false when it did not do what the rounds before did.
    mutating func add(_ vector: String, _ messages: [MeasuredMessage], yardstick: Double) -> Bool {
        let places = series.indices.filter { series[$0].vector == vector }
        guard !places.isEmpty else {
            series += messages.map { MessageSeries($0, vector: vector, yardstick: yardstick) }
            return true
        }
        guard places.count == messages.count else { return false }
        return zip(places, messages).allSatisfy { series[$0].add($1, yardstick: yardstick) }
    }

    /// Notes that a vector does not count, and forgets what was measured of it.
    public mutating func leaveOut(_ vector: String, _ reason: String) {
        series.removeAll { $0.vector == vector }
        if !isLeftOut(vector) { reasons.append((vector, reason)) }
    }

    /// Forgets a round that only some vectors have; a first round is kept as far as it is.
    mutating func dropIncompleteRound() {
        let complete = max(1, rounds)
        for index in series.indices where series[index].rounds.count > complete {
            series[index].rounds.removeLast(series[index].rounds.count - complete)
        }
    }

    /// What the yardstick took, by round: the median over the vectors.
    var yardsticks: [Double] {
        (0..<rounds).compactMap { round in try? Sample(series.map { $0.rounds[round].yardstick }).median }
    }

    /// The messages, all as if the yardstick had always taken its median.
    var records: [MessageRecord] {
        let reference = (try? Sample(series.flatMap { $0.rounds.map(\.yardstick) }).median) ?? 0
        // Actors of two network versions are other code under the same names.
        let hasSeveralVersions = Set(series.map(\.networkVersion)).count > 1
        return series.map { series in
            var record = series.record(reference: reference)
            if hasSeveralVersions { record.title += " (nv\(series.networkVersion))" }
            return record
        }
    }

    // MARK: JSON

    public var json: JSONValue {
        .object([
            "schema": .string(Self.schema), "conditions": conditions, "facts": facts,
            "complete": .bool(isComplete), "seconds": .rounded(seconds, 1), "left_out": .array(leftOut),
            "operators": operators, "compile": compile, "messages": .array(series.map(\.json)),
        ])
    }

    /// Reads what `json` wrote.
    /// - Returns: nil when it is no such file.
    public init?(_ json: JSONValue) {
        guard json["schema"]?.string == Self.schema, let conditions = json["conditions"],
            let messages = json["messages"]?.array, let leftOut = json["left_out"]?.array,
            let isComplete = json["complete"]?.bool, let seconds = json["seconds"]?.double,
            let operators = json["operators"]
        else { return nil }
        self.init(conditions: conditions)
        facts = json["facts"] ?? .null
        series = messages.compactMap { MessageSeries($0) }
        reasons = leftOut.compactMap { row in
            guard let vector = row["vector"]?.string, let reason = row["reason"]?.string else { return nil }
            return (vector, reason)
        }
        guard series.count == messages.count, reasons.count == leftOut.count else { return nil }
        self.isComplete = isComplete
        self.seconds = seconds
        self.operators = operators
        compile = json["compile"] ?? .null
    }
}
