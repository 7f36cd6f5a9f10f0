import Lowering
import WorkerProtocol

/// Turns what the stages tell into messages that are few enough to send.
final class ProgressMeter {
    /// Functions the module defines.
    var total: UInt32 = 0
    private(set) var slowest = ""
    private(set) var slowestMilliseconds: UInt64 = 0
    private let report: (CompileProgress) -> Void
    private let clock = ContinuousClock()
    private var stage = ""
    private var done: UInt32 = 0
    private var lastReport: ContinuousClock.Instant

    /// Between two messages of one stage.
    private static let interval = Duration.milliseconds(50)

    init(_ report: @escaping (CompileProgress) -> Void) {
        self.report = report
        lastReport = clock.now
    }

    func begin(_ stage: String) {
        self.stage = stage
        done = 0
        send()
    }

    func advance(_ progress: LoweringProgress) {
        switch progress {
        case .stage(let name): begin(name)
        case .function(let symbol, let seconds): finish(symbol, UInt64(seconds * 1_000))
        }
    }

    private func finish(_ symbol: String, _ milliseconds: UInt64) {
        if milliseconds > slowestMilliseconds || slowest.isEmpty {
            slowest = symbol
            slowestMilliseconds = milliseconds
        }
        // Symbols of functions start with an f, those of entries and thunks with other letters.
        if symbol.hasPrefix("f") { done = min(total, done + 1) }
        if clock.now - lastReport >= ProgressMeter.interval { send() }
    }

    private func send() {
        lastReport = clock.now
        report(
            CompileProgress(
                stage: stage, done: done, total: done > 0 ? total : 0, slowest: slowest,
                slowestMilliseconds: slowestMilliseconds))
    }
}
