import Glibc
import Synchronization

/// Runs numbered jobs on a few threads and hands their results over in order, as soon as that is possible.
enum WorkerThreads {
    /// - Parameters:
    ///   - order: the jobs, each number below their count once, in the order in which they are begun.
    ///   - work: does job `index`; called on several threads at once.
    ///   - deliver: gets each result in the order of the jobs, on this thread; false ends the run early.
    static func run<Result: Sendable>(
        order: [Int], threads: Int, work: @escaping @Sendable (Int) -> Result, deliver: (Result) -> Bool
    ) throws(ReplayError) {
        let queue = Queue(order: order, work: work)
        let jobs = order.count
        var started: [BackgroundWork<Void>] = []
        for _ in 0..<max(1, min(threads, jobs)) {
            guard let thread = BackgroundWork({ queue.drain() }) else { break }
            started.append(thread)
        }
        guard !started.isEmpty else { throw .local("no thread could be started") }
        defer { for thread in started { thread.join() } }
        for index in 0..<jobs {
            guard deliver(queue.take(index)) else {
                queue.stop()
                break
            }
        }
    }

    /// Hands out job numbers and keeps results until their turn.
    private final class Queue<Result: Sendable>: @unchecked Sendable {
        private let order: [Int]
        private let work: @Sendable (Int) -> Result
        private let next = Atomic<Int>(0)
        private let results = Mutex<[Int: Result]>([:])
        // Posted once per finished job; semaphores are safe to share, and this one never moves.
        private let finished: UnsafeMutablePointer<sem_t>

        init(order: [Int], work: @escaping @Sendable (Int) -> Result) {
            self.order = order
            self.work = work
            finished = .allocate(capacity: 1)
            sem_init(finished, 0, 0)
        }

        deinit {
            sem_destroy(finished)
            finished.deallocate()
        }

        func drain() {
            while true {
                let turn = next.add(1, ordering: .relaxed).oldValue
                guard turn < order.count else { return }
                let index = order[turn]
                let result = work(index)
                results.withLock { $0[index] = result }
                sem_post(finished)
            }
        }

        /// Waits for the result of a job.
        func take(_ index: Int) -> Result {
            while true {
                if let result = results.withLock({ $0.removeValue(forKey: index) }) { return result }
                // Each post stands for one result stored; waking for another one just looks again.
                while sem_wait(finished) != 0 {}
            }
        }

        /// Lets jobs not yet begun be.
        func stop() { next.store(order.count, ordering: .relaxed) }
    }
}
