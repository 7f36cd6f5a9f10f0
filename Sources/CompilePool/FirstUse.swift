import ArtifactFormat
import CodeSettings
import Glibc
import Primitives
import Synchronization

/// Code to run at once, and better code later: what the store has in the optimised tier is given as it is; anything
/// else is compiled in the baseline tier, in a fraction of the time, while optimised code is made behind it.
///
/// Results, gas and traces are the same in both tiers, so nobody has to know when one takes the other's place.
/// Usable from several threads. Optimised code that is not ready when the program ends is not waited for; what was
/// finished is in the store.
public final class FirstUse: Sendable {
    /// Which code was given out.
    public struct Given: Sendable, Hashable {
        /// Codes that were optimised from the beginning.
        public var optimised = 0
        /// Codes that began in the baseline tier.
        public var baseline = 0
        /// Those of `baseline` whose optimised code was ready in time to take its place.
        public var replaced = 0

        public init() {}
    }

    private let optimised: CompilePool
    private let baseline: CompilePool
    private let state = Mutex(State())

    private struct State {
        var given = Given()
        var seen: Set<Cid> = []
        /// Codes whose optimised form is to be made, smallest first.
        var waiting: [Work] = []
        var isWorking = false
    }

    private struct Work: Sendable {
        var input: CompileInput
        var ready: @Sendable (LoadableObject) -> Void
    }

    /// - Parameters:
    ///   - optimised: the pool of the optimised tier; asked in the background.
    ///   - baseline: the pool of the same store and settings but for the tier.
    public init(optimised: CompilePool, baseline: CompilePool) {
        self.optimised = optimised
        self.baseline = baseline
    }

    /// Which code was given so far.
    public var given: Given { state.withLock { $0.given } }

    /// The object for an actor's code, for running at once.
    ///
    /// - Parameters:
    ///   - wasm: asked only when the code is not at hand.
    ///   - ready: called at most once, later and on another thread, with optimised code to take from then on.
    /// - Returns: nil when there is neither an object nor WASM.
    public func load(
        code: Cid, wasm: () -> [UInt8]?, ready: @escaping @Sendable (LoadableObject) -> Void
    ) -> CompileOutcome? {
        if let known = optimised.known(code, tier: .optimised) {
            if case .compiled = known { note(code) { $0.optimised += 1 } }
            return known
        }
        guard let bytes = wasm() ?? optimised.store?.wasm(code) else {
            return optimised.load(code: code, wasm: { nil })
        }
        let outcome = baseline.load(code: code, wasm: { bytes })
        guard case .compiled? = outcome else { return outcome }
        // Two threads may ask for one code at a time; it is made once.
        guard note(code, { $0.baseline += 1 }) else { return outcome }
        enqueue(Work(input: CompileInput(name: code.text, cid: code, wasm: bytes), ready: ready))
        return outcome
    }

    /// False when the code was given before.
    @discardableResult
    private func note(_ code: Cid, _ change: (inout Given) -> Void) -> Bool {
        state.withLock { state in
            guard state.seen.insert(code).inserted else { return false }
            change(&state.given)
            return true
        }
    }

    private func enqueue(_ work: Work) {
        let starts = state.withLock { state in
            let place = state.waiting.firstIndex { $0.input.wasm.count > work.input.wasm.count }
            state.waiting.insert(work, at: place ?? state.waiting.endIndex)
            defer { state.isWorking = true }
            return !state.isWorking
        }
        guard starts else { return }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self)
        // The thread takes over the reference retained for it.
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<FirstUse>.fromOpaque(argument).takeRetainedValue().work()
                }
                return nil
            }, argument.toOpaque())
        if status == 0 {
            pthread_detach(thread)
        } else {
            // Without a thread the baseline code stays.
            unsafe argument.release()
            state.withLock { $0.isWorking = false }
        }
    }

    private func work() {
        // What runs meanwhile has a processor for itself.
        let processors = max(1, optimised.jobs - 1)
        while let next = take() {
            guard case .compiled(let actor) = optimised.compile([next.input], processors: processors)[0] else {
                continue
            }
            // The optimising tier fell back: the same code as before.
            guard actor.baselineReason == nil else { continue }
            state.withLock { $0.given.replaced += 1 }
            next.ready(actor.object)
        }
    }

    private func take() -> Work? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWorking = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
