import JSON
import Statistics
import Synchronization

/// What a report has measured so far: kept as a file, so that a run that ended early is taken up.
public struct Measured: Sendable {
    /// The schema of the file.
    public static let schema = "smelt.gas.measured/1"

    /// What all measurements have in common: machine, compiler, prices, arguments. Only equal ones may be put together.
    public let conditions: JSONValue
    /// What may differ between runs that are put together: the day, the clock, the noise.
    public var facts: JSONValue = .null
    var records: [MessageRecord] = []
    /// Vectors that are done, those left out among them.
    public private(set) var done: Set<String> = []
    /// Vectors that were left out, with the reason.
    public private(set) var leftOut: [JSONValue] = []
    /// Nanoseconds of a fixed piece of work that Smelt's compiler did not make, measured between vectors: how fast the
    /// machine was meanwhile.
    var yardstick: [Double] = []
    /// The operator table as `smelt gas operators` prints it; null until it was measured.
    public var operators: JSONValue = .null
    /// What compiling the actors took, as `smelt gas compile` prints it; null until it was measured.
    public var compile: JSONValue = .null

    public init(conditions: JSONValue) { self.conditions = conditions }

    /// How many messages were measured.
    public var count: Int { records.count }

    /// Adds what came of a vector.
    public mutating func add(_ vector: String, _ messages: [MeasuredMessage]) {
        done.insert(vector)
        records += messages.map(MessageRecord.init)
        for _ in 0..<3 { yardstick.append(Yardstick.measure()) }
    }

    /// Notes that a vector does not count.
    public mutating func leaveOut(_ vector: String, _ reason: String) {
        done.insert(vector)
        leftOut.append(.object(["vector": .string(vector), "reason": .string(reason)]))
    }

    // MARK: JSON

    public var json: JSONValue {
        .object([
            "schema": .string(Self.schema), "conditions": conditions, "facts": facts,
            "done": .array(done.sorted().map { .string($0) }), "left_out": .array(leftOut),
            "yardstick_ns": .array(yardstick.map { .rounded($0, 0) }), "operators": operators,
            "compile": compile,
            "messages": .array(records.map(\.json)),
        ])
    }

    /// Reads what `json` wrote.
    /// - Returns: nil when it is no such file.
    public init?(_ json: JSONValue) {
        guard json["schema"]?.string == Self.schema, let conditions = json["conditions"],
            let done = json["done"]?.array, let messages = json["messages"]?.array,
            let yardstick = json["yardstick_ns"]?.array, let leftOut = json["left_out"]?.array,
            let operators = json["operators"]
        else { return nil }
        self.init(conditions: conditions)
        facts = json["facts"] ?? .null
        records = messages.compactMap { MessageRecord($0) }
        guard records.count == messages.count else { return nil }
        self.done = Set(done.compactMap(\.string))
        self.leftOut = leftOut
        self.yardstick = yardstick.compactMap(\.double)
        self.operators = operators
        compile = json["compile"] ?? .null
    }
}

/// A fixed piece of work: xorshift steps with a multiplication, compiled with this program.
enum Yardstick {
    /// Goes on from one measurement to the next, so that every step is needed: work whose result nobody could see is
    /// left out by the compiler, and the clock alone is measured.
    private static let state = Atomic<UInt64>(0x9E37_79B9_7F4A_7C15)

    /// Nanoseconds it takes now.
    static func measure() -> Double {
        let start = SpanClock.read()
        var state = state.load(ordering: .relaxed)
        for _ in 0..<20_000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            state = state &* 0x2545_F491_4F6C_DD1D | 1
        }
        Self.state.store(state, ordering: .relaxed)
        return Double(SpanClock.read() &- start)
    }
}
