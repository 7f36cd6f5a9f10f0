import Primitives

/// Messages that can be run as often as one likes, always from the same state: what measures them needs no more.
public protocol MessageRun {
    /// What reports call it.
    var name: String { get }
    /// Where it came from, as the user named it.
    var file: String { get }
    var networkVersion: NetworkVersion { get }
    /// Runs it and compares it with what it came to before, or with what it demands.
    func run(observer: (any MessageObserver)?) -> VectorReport
}

extension VectorSession: MessageRun {}
