import Captures
import WasmFormat

/// Calls of functions on states of replayed messages: as they were, and for functions that no message reached, those of
/// other functions.
struct CapturedInputs {
    private let calls: [CapturedCall]
    private let module: Module
    /// Positions in `calls`, by function, and by the signature of the function.
    private let byFunction: [Int: [Int]]
    private let byType: [FunctionType: [Int]]

    /// Milligas for calls as they were: nearly all end as they did then.
    static let gas: Int64 = 20_000_000_000

    init(_ calls: [CapturedCall], _ module: Module) {
        self.calls = calls
        self.module = module
        var byFunction: [Int: [Int]] = [:]
        var byType: [FunctionType: [Int]] = [:]
        for (position, call) in calls.enumerated() {
            byFunction[call.function, default: []].append(position)
            guard let type = module.functionType(UInt32(call.function)) else { continue }
            byType[type, default: []].append(position)
        }
        self.byFunction = byFunction
        self.byType = byType
    }

    /// Functions that messages entered.
    var functionCount: Int { byFunction.count }

    /// What messages called the function with.
    func own(_ function: Int) -> [ActorInput] { (byFunction[function] ?? []).map(input) }

    /// What messages called functions of the same type with, at most `count`; of others, with arguments as they occur
    /// elsewhere, where there are none.
    func others(_ function: Int, _ type: FunctionType, _ count: Int, _ random: inout WitnessRandom) -> [ActorInput] {
        guard !calls.isEmpty else { return [] }
        let alike = byType[type] ?? []
        return (0..<count).map { _ in
            if !alike.isEmpty { return input(alike[random.below(alike.count)]) }
            var changed = input(random.below(calls.count))
            let theirs = changed.arguments
            changed.arguments = type.parameters.map { type in
                if random.below(4) > 0, !theirs.isEmpty {
                    let value = theirs[random.below(theirs.count)]
                    return type == .i32 || type == .f32 ? value & 0xFFFF_FFFF : value
                }
                return random.small()
            }
            return changed
        }
    }

    private func input(_ position: Int) -> ActorInput {
        let call = calls[position]
        let types = module.functionType(UInt32(call.function))?.parameters ?? []
        let globals = zip(call.globals, module.globalTypes).map { slot, type in
            type.value == .i32 || type.value == .f32 ? slot & 0xFFFF_FFFF : slot
        }
        return ActorInput(
            memory: call.memory, globals: globals,
            arguments: zip(call.arguments, types).map { slot, type in
                type == .i32 || type == .f32 ? slot & 0xFFFF_FFFF : slot
            },
            gas: Self.gas, log: call.log, position: call.answersBefore,
            seed: UInt64(position), origin: "function \(call.function) in \(call.origin)")
    }
}
