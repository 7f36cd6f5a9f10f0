import Captures
import CodeSettings
import WasmFormat
import WasmReference

/// Calls the functions of an actor, first with what is at hand, then with what is nearly that: inputs that reached
/// blocks which no other had are kept and varied further. Equal seeds give equal searches, whatever the machine.
struct ActorSearch {
    /// A function and what it is called with.
    private struct Subject {
        let index: Int
        let type: FunctionType
        var random: WitnessRandom
        /// Constants in its code, which it may compare with.
        let constants: [UInt64]
        /// What variations begin with; those that reached something new come last.
        var inputs: [ActorInput] = []
        /// How many of them reached something new.
        var kept = 0
        /// Rounds since the last that did.
        var dry = 0
        var calls = 0
        /// Milligas its calls took.
        var gas: Int64 = 0
    }

    private let engines: ActorEngines
    private let coverage: ChargeCoverage
    private let effort: WitnessEffort
    private let captured: CapturedInputs
    private let variation = InputVariation()
    private let pool = MemoryPool()
    private var instances: [UInt64: ActorInstances] = [:]
    private var generated: GeneratedInputs
    private var ledger = ActorLedger()
    private var subjects: [Subject] = []
    /// The input that was kept last, with what it showed.
    private var latest: ActorInput
    /// Blocks of each function of the index space that none has reached yet.
    private var open: [Int]

    /// Rounds without anything new after which a function is left alone.
    private static let patience = 5
    /// Variations one on another without anything new.
    private static let mostDepth = 4
    /// A function gets more variations in a round, and more rounds, for this many blocks that none has reached.
    private static let blocksOfAShare = 8
    private static let mostShares = 12
    /// Instances of different sizes that are kept.
    private static let mostInstances = 12
    /// Inputs of a function that are kept.
    private static let mostInputs = 400
    /// Milligas of a function's calls after which it gets no more variations.
    private static let mostGas: Int64 = 250_000_000_000

    init(
        _ engines: ActorEngines, _ coverage: ChargeCoverage, _ calls: [CapturedCall], _ effort: WitnessEffort,
        seed: UInt64
    ) throws {
        self.engines = engines
        self.coverage = coverage
        self.effort = effort
        open = coverage.totals
        let module = engines.actor.module.module
        captured = CapturedInputs(calls, module)
        let first = try ActorInstances(engines, memory: nil)
        instances[first.memorySize] = first
        let state = first.state(pool)
        generated = GeneratedInputs(engines.actor, memory: state.memory, globals: state.globals)
        latest = ActorInput(
            memory: state.memory, globals: state.globals, arguments: [], gas: 0, seed: seed, origin: "begin")
        ledger.functions = module.bodies.count
        ledger.captured = captured.functionCount
        for (tier, difference) in first.differences { ledger.note(difference, tier, in: -1) }
        let count = min(effort.functions ?? ledger.functions, ledger.functions)
        for place in 0..<count {
            let index = module.importedFunctionCount + place * ledger.functions / count
            guard let type = module.functionType(UInt32(index)) else { continue }
            subjects.append(
                Subject(
                    index: index, type: type, random: WitnessRandom(seed: seed ^ UInt64(index) << 20),
                    constants: InputVariation.constants(module.bodies[index - module.importedFunctionCount])))
        }
    }

    mutating func run() throws -> ActorLedger {
        for place in subjects.indices { try begin(place) }
        for _ in 0..<effort.rounds {
            for place in subjects.indices where subjects[place].dry < Self.patience { try varyFurther(place) }
        }
        ledger.witnessed = subjects.count
        ledger.fewest = subjects.map(\.calls).min() ?? 0
        ledger.blocks = coverage.total
        ledger.reached = coverage.count
        return ledger
    }

    /// Calls with everything that is at hand for a function.
    private mutating func begin(_ place: Int) throws {
        var subject = subjects[place]
        for _ in 0..<effort.inputs {
            let input = generated.next(subject.type, &subject.random)
            if try call(&subject, input) { subject.inputs.append(latest) }
        }
        var states = captured.own(subject.index)
        if states.isEmpty {
            states = captured.others(subject.index, subject.type, effort.inputs, &subject.random)
        }
        var fresh: [ActorInput] = []
        for input in states {
            if try call(&subject, input, isKept: true, exact: true) {
                fresh.append(latest)
            } else {
                subject.inputs.append(latest)
            }
        }
        subject.kept = fresh.count
        subject.inputs += fresh
        compareAll(for: subject.index)
        subjects[place] = subject
    }

