import Kernel
import Primitives

/// Why a message failed, for people: the chain of actor calls that ended with a non-zero exit code and what
/// started it. Never part of a receipt.
public struct Backtrace: Sendable, Equatable, CustomStringConvertible {
    /// An actor call that failed.
    public struct Frame: Sendable, Equatable {
        /// Actor id.
        public var actor: UInt64
        public var method: UInt64
        /// What the actor calls the method, where whoever shows the frame knows it.
        public var methodName: String?
        public var exitCode: ExitCode
        private let why: Diagnostic

        /// What the actor or the host said; may be empty.
        public var message: String { why.description }

        public init(actor: UInt64, method: UInt64, exitCode: ExitCode, message: Diagnostic) {
            self.actor = actor
            self.method = method
            self.exitCode = exitCode
            why = message
        }

        public init(actor: UInt64, method: UInt64, exitCode: ExitCode, message: String) {
            self.init(actor: actor, method: method, exitCode: exitCode, message: Diagnostic { message })
        }
    }

    private var root: Diagnostic?

    /// What came first: a failed syscall, a charge that could not be paid, a fatal error.
    public var cause: String? { root?.description }
    /// Innermost first.
    public private(set) var frames: [Frame] = []

    public init() {}

    /// Names the methods of the frames.
    public mutating func nameMethods(_ name: (Frame) -> String?) {
        for index in frames.indices { frames[index].methodName = name(frames[index]) }
    }

    /// A failure without any actor call.
    public init(cause: @autoclosure @escaping @Sendable () -> String) { root = Diagnostic(cause) }

    public var isEmpty: Bool { root == nil && frames.isEmpty }

    /// Starts anew with a failed syscall: what failed before it was handled by the actor.
    public mutating func begin(cause: Diagnostic) {
        root = cause
        frames = []
    }

    /// Says what came first, unless that is known.
    public mutating func setCause(_ cause: @autoclosure @escaping @Sendable () -> String) {
        if root == nil { root = Diagnostic(cause) }
    }

    public mutating func push(_ frame: Frame) { frames.append(frame) }

    /// One line per frame, innermost first, then the cause.
    public var description: String {
        var lines = frames.enumerated().map { index, frame in
            "\(index): actor f0\(frame.actor), method \(frame.method)"
                + (frame.methodName.map { " (\($0))" } ?? "") + ": \(frame.exitCode)"
                + (frame.message.isEmpty ? "" : ": \(frame.message)")
        }
        if let cause { lines.append("caused by: \(cause)") }
        return lines.joined(separator: "\n")
    }
}
