import ArtifactFormat
import ArtifactStore
import CodeSettings
import WorkerProtocol

/// One call of the pool: inputs become jobs, jobs run on workers, results come back in order.
///
/// One thread does it all: it starts what it may, waits for messages, and handles them.
final class CompileRun {
    private let pool: CompilePool
    private let compiler: CompilerIdentity
    private let product: Product
    private let processors: Int
    private let limits: (Int) -> CompileLimits
    /// In the order of the inputs; equal modules share one.
    private var jobs: [Job] = []
    private var jobOfInput: [Int] = []

    /// One module on its way.
    private final class Job {
        let input: CompileInput
        var tier = Tier.optimised
        /// Why the optimising tier failed.
        var firstFailure: LocalFailure?
        /// Whether the store was asked for this tier.
        var isLookedUp = false
        /// Whether the result was there before.
        var wasKnown = false
        var lock: FileLock?
        /// Since another process was first seen to compile the same.
        var lockWait: AwakeTime?
        /// Whether a worker stood still with it once.
        var wasStuck = false
        var run: Run?
        var result: JobResult?

        init(_ input: CompileInput) { self.input = input }
    }

    /// A job's time on a worker.
    private struct Run {
        let worker: WorkerProcess
        let inputs: ArtifactInputs
        let limits: CompileLimits
        /// Seconds of the monotonic clock at which it is stuck, whatever its processor time.
        let deadline: Double
        /// How long the worker has been standing still.
        var silence = AwakeTime()
        var progress = CompileProgress(stage: "start") {
            didSet {
                // Stages without functions to count come before and after the long one.
                guard progress.total > 0 else { return }
                fraction = max(fraction, Double(progress.done) / Double(progress.total))
            }
        }
        var fraction = 0.0
        var reply: CompileReply?
    }

    init(
        _ pool: CompilePool, _ compiler: CompilerIdentity, _ inputs: [CompileInput], _ product: Product,
        processors: Int, _ limits: @escaping (Int) -> CompileLimits
    ) {
        self.pool = pool
        self.compiler = compiler
        self.product = product
        self.processors = processors
        self.limits = limits
        for input in inputs {
            if let same = jobs.firstIndex(where: { $0.input.cid == input.cid }) {
                jobOfInput.append(same)
            } else {
                jobOfInput.append(jobs.count)
                jobs.append(Job(input))
            }
        }
    }

    func run(_ progress: (PoolProgress) -> Void) -> [JobResult] {
        // Large modules first: the last ones to run are then short, and no worker idles long at the end.
        let order = jobs.sorted { $0.input.wasm.count > $1.input.wasm.count }
        while true {
            let open = order.filter { $0.result == nil && $0.run == nil }
            for job in open { lookUp(job) }
            for job in open where job.result == nil { start(job) }
            progress(snapshot())
            let running = order.filter { $0.run != nil }
            if running.isEmpty && !order.contains(where: { $0.result == nil }) { break }
            // Also looks again now and then for locks and slots that others held.
            WorkerProcess.wait(for: running.compactMap { $0.run?.worker }, milliseconds: running.isEmpty ? 20 : 100)
            for job in running { attend(job) }
        }
        return jobOfInput.map { jobs[$0].result ?? .failed(.noCompiler("nothing was done")) }
    }

    private func snapshot() -> PoolProgress {
        let work = jobs.filter { !$0.wasKnown }
        let bytes = work.reduce(0) { $0 + Double($1.input.wasm.count) }
        let done = work.reduce(0) { $0 + Double($1.input.wasm.count) * ($1.result == nil ? $1.run?.fraction ?? 0 : 1) }
        return PoolProgress(
            done: jobs.count { $0.result != nil }, total: jobs.count,
            running: jobs.compactMap { job in
                job.run.map {
                    PoolProgress.Running(name: job.input.name, progress: $0.progress, memory: $0.worker.memory)
                }
            }, fraction: bytes > 0 ? done / bytes : 1)
    }

