import Captures
import WasmFormat

/// Calls of functions on the actor's initial memory, with what was prepared in it: they come from a seed alone.
struct GeneratedInputs {
    private let actor: WitnessedActor
    private let memory: CapturedMemory
    private let globals: [UInt64]

    /// Milligas a call may have: loops end, and most functions do.
    private static let gas: [Int64] = [2_000_000, 10_000_000, 10_000_000, 40_000_000]

    init(_ actor: WitnessedActor, memory: CapturedMemory, globals: [UInt64]) {
        self.actor = actor
        self.memory = memory
        self.globals = globals
    }

    func next(_ type: FunctionType, _ random: inout WitnessRandom) -> ActorInput {
        let arguments = type.parameters.map { Self.argument($0, actor, &random) }
        return ActorInput(
            memory: memory, globals: globals, arguments: arguments, gas: Self.gas[random.below(Self.gas.count)],
            seed: random.next(), origin: "generated")
    }

    static func argument(_ type: ValueType, _ actor: WitnessedActor, _ random: inout WitnessRandom) -> UInt64 {
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
        default: return random.small()
        }
    }
}

extension WitnessRandom {
    /// A small number or a power of two, or what lies beside one.
    mutating func small() -> UInt64 {
        let small: [UInt64] = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1_000, 65_535]
        return small[below(small.count)]
    }
}
