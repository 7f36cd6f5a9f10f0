import JSON
import Kernel
import Measuring
import Primitives
import Statistics

/// A message and what it took in every round of a report: what `measured.json` keeps of it.
struct MessageSeries: Sendable {
    /// The gas of what has one name: the same in every round.
    struct Work: Sendable, Hashable {
        var name: String
        var count: Int
        /// Milligas.
        var compute: UInt64
        /// Milligas.
        var other: UInt64
    }

    /// One round. Times are nanoseconds of processor time.
    struct Round: Sendable, Equatable {
        /// The whole message.
        var elapsed: Double
        /// What the yardstick took then.
        var yardstick: Double
        /// By charge and by call, in the order of the series'.
        var charges: [Double]
        var calls: [Double]
    }

    /// The vector's key, and the message's place in it.
    var vector: String
    var index: Int
    var file: String
    var networkVersion: UInt32
    /// `actor.Method` of the call the message makes.
    var title: String
    var exitCode: UInt32
    /// Whole gas.
    var gasUsed: UInt64
    var charges: [Work]
    var calls: [Work]
    var rounds: [Round]

    /// A message after its first round.
    init(_ message: MeasuredMessage, vector: String, yardstick: Double) {
        self.vector = vector
        index = message.index
        file = message.file
        networkVersion = message.networkVersion.rawValue
        title = message.timeline.frames.first?.title ?? "(no call)"
        exitCode = message.report.exitCode.rawValue
        gasUsed = message.report.gasUsed
        let (charges, calls) = Self.parts(message)
        self.charges = charges.map(\.work)
        self.calls = calls.map(\.work)
        rounds = [Self.round(message, charges, calls, yardstick)]
    }

    /// Adds a later round.
    /// - Returns: false when it did not do what the first one did, which no deterministic machine does.
    mutating func add(_ message: MeasuredMessage, yardstick: Double) -> Bool {
        let (charges, calls) = Self.parts(message)
        guard
            (index, exitCode, gasUsed) == (message.index, message.report.exitCode.rawValue, message.report.gasUsed),
            charges.map(\.work) == self.charges, calls.map(\.work) == self.calls
        else { return false }
        rounds.append(Self.round(message, charges, calls, yardstick))
        return true
    }

    private typealias Part = (work: Work, time: Double)

    /// Spans are timed by the clock that is quickly read. What they have too much because other programs ran in between
    /// is taken off all of them alike; rounds in which that was much are not among those the parts are taken from.
    private static func round(
        _ message: MeasuredMessage, _ charges: [Part], _ calls: [Part], _ yardstick: Double
    ) -> Round {
        let share = message.elapsed > 0 ? message.processor / message.elapsed : 1
        return Round(
            elapsed: message.processor, yardstick: yardstick, charges: charges.map { $0.time * share },
            calls: calls.map { $0.time * share })
    }

    private static func parts(_ message: MeasuredMessage) -> (charges: [Part], calls: [Part]) {
        func parts(_ key: GasStatistics.Key) -> [Part] {
            var statistics = GasStatistics(by: key)
            statistics.add(message)
            return statistics.rows.sorted { $0.name < $1.name }.map { row in
                (Work(name: row.name, count: row.count, compute: row.compute, other: row.other), row.nanoseconds)
            }
        }
        return (parts(.charge), parts(.method))
    }

    /// The message as if the machine had always been as fast as when its yardstick took `reference`.
    func record(reference: Double) -> MessageRecord {
        let factors = rounds.map { $0.yardstick > 0 ? reference / $0.yardstick : 1 }
        let elapsed = zip(rounds, factors).map { $0.elapsed * $1 }
        // Rounds that were disturbed fall away whole; means, unlike medians, add up.
        let faster = elapsed.indices.sorted { (elapsed[$0], $0) < (elapsed[$1], $1) }.prefix((elapsed.count + 1) / 2)
        func mean(_ time: (Int) -> Double) -> Double { faster.reduce(0) { $0 + time($1) } / Double(faster.count) }
        func parts(_ works: [Work], _ times: KeyPath<Round, [Double]>) -> [MessageRecord.Part] {
            works.enumerated().map { place, work in
                MessageRecord.Part(
                    name: work.name, count: work.count, compute: work.compute, other: work.other,
                    nanoseconds: mean { rounds[$0][keyPath: times][place] * factors[$0] })
            }
        }
        return MessageRecord(
            vector: vector, index: index, file: file, networkVersion: networkVersion, title: title,
            exitCode: exitCode, gasUsed: gasUsed, elapsed: mean { elapsed[$0] }, rounds: elapsed,
            charges: parts(charges, \.charges), calls: parts(calls, \.calls))
    }

    // MARK: JSON

    var json: JSONValue {
        .object([
            "vector": .string(vector), "message": .integer(index), "file": .string(file),
            "network_version": .integer(networkVersion), "method": .string(title), "exit_code": .integer(exitCode),
            "gas_used": .integer(gasUsed), "charges": .array(charges.map(Self.json)),
            "calls": .array(calls.map(Self.json)), "rounds": .array(rounds.map(Self.json)),
        ])
    }

    private static func json(_ work: Work) -> JSONValue {
        .array([.string(work.name), .integer(work.count), .integer(work.compute), .integer(work.other)])
    }

    private static func json(_ round: Round) -> JSONValue {
        func times(_ values: [Double]) -> JSONValue { .array(values.map { .rounded($0, 0) }) }
        return .array([
            .rounded(round.elapsed, 0), .rounded(round.yardstick, 0), times(round.charges), times(round.calls),
        ])
    }

    /// Reads what `json` wrote; nil for anything else.
    init?(_ value: JSONValue) {
        guard let vector = value["vector"]?.string, let index = value["message"]?.integer(Int.self),
            let file = value["file"]?.string, let networkVersion = value["network_version"]?.integer(UInt32.self),
            let title = value["method"]?.string, let exitCode = value["exit_code"]?.integer(UInt32.self),
            let gasUsed = value["gas_used"]?.integer(UInt64.self), let charges = value["charges"]?.array,
            let calls = value["calls"]?.array, let rounds = value["rounds"]?.array, !rounds.isEmpty
        else { return nil }
        self.vector = vector
        self.index = index
        self.file = file
        self.networkVersion = networkVersion
        self.title = title
        self.exitCode = exitCode
        self.gasUsed = gasUsed
        self.charges = charges.compactMap(Self.work)
        self.calls = calls.compactMap(Self.work)
        self.rounds = rounds.compactMap(Self.readRound)
        guard
            (self.charges.count, self.calls.count, self.rounds.count) == (charges.count, calls.count, rounds.count),
            self.rounds.allSatisfy({ ($0.charges.count, $0.calls.count) == (charges.count, calls.count) })
        else { return nil }
    }

    private static func work(_ value: JSONValue) -> Work? {
        guard let cells = value.array, cells.count == 4, let name = cells[0].string,
            let count = cells[1].integer(Int.self), let compute = cells[2].integer(UInt64.self),
            let other = cells[3].integer(UInt64.self)
        else { return nil }
        return Work(name: name, count: count, compute: compute, other: other)
    }

    private static func readRound(_ value: JSONValue) -> Round? {
        guard let cells = value.array, cells.count == 4, let elapsed = cells[0].double,
            let yardstick = cells[1].double, let charges = cells[2].array, let calls = cells[3].array
        else { return nil }
        return Round(
            elapsed: elapsed, yardstick: yardstick, charges: charges.compactMap(\.double),
            calls: calls.compactMap(\.double))
    }
}
