import Engine

/// A call of an exported function.
public struct FuzzCall: Sendable, Hashable, CustomStringConvertible {
    public var export: String
    /// 64-bit slots.
    public var arguments: [UInt64]
    /// What the counter is set to before the call, milligas.
    public var gas: Int64

    public var description: String {
        "\(export)(\(arguments.map { "0x" + String($0, radix: 16) }.joined(separator: ", "))) with gas \(gas)"
    }
}

/// One instance and the calls that are made of it, in order.
public struct FuzzRun: Sendable, Hashable {
    public var calls: [FuzzCall]
    /// What instantiation gets, milligas.
    public var gas: Int64
    /// Bytes of memory and table that growth may take in all.
    public var memoryLimit: UInt64 = 2 << 30
}

/// How instantiation or a call ended.
public enum FuzzOutcome: Sendable, Hashable, CustomStringConvertible {
    case returned([UInt64])
    /// Number of the trap and its place; no place where executors need not know it.
    case trapped(Int32, function: UInt32?, offset: UInt32?)
    /// The executor failed.
    case failed(String)

    init(_ outcome: GuestOutcome, places: Bool) {
        switch outcome {
        case .returned(let slots): self = .returned(slots)
        case .endedByHost: self = .failed("ended by the host")
        case .trapped(let trap, let site):
            // The reference has no place for these, and a compiler may put their checks together.
            let isPlaced = places && ![.outOfGas, .stackHeight, .nativeStack, .resourceLimit].contains(trap)
            self = .trapped(
                trap.rawValue, function: isPlaced ? site?.function : nil, offset: isPlaced ? site?.offset : nil)
        }
    }

    public var description: String {
        switch self {
        case .returned(let slots): "returned " + slots.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
        case .trapped(let trap, let function, let offset):
            "trap: \(Trap(rawValue: trap))"
                + (function.map { " in function \($0)" } ?? "")
                + (offset.map { " at 0x" + String($0, radix: 16) } ?? "")
        case .failed(let text): "failed: \(text)"
        }
    }
}

/// Everything a run shows.
public struct FuzzObservation: Sendable, Equatable {
    /// Of instantiation, then of each call.
    public var outcomes: [FuzzOutcome] = []
    /// The counter after each of them, milligas.
    public var gas: [Int64] = []
    /// Calls of imports: index, arguments and the counter that the host saw.
    public var hostCalls: [[UInt64]] = []
    /// Size of the memory and CRC-32 of its bytes after the last call.
    public var memoryBytes = 0
    public var memoryChecksum: UInt32 = 0

    /// The same without the byte offsets of faults. Optimised code folds a load into the instruction that uses it,
    /// and the pair has one place in the line table, now and then a neighbour's.
    var withoutOffsetsOfFaults: FuzzObservation {
        var copy = self
        copy.outcomes = outcomes.map { outcome in
            guard case .trapped(Trap.memoryOutOfBounds.rawValue, let function, _) = outcome else { return outcome }
            return .trapped(Trap.memoryOutOfBounds.rawValue, function: function, offset: nil)
        }
        return copy
    }

    /// The first thing in which two executors differ; nil when they do not.
    func difference(from other: FuzzObservation, _ run: FuzzRun) -> String? {
        for index in outcomes.indices.prefix(other.outcomes.count)
        where outcomes[index] != other.outcomes[index] || gas[index] != other.gas[index] {
            let call = index == 0 ? "instantiation with gas \(run.gas)" : "\(run.calls[index - 1])"
            return "\(call): \(outcomes[index]), \(gas[index]) left; expected \(other.outcomes[index]), "
                + "\(other.gas[index]) left"
        }
        if outcomes.count != other.outcomes.count { return "\(outcomes.count) of \(other.outcomes.count) calls" }
        if hostCalls != other.hostCalls { return "calls of imports differ" }
        if memoryBytes != other.memoryBytes { return "memory has \(memoryBytes) of \(other.memoryBytes) bytes" }
        return memoryChecksum == other.memoryChecksum ? nil : "contents of memory differ"
    }
}

/// What every host does when a guest calls an import: charges 1,000 milligas, changes a byte of memory, and answers
/// with a hash of the call and its number.
final class ScriptedHost: ImportHandler {
    private(set) var calls: [[UInt64]] = []
    /// Of each import: whether its result has 32 bits, which zeros must fill up.
    private let isNarrow: [Bool]

    init(isNarrow: [Bool]) { self.isNarrow = isNarrow }

    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
        var words: [UInt64] = []
        for position in arguments.indices { words.append(arguments[position]) }
        calls.append([UInt64(index)] + words + [UInt64(bitPattern: guest.gasCounter)])
        guest.gasCounter &-= 1_000
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for word in words { hash = (hash ^ word) &* 0x100_0000_01B3 }
        hash &+= UInt64(calls.count)
        let byte = [UInt8(truncatingIfNeeded: hash)]
        _ = guest.write(byte.span, offset: UInt32(hash % 251))
        return .result(isNarrow.indices.contains(index) && isNarrow[index] ? hash & 0xFFFF_FFFF : hash)
    }
}