    // MARK: Starting

    /// Gives the job a result that the store has.
    private func lookUp(_ job: Job) {
        guard product == .so, !job.isLookedUp else { return }
        job.isLookedUp = true
        _ = takeKnown(job, compiler.inputs(wasm: job.input.cid, settings: pool.settings(job.tier)))
    }

    /// Processors for a job: its share of the bytes that are left, rounded up. So a module that would be alone at the
    /// end is compiled by several threads from its start, and small ones among many by one each.
    private func share(_ job: Job) -> Int {
        let left = jobs.reduce(0) { $0 + ($1.result == nil ? $1.input.wasm.count : 0) }
        guard job.tier == .optimised, pool.settings.tier == .optimised else { return 1 }
        return CompileRun.share(of: job.input.wasm.count, left: left, processors: processors)
    }

    static func share(of size: Int, left: Int, processors: Int) -> Int {
        left > 0 ? max(1, (processors * size + left - 1) / left) : 1
    }

    /// Gives the job a worker, or leaves it for later.
    private func start(_ job: Job) {
        let settings = pool.settings(job.tier)
        let inputs = compiler.inputs(wasm: job.input.cid, settings: settings)
        let slots = pool.takeSlots(share(job))
        guard slots > 0 else { return }
        var limits = limits(job.input.wasm.count)
        limits.threads = slots
        guard product != .so || takeLock(job, inputs, limits) else { return pool.giveBack(slots: slots) }
        // Someone else may have compiled it while this one waited.
        if product == .so && takeKnown(job, inputs) {
            job.lock = nil
            return pool.giveBack(slots: slots)
        }
        do throws(LocalFailure) {
            let worker = try pool.takeWorker()
            let request = CompileRequest(
                cid: job.input.cid, wasm: job.input.wasm, settings: settings, product: product, limits: limits)
            worker.send(request)
            let deadline = WorkerProcess.now + Double(limits.patience)
            job.run = Run(worker: worker, inputs: inputs, limits: limits, deadline: deadline)
        } catch {
            pool.giveBack(slots: slots)
            job.lock = nil
            job.result = .failed(error)
        }
    }

    private func takeKnown(_ job: Job, _ inputs: ArtifactInputs) -> Bool {
        switch pool.find(inputs) {
        case .object(let object)?:
            job.result = .object(
                CompiledActor(
                    object: object.object, manifest: object.manifest, facts: nil, usage: nil,
                    baselineReason: job.firstFailure))
        case .refused(let text)?: job.result = .refused(text)
        case nil: return false
        }
        job.wasKnown = true
        return true
    }

    /// False when another process compiles the same now. Without a writable store everyone compiles for himself, and
    /// so does who waited longer than any compilation lasts: the other was stopped, and equal keys give equal bytes.
    private func takeLock(_ job: Job, _ inputs: ArtifactInputs, _ limits: CompileLimits) -> Bool {
        guard let store = pool.store else { return true }
        do {
            job.lock = try store.lock(inputs.key, wait: false)
            guard job.lock == nil else { return true }
            var wait = job.lockWait ?? AwakeTime()
            wait.advance()
            job.lockWait = wait
            return wait.seconds > Double(limits.patience)
        } catch {
            store.warnOnce("write", "\(error); compiled code is kept in memory only")
            return true
        }
    }

    // MARK: Attending

