import GasSchedule
import WasmFormat

/// A loop whose body does one thing, a step, `copies` or twice `copies` times. What the two differ by in time and in
/// gas is that of the steps alone: the loop, the call and the clock cancel.
public struct Kernel: Sendable {
    /// How steps follow each other.
    public enum Form: String, Sendable, Hashable, CaseIterable {
        /// Each needs the result of the one before.
        case latency
        /// Several chains that do not need each other.
        case throughput
    }

    /// The instruction under test, as in the text format.
    public let name: String
    /// How steps follow each other.
    public let form: Form
    /// The class of operands, such as `large / small`; empty where there is one class only.
    public let operands: String
    /// The instructions under test.
    public let opcodes: [Opcode]
    /// What keeps steps from being optimised away and stands beside the operator; its time is known from other rows.
    let glue: [Glue]
    let memory: MemoryShape
    let copies: Int
    /// The parameters `a` and `b` as bits of their types, and where the chain begins.
    let a: UInt64
    let b: UInt64
    let start: UInt64
    /// The types of `a` and `b` and of the chains.
    let aType: ValueType
    let bType: ValueType
    let chainType: ValueType
    let chains: Int
    /// Whether steps walk through memory from line to line.
    let isWalk: Bool
    /// Whether each run needs an instance of its own, as the steps leave something behind.
    let isFresh: Bool
    /// What is done once an iteration, before the steps.
    var before: @Sendable (inout CodeWriter) -> Void = { _ in }
    let frame: Frame
    /// Writes step number `index`.
    let step: @Sendable (inout CodeWriter, _ index: Int) -> Void

    /// Where a step finds the chain.
    enum Frame: Sendable, Hashable {
        /// On the stack, where one step after the other takes it up.
        case stack
        /// On the stack for the time of a step; steps go over the chains in turn.
        case chains
        /// In the locals, wherever the step likes.
        case locals
    }

    /// An instruction whose latency other rows tell.
    enum Glue: String, Sendable, Hashable {
        /// Addition or exclusive or; one is as fast as the other.
        case i32 = "i32.xor"
        case i64 = "i64.xor"
        case i32Rotate = "i32.rotl"
        case i64Rotate = "i64.rotl"
        case f32 = "f32.add"
        case f64 = "f64.add"
    }

    /// `i64.div_u latency large/small`: unique in a table.
    public var title: String { "\(name) \(form.rawValue)" + (operands.isEmpty ? "" : " \(operands)") }
}

/// Locals of every kernel.
enum Slot {
    /// Iterations that are left (i32), `a`, `b` and the start (i64): the parameters.
    static let count = 0
    static let aBits = 1
    static let bBits = 2
    static let start = 3
    /// `a` and `b` in their types, an address (i32), an index (i64).
    static let a = 4
    static let b = 5
    static let address = 6
    static let index = 7
    /// The first chain.
    static let chain = 8
}

/// What memory a kernel runs on: a cycle of lines, each of which holds the address of the next in an order that no
/// prefetcher guesses (a linear congruential generator of full period).
struct MemoryShape: Sendable, Hashable {
    /// Pages of 65,536 bytes.
    var pages: Int
    /// Powers of two.
    var lines: Int
    var stride: Int
    /// Bytes from a line's start to the address in it.
    var offset: UInt32
    /// The memory can grow.
    var grows = false

    var mask: UInt64 { (UInt64(1) << (lines + stride)) - 1 }
    var lineMask: UInt64 { (UInt64(1) << lines) - 1 }

    /// How many lines are read before a run, so that it finds them where the class says: all of a cycle that some cache
    /// holds, none of one that is to be found in no cache.
    var warmLines: UInt64 { self == .tlb || lines > 15 ? 0 : lineMask + 1 }

    /// Two lines: every load hits, and addresses fit in the narrowest loads.
    static let l1 = MemoryShape(pages: 64, lines: 1, stride: 6, offset: 0)
    static let l2 = MemoryShape(pages: 16, lines: 12, stride: 6, offset: 0)
    static let l3 = MemoryShape(pages: 32, lines: 15, stride: 6, offset: 0)
    static let dram = MemoryShape(pages: 4_096, lines: 22, stride: 6, offset: 0)
    /// The same for stores, which would break the cycle.
    static let written = MemoryShape(pages: 4_112, lines: 22, stride: 6, offset: 0)
    /// As many lines as fit in the second level, each on a page of its own.
    static let tlb = MemoryShape(pages: 4_096, lines: 16, stride: 12, offset: 0)
    static let crossesLine = MemoryShape(pages: 2, lines: 7, stride: 6, offset: 60)
    static let crossesPage = MemoryShape(pages: 17, lines: 8, stride: 12, offset: 4_092)
    static let growing = MemoryShape(pages: 1, lines: 1, stride: 6, offset: 0, grows: true)
}
