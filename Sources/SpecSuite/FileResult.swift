import WasmFormat

/// Kinds of assertions, in the order of the tables.
public enum AssertionKind: String, CaseIterable, Sendable, Hashable {
    case `return`
    case trap
    case exhaustion
    case invalid
    case malformed
    case malformedText = "malformed text"
    case unlinkable
    case uninstantiable
}

/// Counts of one kind.
public struct Tally: Sendable, Hashable {
    public var passed = 0
    public var failed = 0
    public var skipped = 0

    public var total: Int { passed + failed + skipped }

    static func + (a: Tally, b: Tally) -> Tally {
        Tally(passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped)
    }
}

/// Why an assertion was not judged.
public enum SkipReason: String, CaseIterable, Sendable, Hashable {
    case textFormat = "text format, not read by Smelt"
    case refusedModule = "its module is refused by the profile"
    case contradicted = "contradicted by features that are on"
    case unsupported = "not supported by this executor"
}

/// A module of a script that the profile refuses.
public struct RefusedModule: Sendable, Hashable {
    public var line: Int
    public var stage: RefusalStage
    public var rule: String
}

/// What came of one script with one executor.
public struct FileResult: Sendable {
    public struct Failure: Sendable, Hashable {
        public var line: Int
        public var text: String
    }

    public let file: ScriptFile
    public let executor: String
    public internal(set) var tallies: [AssertionKind: Tally] = [:]
    /// Modules that scripts instantiate (`module` commands), accepted by the front end.
    public internal(set) var accepted = 0
    public internal(set) var refused: [RefusedModule] = []
    public internal(set) var failures: [Failure] = []
    public internal(set) var skips: [SkipReason: Int] = [:]
    /// Lines of assertions that features which are on contradict.
    public internal(set) var contradicted: [Int] = []
    /// Stages at which modules that have to be refused were refused.
    public internal(set) var stages: [RefusalStage: Int] = [:]
    /// Milligas charged by all actions together, wrapping.
    public internal(set) var milligas: UInt64 = 0
    /// What the rewriter changed.
    public internal(set) var rewritten: [String] = []

    init(file: ScriptFile, executor: String) {
        self.file = file
        self.executor = executor
    }

    public var total: Tally {
        AssertionKind.allCases.reduce(Tally()) { $0 + (tallies[$1] ?? Tally()) }
    }
}
