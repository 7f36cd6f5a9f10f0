import CodeSettings

/// How much is tried for each function of an actor.
public struct WitnessEffort: Sendable {
    /// Calls with generated inputs, and as many on states of replayed messages where there are any.
    public var inputs: Int
    /// How often functions in which varied inputs still find new blocks get more of these.
    public var rounds: Int
    /// How many functions at most, spread over all; nil is all of them.
    public var functions: Int?

    public init(inputs: Int = 24, rounds: Int = 24, functions: Int? = nil) {
        self.inputs = inputs
        self.rounds = rounds
        self.functions = functions
    }
}

/// What comparing the functions of one actor came to.
public struct ActorLedger: Sendable {
    /// Functions the actor defines.
    public var functions = 0
    /// Those that were called with all inputs, directly by the witness.
    public var witnessed = 0
    /// Those that replayed messages entered.
    public var captured = 0
    /// Metered blocks that can be reached, and those that were charged for.
    public var blocks = 0
    public var reached = 0
    public var calls = 0
    /// Calls that ended without a trap.
    public var returned = 0
    /// The fewest calls a function got.
    public var fewest = 0
    /// What differed, by tier; at most a few are kept.
    public var differences: [Tier: [String]] = [:]
    /// Functions in which something differed.
    public var differing: [Tier: Set<Int>] = [:]

    mutating func note(_ difference: String, _ tier: Tier, in function: Int) {
        differing[tier, default: []].insert(function)
        guard differences[tier, default: []].count < 5 else { return }
        differences[tier, default: []].append("function \(function): \(difference)")
    }
}
