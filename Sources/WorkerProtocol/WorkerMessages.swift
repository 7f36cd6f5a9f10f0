import ArtifactFormat

extension CompilerIdentity {
    /// The worker's introduction.
    public var hello: Frame { hello(taken: [:], files: []) }

    /// - Parameters:
    ///   - taken: digests of files that the host may remember.
    ///   - files: the compiler's files beside its program: while they are where they are, it is this compiler.
    public func hello(taken: [FileStamp: Digest], files: [PlacedFile]) -> Frame {
        var text = fields
        text.append(digests: taken)
        text.append(files: files)
        return Frame(.hello, text)
    }

    public init(hello frame: Frame) throws(ProtocolError) {
        guard frame.kind == .hello, let identity = CompilerIdentity(fields: frame.text) else {
            // A worker that cannot work says why instead.
            throw ProtocolError(frame.text.first("trouble") ?? "the worker does not introduce itself")
        }
        self = identity
    }
}

/// How far a compilation is.
public struct CompileProgress: Sendable, Hashable {
    /// What is being done: "front end", "lower", "optimise", "generate code", "link".
    public var stage: String
    /// Functions, where the stage goes through them.
    public var done: UInt32
    public var total: UInt32
    /// The function that took longest so far, and its milliseconds.
    public var slowest: String
    public var slowestMilliseconds: UInt64

    public init(
        stage: String, done: UInt32 = 0, total: UInt32 = 0, slowest: String = "", slowestMilliseconds: UInt64 = 0
    ) {
        self.stage = stage
        self.done = done
        self.total = total
        self.slowest = slowest
        self.slowestMilliseconds = slowestMilliseconds
    }

    public var frame: Frame {
        Frame(
            .progress,
            FieldText([
                "stage": stage, "done": String(done), "total": String(total), "slowest": slowest,
                "milliseconds": String(slowestMilliseconds),
            ]))
    }

    public init(_ frame: Frame) throws(ProtocolError) {
        guard frame.kind == .progress, let stage = frame.text.first("stage"),
            let done: UInt32 = frame.text.number("done"), let total: UInt32 = frame.text.number("total"),
            let slowest = frame.text.first("slowest"), let milliseconds: UInt64 = frame.text.number("milliseconds")
        else { throw ProtocolError("malformed progress message") }
        self.init(stage: stage, done: done, total: total, slowest: slowest, slowestMilliseconds: milliseconds)
    }
}

/// Wall time of one stage.
public struct StageTime: Sendable, Hashable {
    public var name: String
    public var microseconds: UInt64

    public init(name: String, microseconds: UInt64) {
        self.name = name
        self.microseconds = microseconds
    }
}

/// What is worth knowing about a compilation that ended well.
public struct CompileFacts: Sendable, Hashable {
    /// In the order they ran.
    public var stages: [StageTime] = []
    /// Functions the module defines.
    public var functions: UInt32 = 0
    /// Those that were compiled without optimisation because their estimates exceed the budget.
    public var baselineFunctions: UInt32 = 0
    /// Bytes of the largest native stack frame.
    public var largestFrame: UInt64 = 0
    public var slowest: String = ""
    public var slowestMilliseconds: UInt64 = 0

    public init() {}
}

/// What came of a compilation.
public enum CompileReply: Sendable, Hashable {
    case made([UInt8], CompileFacts)
    /// The FVM refuses the module: stage, place and rule.
    case refused(String)
    /// The compiler failed; not the module's fault.
    case failed(String)

    public var frame: Frame {
        switch self {
        case .refused(let text): Frame(.reply, FieldText(["result": "refused", "text": text]))
        case .failed(let text): Frame(.reply, FieldText(["result": "failed", "text": text]))
        case .made(let bytes, let facts):
            Frame(.reply, CompileReply.text(of: facts), payload: bytes)
        }
    }

    private static func text(of facts: CompileFacts) -> FieldText {
        var text = FieldText([
            "result": "made", "functions": String(facts.functions), "baseline": String(facts.baselineFunctions),
            "frame": String(facts.largestFrame), "slowest": facts.slowest,
            "milliseconds": String(facts.slowestMilliseconds),
        ])
        for stage in facts.stages { text.append("stage", "\(stage.microseconds) \(stage.name)") }
        return text
    }

    public init(_ frame: Frame) throws(ProtocolError) {
        let text = frame.text
        guard frame.kind == .reply, let result = text.first("result") else {
            throw ProtocolError("malformed reply")
        }
        switch (result, text.first("text")) {
        case ("refused", let reason?): self = .refused(reason)
        case ("failed", let reason?): self = .failed(reason)
        case ("made", _):
            var facts = CompileFacts()
            facts.functions = text.number("functions") ?? 0
            facts.baselineFunctions = text.number("baseline") ?? 0
            facts.largestFrame = text.number("frame") ?? 0
            facts.slowest = text.first("slowest") ?? ""
            facts.slowestMilliseconds = text.number("milliseconds") ?? 0
            for value in text.all("stage") {
                guard let space = value.firstIndex(of: " "), let time = UInt64(value[..<space]) else { continue }
                facts.stages.append(StageTime(name: String(value[value.index(after: space)...]), microseconds: time))
            }
            self = .made(frame.payload, facts)
        default: throw ProtocolError("malformed reply")
        }
    }
}

/// How the process of one compilation ended, and what it used.
public struct CompileEnd: Sendable, Hashable {
    /// The signal that killed it, or 0.
    public var signal: Int32
    /// Its exit status when it was not killed.
    public var status: Int32
    /// Processor time of it and of the linker.
    public var cpuMicroseconds: UInt64
    /// Bytes of memory at the highest.
    public var peakMemory: UInt64

    public init(signal: Int32, status: Int32, cpuMicroseconds: UInt64, peakMemory: UInt64) {
        self.signal = signal
        self.status = status
        self.cpuMicroseconds = cpuMicroseconds
        self.peakMemory = peakMemory
    }

    public var frame: Frame {
        Frame(
            .ended,
            FieldText([
                "signal": String(signal), "status": String(status), "cpu": String(cpuMicroseconds),
                "memory": String(peakMemory),
            ]))
    }

    public init(_ frame: Frame) throws(ProtocolError) {
        guard frame.kind == .ended, let signal: Int32 = frame.text.number("signal"),
            let status: Int32 = frame.text.number("status"), let cpu: UInt64 = frame.text.number("cpu"),
            let memory: UInt64 = frame.text.number("memory")
        else { throw ProtocolError("malformed end message") }
        self.init(signal: signal, status: status, cpuMicroseconds: cpu, peakMemory: memory)
    }
}
