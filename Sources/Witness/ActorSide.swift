import Captures
import Engine
import NativeEngine
import WasmReference

/// An instance whose state can be set and read as a whole.
protocol RestorableGuest: ActorInstance {
    var memorySize: UInt64 { get }
    var globalSlots: [UInt64] { get }
    func setGlobals(_ slots: [UInt64])
    func growMemory(to bytes: UInt64) throws(EngineError) -> Bool
    func write(_ bytes: Span<UInt8>, at offset: UInt64)
}

extension ReferenceInstance: RestorableGuest {}
extension NativeInstance: RestorableGuest {}

/// What a call shows, but for memory.
struct ActorObservation: Equatable {
    enum Outcome: Equatable {
        case returned([UInt64])
        case trapped(Int32)
        case endedByHost
        case failed(String)
    }

    var outcome: Outcome
    var gas: Int64
    var hostCalls: [UInt64]
    var globals: [UInt64]
    var memorySize: UInt64

    func difference(from other: ActorObservation) -> String? {
        if outcome != other.outcome || gas != other.gas {
            return "\(outcome), \(gas) left; expected \(other.outcome), \(other.gas) left"
        }
        if hostCalls != other.hostCalls { return "calls of imports differ" }
        if globals != other.globals { return "globals \(globals), expected \(other.globals)" }
        return memorySize == other.memorySize ? nil : "memory of \(memorySize) bytes, expected \(other.memorySize)"
    }
}

/// One engine's instance of an actor, brought from state to state by what changes between them.
final class ActorSide {
    let guest: any RestorableGuest
    private let enter: (Int, [UInt64]) throws(EngineError) -> GuestOutcome
    let host: ActorHost
    private let limiter: ResourceLimiter
    /// What the pages of its memory are known to be.
    private var held: [MemoryPage?] = []

    /// Bytes by which memory may grow during a call.
    static let growth: UInt64 = 1 << 20

    /// - Parameter enter: calls a function by its index.
    init(
        _ guest: any RestorableGuest, _ host: ActorHost, _ limiter: ResourceLimiter,
        enter: @escaping (Int, [UInt64]) throws(EngineError) -> GuestOutcome
    ) {
        self.guest = guest
        self.host = host
        self.limiter = limiter
        self.enter = enter
    }

    /// Brings it to an input's state. Its memory may be larger than the input's: it can grow and not shrink.
    func prepare(_ input: ActorInput) {
        let pages = input.memory.pages
        let count = Int(guest.memorySize) / MemoryPage.size
        held += Array(repeating: nil, count: max(0, count - held.count))
        for index in 0..<count {
            let page = index < pages.count ? pages[index] : MemoryPage.zero
            guard held[index] !== page else { continue }
            let bytes = page.bytes
            guest.write(bytes.span, at: UInt64(index * MemoryPage.size))
            held[index] = page
        }
        for patch in input.patches where UInt64(patch.address) + UInt64(patch.bytes.count) <= guest.memorySize {
            let bytes = patch.bytes
            guest.write(bytes.span, at: UInt64(patch.address))
            let last = Int(patch.address) + patch.bytes.count - 1
            for page in Int(patch.address) / MemoryPage.size...last / MemoryPage.size { held[page] = nil }
        }
        guest.setGlobals(input.globals)
        guest.gasCounter = input.gas
        // Growth is allowed by what this call takes, not by what came before.
        limiter.restore(limiter.limit - Self.growth)
        host.begin(input)
    }

    /// These pages may be anything from now on.
    func forget(_ pages: [Int]) {
        for page in pages where page < held.count { held[page] = nil }
    }

    func call(_ function: Int, _ arguments: [UInt64]) -> ActorObservation {
        let outcome: ActorObservation.Outcome
        do throws(EngineError) {
            switch try enter(function, arguments) {
            case .returned(let slots): outcome = .returned(slots)
            case .trapped(let trap, _): outcome = .trapped(trap.rawValue)
            case .endedByHost: outcome = .endedByHost
            }
        } catch { outcome = .failed(error.description) }
        return ActorObservation(
            outcome: outcome, gas: guest.gasCounter, hostCalls: host.calls, globals: guest.globalSlots,
            memorySize: guest.memorySize)
    }
}
