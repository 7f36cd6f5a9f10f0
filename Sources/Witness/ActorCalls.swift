import Engine
import NativeEngine
import WasmFormat
import WasmReference

/// Calls of one function on an instance of its own, the same for every engine.
struct ActorCalls {
    private let name: String
    private let globals: Int
    private let isNarrow: [Bool]
    private let seed: UInt64
    private let calls: [(arguments: [UInt64], gas: Int64)]

    /// Milligas a call may have: loops end, and most functions do.
    private static let gas: [Int64] = [2_000_000, 10_000_000, 10_000_000, 40_000_000]

    init(_ actor: WitnessedActor, _ index: Int, _ type: FunctionType, seed: UInt64, count: Int) {
        let module = actor.module.module
        name = WitnessedActor.name(function: index)
        globals = module.globalTypes.count
        isNarrow = module.imports.map { entry in
            guard case .function(let index) = entry.kind else { return false }
            return module.type(index)?.results.first == .i32
        }
        self.seed = seed ^ UInt64(index) << 20
        var random = WitnessRandom(seed: self.seed)
        calls = (0..<count).map { _ in
            (
                type.parameters.map { Self.argument($0, actor, &random) },
                Self.gas[random.below(Self.gas.count)]
            )
        }
    }

    private static func argument(
        _ type: ValueType, _ actor: WitnessedActor, _ random: inout WitnessRandom
    ) -> UInt64 {
        let small: [UInt64] = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1_000, 65_535]
        switch (type, random.below(20)) {
        case (.i32, 0...9):
            // Room for a structure behind it.
            let range = actor.prepared.isEmpty ? 0..<0x1000 : actor.prepared
            return UInt64(range.lowerBound) + UInt64(random.below((range.count - 512) / 8)) * 8
        case (.i32, 10...11): return UInt64(random.address(in: actor.segments))
        case (.i32, 12): return [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE][random.below(4)]
        case (.i32, 13): return random.next() & 0xFFFF_FFFF
        case (.i64, 0...3): return random.next()
        case (.i64, 4...6): return [1 << 63, .max, 1 << 32, 0xFFFF_FFFF, (1 << 63) - 1][random.below(5)]
        case (.f32, 0...9): return UInt64(Float(random.below(2_000) - 1_000).bitPattern)
        case (.f64, 0...9): return Double(random.below(2_000) - 1_000).bitPattern
        default: return small[random.below(small.count)]
        }
    }

    /// What calls show.
    struct Observation: Equatable {
        var outcomes: [Outcome] = []
        var gas: [Int64] = []
        var hostCalls: [UInt64] = []
        var globals: [UInt64?] = []
        var memory: [UInt8] = []

        enum Outcome: Equatable {
            case returned([UInt64])
            case trapped(Int32)
            case failed
        }

        func difference(from other: Observation) -> String? {
            for index in outcomes.indices
            where outcomes[index] != other.outcomes[index] || gas[index] != other.gas[index] {
                return "call \(index): \(outcomes[index]), \(gas[index]) left; expected \(other.outcomes[index]), "
                    + "\(other.gas[index]) left"
            }
            if hostCalls != other.hostCalls { return "calls of imports differ" }
            if globals != other.globals { return "globals \(globals), expected \(other.globals)" }
            return memory == other.memory ? nil : "contents of memory differ"
        }
    }

    func observe(_ module: any ActorModule) throws -> Observation {
        let host = Host(seed: seed, isNarrow: isNarrow)
        let instance = try module.makeInstance(handler: host, limiter: ResourceLimiter(limit: 64 << 20))
        instance.gasCounter = 1 << 40
        var seen = Observation()
        func note(_ outcome: GuestOutcome) {
            switch outcome {
            case .returned(let slots): seen.outcomes.append(.returned(slots))
            case .trapped(let trap, _): seen.outcomes.append(.trapped(trap.rawValue))
            case .endedByHost: seen.outcomes.append(.failed)
            }
            seen.gas.append(instance.gasCounter)
        }
        note(try instance.instantiate())
        for call in calls {
            instance.gasCounter = call.gas
            note(try instance.call(name, call.arguments))
        }
        seen.hostCalls = host.calls
        if let reference = instance as? ReferenceInstance {
            seen.memory = reference.memoryBytes
            seen.globals = (0..<globals).map { reference.exportedGlobal(WitnessedActor.name(global: $0)) }
        } else if let native = instance as? NativeInstance {
            seen.memory = native.memoryBytes
            seen.globals = (0..<globals).map { native.exportedGlobal(Array(WitnessedActor.name(global: $0).utf8)) }
        }
        return seen
    }

    /// Answers by a hash of the call: mostly success, with bytes written where arguments point to.
    private final class Host: ImportHandler {
        private(set) var calls: [UInt64] = []
        private var random: WitnessRandom
        private let isNarrow: [Bool]

        init(seed: UInt64, isNarrow: [Bool]) {
            random = WitnessRandom(seed: seed)
            self.isNarrow = isNarrow
        }

        func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
            calls.append(UInt64(index))
            for position in arguments.indices { calls.append(arguments[position]) }
            calls.append(UInt64(bitPattern: guest.gasCounter))
            guest.gasCounter &-= 10_000
            // The first argument is where most syscalls put what they return.
            if !arguments.isEmpty {
                let count = [0, 4, 8, 16, 20][random.below(5)]
                let bytes = (0..<count).map { _ in
                    random.below(3) > 0 ? UInt8(random.below(4)) : UInt8(truncatingIfNeeded: random.next())
                }
                _ = guest.write(bytes.span, offset: UInt32(truncatingIfNeeded: arguments[0]))
            }
            let answer = random.below(8) > 0 ? 0 : UInt64(random.below(30))
            return .result(isNarrow.indices.contains(index) && isNarrow[index] ? answer & 0xFFFF_FFFF : answer)
        }
    }
}