    private mutating func varyFurther(_ place: Int) throws {
        var subject = subjects[place]
        guard !subject.inputs.isEmpty, subject.gas < Self.mostGas else {
            subjects[place].dry = Self.patience
            return
        }
        let shares = min(Self.mostShares, 1 + open[subject.index] / Self.blocksOfAShare)
        subject.dry += 1
        var depth = 0
        for _ in 0..<effort.inputs * shares {
            // What a variation that reached nothing new compared may lead further.
            if depth > 0, depth < Self.mostDepth, subject.random.below(3) > 0 {
                let next = variation.vary(
                    latest, subject.type, subject.constants, peers: subject.inputs, &subject.random)
                depth = try advance(&subject, next) ? 0 : depth + 1
                continue
            }
            // Those that reached something new are more promising.
            let promising = subject.kept > 0 && subject.random.below(3) > 0
            let start = promising ? subject.inputs.count - subject.kept : 0
            let chosen = subject.inputs[start + subject.random.below(subject.inputs.count - start)]
            let input = variation.vary(
                chosen, subject.type, subject.constants, peers: subject.inputs, &subject.random)
            depth = try advance(&subject, input) ? 0 : 1
        }
        // Nothing of its own is left to find, or not for this long.
        if open[subject.index] == 0 { subject.dry = Self.patience }
        compareAll(for: subject.index)
        subjects[place] = subject
    }

    /// Calls with a variation and keeps it if it reached a block that none had reached before.
    private mutating func advance(_ subject: inout Subject, _ input: ActorInput) throws -> Bool {
        guard try call(&subject, input, isKept: true) else { return false }
        subject.dry = 0
        if subject.inputs.count < Self.mostInputs {
            subject.inputs.append(latest)
            subject.kept += 1
        }
        return true
    }

    /// Calls the function in all engines.
    ///
    /// - Returns: whether a block was reached that none had reached before.
    private mutating func call(
        _ subject: inout Subject, _ input: ActorInput, isKept: Bool = false, exact: Bool = false
    ) throws -> Bool {
        let before = coverage.count
        let instances = try self.instances(input.memory.byteCount, exact: exact, for: subject.index)
        let size = instances.currentSize
        let (expected, differences) = instances.run(subject.index, input)
        subject.calls += 1
        subject.gas += input.gas &- expected.gas
        ledger.calls += 1
        if case .returned = expected.outcome { ledger.returned += 1 }
        for (tier, difference) in differences {
            ledger.note("\(difference); memory of \(size) bytes, \(input)", tier, in: subject.index)
        }
        if !instances.isUsable { drop(input.memory.byteCount, for: subject.index) }
        let isFresh = coverage.count > before
        if isFresh { for first in coverage.firsts[before...] { open[first.function] -= 1 } }
        if isFresh || isKept { latest = instances.observed(input, expected) }
        return isFresh
    }

    /// - Parameters:
    ///   - exact: whether memory must not be larger than that.
    ///   - function: on whose account differences are.
    private mutating func instances(_ bytes: UInt64, exact: Bool, for function: Int) throws -> ActorInstances {
        if let known = instances[bytes], known.isExact || !exact { return known }
        drop(bytes, for: function)
        if instances.count >= Self.mostInstances {
            for bytes in instances.keys { drop(bytes, for: function) }
        }
        let made = try ActorInstances(engines, memory: bytes)
        for (tier, difference) in made.differences { ledger.note(difference, tier, in: function) }
        instances[bytes] = made
        return made
    }

    /// Compares instances once more as a whole and forgets them.
    private mutating func drop(_ bytes: UInt64, for function: Int) {
        guard let instances = instances.removeValue(forKey: bytes) else { return }
        compareAll(instances, for: function)
    }

    /// Pages that the interpreter did not write are compared here.
    private mutating func compareAll(for function: Int) {
        for (bytes, instances) in instances {
            compareAll(instances, for: function)
            if !instances.isUsable { self.instances[bytes] = nil }
        }
    }

    private mutating func compareAll(_ instances: ActorInstances, for function: Int) {
        for (tier, difference) in instances.compareAll() { ledger.note(difference, tier, in: function) }
    }
}