    /// Handles what a job's worker has to say.
    private func attend(_ job: Job) {
        guard var run = job.run else { return }
        guard let took = run.worker.pump() else {
            return fail(job, run, .crashed(signal: 0, status: 0, messages: "the worker is gone"))
        }
        do throws(ProtocolError) {
            let frames = try run.worker.receive()
            for (position, frame) in frames.enumerated() {
                switch frame.kind {
                case .progress: run.progress = try CompileProgress(frame)
                case .reply: run.reply = try CompileReply(frame)
                case .ended:
                    let end = try CompileEnd(frame)
                    guard position == frames.count - 1 else { throw ProtocolError("message after the end") }
                    pool.giveBack(run.worker)
                    return finish(job, run, end)
                case .hello, .request, .files: throw ProtocolError("unexpected message of kind \(frame.kind)")
                }
            }
        } catch {
            return fail(job, run, .crashed(signal: 0, status: 0, messages: error.description))
        }
        run.silence.advance()
        if took || !run.worker.hasOutgoing && !run.worker.isStopped { run.silence.restart() }
        job.run = run
        if run.worker.hasEnded {
            fail(job, run, .crashed(signal: 0, status: 0, messages: run.worker.said))
        } else if WorkerProcess.now > run.deadline {
            fail(job, run, .timeLimit(seconds: run.limits.seconds))
        } else if run.silence.seconds > pool.patience {
            fail(job, run, .stuck(seconds: UInt64(pool.patience)))
        }
    }

    /// The worker is of no use any more; it ends when the last reference to it goes.
    private func fail(_ job: Job, _ run: Run, _ failure: LocalFailure) {
        job.run = nil
        job.lock = nil
        pool.giveBack(slots: run.limits.threads)
        retry(job, failure)
    }

    private func finish(_ job: Job, _ run: Run, _ end: CompileEnd) {
        job.run = nil
        defer {
            job.lock = nil
            pool.giveBack(slots: run.limits.threads)
        }
        let usage = CompileUsage(cpuMicroseconds: end.cpuMicroseconds, peakMemory: end.peakMemory)
        switch run.reply {
        case .refused(let text)?:
            job.result = .refused(text)
            if product == .so { pool.keep(.refused(text), run.inputs, wasm: job.input.wasm) }
        case .made(let bytes, let facts)? where product != .so:
            job.result = .text(bytes, facts, usage)
        case .made(let bytes, let facts)?:
            do throws(ArtifactError) {
                let (manifest, object) = try ArtifactFormat.open(bytes, expecting: .key(run.inputs.key))
                pool.keep(.object(StoredObject(object: object, manifest: manifest)), run.inputs, wasm: job.input.wasm)
                job.result = .object(
                    CompiledActor(
                        object: object, manifest: manifest, facts: facts, usage: usage, baselineReason: job.firstFailure
                    )
                )
            } catch {
                retry(job, .badObject(error))
            }
        case .failed(let text)?: retry(job, .compiler(text))
        case nil: retry(job, CompileRun.reason(run, end))
        }
    }

    /// Why a compilation ended without an answer.
    private static func reason(_ run: Run, _ end: CompileEnd) -> LocalFailure {
        let said = run.worker.said
        // SIGXCPU comes at the limit of processor time, SIGKILL two seconds later.
        let hasUsedItsTime = end.cpuMicroseconds >= run.limits.seconds * 1_000_000
        if end.signal == 24 || (end.signal == 9 && hasUsedItsTime) { return .timeLimit(seconds: run.limits.seconds) }
        let saysNoMemory = ["out of memory", "Out of memory", "bad_alloc", "Allocation failed"].contains {
            said.contains($0)
        }
        if saysNoMemory || end.peakMemory >= run.limits.memory / 10 * 9 {
            return .memoryLimit(run.limits.memory, messages: said)
        }
        return .crashed(signal: end.signal, status: end.status, messages: said)
    }

    /// Once more without optimisation; after that it is a failure. One that stood still is no worse for being
    /// optimised: it is tried again as it was.
    private func retry(_ job: Job, _ failure: LocalFailure) {
        if case .stuck = failure, !job.wasStuck {
            job.wasStuck = true
            job.isLookedUp = false
            return
        }
        if case .stuck = failure {
            job.result = .failed(failure)
            return
        }
        if let first = job.firstFailure {
            job.result = .failed(.bothTiers(first, failure))
        } else if pool.settings.tier == .baseline {
            job.result = .failed(failure)
        } else {
            job.firstFailure = failure
            job.tier = .baseline
            job.isLookedUp = false
        }
    }
}
