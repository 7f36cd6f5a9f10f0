import Captures
import WasmReference

/// All that decides what one call of a function comes to.
struct ActorInput {
    /// Bytes that are not as in `memory`.
    struct Patch {
        var address: UInt32
        var bytes: [UInt8]
    }

    /// What an import answers instead of what it would.
    enum Change {
        case refusal(UInt64)
        /// What it answered elsewhere; the answers that follow are from there too.
        case elsewhere(seed: UInt64)
        /// A byte or a word of what it writes.
        case written(write: Int, offset: Int, bytes: [UInt8])
    }

    var memory: CapturedMemory
    /// By index, in slots of 64 bits.
    var globals: [UInt64]
    var patches: [Patch] = []
    var arguments: [UInt64]
    /// Milligas.
    var gas: Int64
    /// What imports answer, from here on; nil is what a seed gives.
    var log: AnswerLog?
    var position = 0
    /// By number of the call, the first being 0.
    var changes: [Int: Change] = [:]
    /// Of the answers that are not recorded.
    var seed: UInt64
    /// Where it comes from, for people.
    var origin: String

    // What a call with it showed, for making others of it:

    /// Addresses that were read, not below the stack pointer, where functions find what they wrote themselves.
    var reads: [UInt32] = []
    var comparisons: [GuestWatch.Comparison] = []
    /// Milligas.
    var used: Int64 = 0
    /// Calls of imports.
    var hostCalls = 0
}

extension ActorInput {
    /// The word at an address as the call finds it.
    func word(at address: UInt32) -> UInt32? {
        if let patch = patches.last(where: { $0.address == address }), patch.bytes.count >= 4 {
            return (0..<4).reduce(0) { $0 | UInt32(patch.bytes[$1]) << (8 * UInt32($1)) }
        }
        return memory.word(at: address)
    }
}

extension ActorInput: CustomStringConvertible {
    var description: String {
        var text =
            "arguments \(arguments), gas \(gas), globals \(globals), \(origin), answers from \(position), seed \(seed)"
        if !changes.isEmpty { text += ", answers changed: \(changes)" }
        if !patches.isEmpty {
            text += ", changed: " + patches.map { "\($0.bytes) at \($0.address)" }.joined(separator: ", ")
        }
        return text
    }
}
