import Primitives

/// Why a message failed, for people: the chain of actor calls that ended with a non-zero exit code and what
/// started it. Never part of a receipt.
public struct Backtrace: Sendable, Equatable, CustomStringConvertible {
    /// An actor call that failed.
    public struct Frame: Sendable, Equatable {
        /// Actor id.
        public var actor: UInt64
        public var method: UInt64
        public var exitCode: ExitCode
        public var message: String

        public init(actor: UInt64, method: UInt64, exitCode: ExitCode, message: String) {
            self.actor = actor
            self.method = method
            self.exitCode = exitCode
            self.message = message
        }
    }

    /// The failed syscall, or the fatal error, that came first.
    public var cause: String?
    /// Innermost first.
    public private(set) var frames: [Frame] = []

    public init() {}

    public var isEmpty: Bool { cause == nil && frames.isEmpty }

    /// Starts anew with a failed syscall: what failed before it was handled by the actor.
    public mutating func begin(cause: String) {
        self.cause = cause
        frames = []
    }

    public mutating func push(_ frame: Frame) { frames.append(frame) }

    /// Forgets everything: the failure was handled.
    public mutating func clear() {
        cause = nil
        frames = []
    }

    /// One line per frame, innermost first, then the cause.
    public var description: String {
        var lines = frames.enumerated().map { index, frame in
            "\(index): actor f0\(frame.actor), method \(frame.method): \(frame.exitCode)"
                + (frame.message.isEmpty ? "" : ": \(frame.message)")
        }
        if let cause { lines.append("caused by: \(cause)") }
        return lines.joined(separator: "\n")
    }
}
