import GasSchedule
import Kernel

/// A message's time and gas, cut into spans that follow one another without a gap.
///
/// The rule by which time is given: a span begins with a charge or a stage and lasts until the next one. A charge has
/// the work it pays for behind it; guest code is charged when it has run, so the charge `wasm_exec` has what ran before
/// it, from the entry of an invocation or the end of a syscall. What no charge pays for are spans of their own, named
/// by their stage, never a remainder.
public struct Timeline: Sendable {
    /// What a span is of.
    public enum Source: Sendable, Hashable {
        /// A charge, by the name it has in traces.
        case charge(String)
        /// A stage that no charge pays for.
        case stage(ExecutionStage)

        /// As tables show it.
        public var name: String {
            switch self {
            case .charge(let name): name
            case .stage(let stage): "(\(stage.rawValue))"
            }
        }

        /// Whether a charge pays for it.
        public var isCharged: Bool { if case .charge = self { true } else { false } }
    }

    /// One span.
    public struct Span: Sendable, Equatable {
        public var source: Source
        /// Milligas for computing, as requested.
        public var compute: UInt64 = 0
        /// Milligas for everything else, as requested.
        public var other: UInt64 = 0
        /// Milligas that were requested and not there.
        public var unpaid: UInt64 = 0
        /// The call it belongs to; nil in front of the first and behind the last one.
        public var frame: Int?
        /// Which syscall it belongs to, counted over the message; nil outside of syscalls.
        public var syscall: Int?
    }

    /// A call.
    public struct Frame: Sendable, Equatable {
        /// The caller's; nil for the call the message itself makes.
        public var parent: Int?
        /// The receiver as the caller named it, and what it is: the manifest's name, else its code's CID; nil where it
        /// was never found.
        public var receiver: String
        public var actor: String?
        public var method: UInt64
        /// What the actor calls the method.
        public var methodName: String?
        /// nil for a call that ended with a syscall error.
        public var exitCode: UInt32?

        /// `actor.Method`.
        public var title: String { "\(actor ?? receiver).\(methodName ?? "method \(method)")" }
    }

    public var spans: [Span] = []
    public var frames: [Frame] = []
    /// `module::name` of each syscall made.
    public var syscalls: [String] = []

    /// Milligas that were taken: all that was asked for but what was not there.
    public var taken: UInt64 {
        spans.reduce(0) { $0.addingSaturating($1.compute).addingSaturating($1.other) &- $1.unpaid }
    }
}
