import WasmFormat

/// The structure of one function body, noted while it is validated: its constructs, its branches with their targets,
/// which code can be reached, and where locals are assigned. Whoever walks the body afterwards needs no control stack
/// of its own; see `Cursor`.
///
/// Positions are indices of instructions in the body. A construct is a `block`, `loop` or `if`; construct 0 is the
/// function's body itself, and constructs are numbered in the order in which they open, so an enclosing one has the
/// lower number. Everything takes space in proportion to the body.
///
/// Code counts as reachable when control can come to it, whatever the values of conditions: after `br`, `br_table`,
/// `return` and `unreachable` nothing is reachable up to an `else` whose `if` is reachable, or up to an `end` to which
/// control comes by falling through, by a reachable branch, or past an `if` without `else`. An `end` to which control
/// comes in none of these ways is itself unreachable. Validation's own rule (core spec 3.3) is coarser: there, code
/// behind any `end` may be reached.
///
/// Constructs and branches in unreachable code are listed like all others, because the reference's analyses go through
/// them; they say that they are unreachable.
public struct SideTable: Sendable {
    /// In the order of opening; the first is the function's body.
    public internal(set) var constructs: [Construct] = []
    /// Every `br`, `br_if`, `br_table` and `return` in ascending order of position.
    public internal(set) var branches: [Branch] = []
    /// Numbers of constructs, those of one branch side by side; see `targets(of:)`.
    var targets: [UInt32] = []
    /// The unreachable code, in ascending order; no two ranges touch.
    public internal(set) var unreachable: [Unreachable] = []
    /// Every reachable `local.set` and `local.tee` in ascending order of position.
    public internal(set) var assignments: [Assignment] = []
    /// Most operands that reachable code has on the stack.
    public internal(set) var maximumHeight = 0

    /// The locals that occur in `assignments`, ascending.
    public internal(set) var assignedLocals: [UInt32] = []
    /// Where each of `assignedLocals` begins in `positionsByLocal`, and the end.
    var positionStarts: [UInt32] = []
    var positionsByLocal: [UInt32] = []

    /// A `block`, `loop` or `if`, or the function's body.
    public struct Construct: Sendable, Hashable {
        /// Which of them.
        public enum Kind: UInt8, Sendable, Hashable {
            case function, block, loop, `if`
        }

        struct Flags: OptionSet, Hashable {
            var rawValue: UInt8
            static let reachable = Flags(rawValue: 1)
            static let endReachable = Flags(rawValue: 2)
            static let firstArmEnds = Flags(rawValue: 4)
        }

        static let none = UInt32.max

        /// Which construct it is.
        public let kind: Kind
        /// The type of the value it leaves, if any.
        public let result: ValueType?
        var flags: Flags
        let storedOpening: UInt32
        var storedElse = none
        var storedEnd = none
        let storedHeight: UInt32
        let storedParent: UInt32
        var storedBranches: UInt32 = 0

        init(kind: Kind, result: ValueType?, flags: Flags, opening: UInt32, height: UInt32, parent: UInt32) {
            self.kind = kind
            self.result = result
            self.flags = flags
            storedOpening = opening
            storedHeight = height
            storedParent = parent
        }

        /// Position of the instruction that opens it; 0, the first instruction, for the function.
        public var opening: Int { Int(storedOpening) }
        /// Position of the `else`.
        public var `else`: Int? { storedElse == Self.none ? nil : Int(storedElse) }
        /// Position of the `end`.
        public var end: Int { Int(storedEnd) }
        /// Positions from the first instruction inside to the one before the `end`.
        public var inside: Range<Int> { (kind == .function ? 0 : opening + 1)..<end }
        /// Operands on the stack that belong to enclosing constructs (the condition of an `if` is gone by then).
        /// Without meaning when the construct is unreachable.
        public var height: Int { Int(storedHeight) }
        /// Number of the enclosing construct; 0 for the function.
        public var parent: Int { Int(storedParent) }
        /// Operands left when it ends: 0 or 1.
        public var resultCount: Int { result == nil ? 0 : 1 }
        /// The type of the value that a branch to its label carries: none to a loop, whose label is its start.
        public var carried: ValueType? { kind == .loop ? nil : result }
        /// Operands that a branch to its label carries: 0 or 1.
        public var carriedCount: Int { carried == nil ? 0 : 1 }
        /// Reachable branches to its label; a `br_table` counts once for each time it names the label.
        public var branchCount: Int { Int(storedBranches) }
        /// Whether control can come to its opening.
        public var isReachable: Bool { flags.contains(.reachable) }
        /// Whether control can come to its end, and so to what follows it.
        public var isEndReachable: Bool { flags.contains(.endReachable) }
        /// Whether control falls from the first arm of an `if` with `else` to its end.
        public var firstArmFallsThrough: Bool { flags.contains(.firstArmEnds) }
    }

    /// A `br`, `br_if`, `br_table` or `return`.
    public struct Branch: Sendable, Hashable {
        let storedPosition: UInt32
        /// `Construct.none` in unreachable code.
        let storedHeight: UInt32
        let firstTarget: UInt32
        let targetCount: UInt32

        /// Position of the instruction.
        public var position: Int { Int(storedPosition) }
        /// Whether control can come to it.
        public var isReachable: Bool { storedHeight != Construct.none }
        /// Operands on the stack when control leaves, what the branch carries included; the condition of `br_if` and
        /// the selector of `br_table` are gone by then. 0 in unreachable code.
        public var height: Int { isReachable ? Int(storedHeight) : 0 }
    }

    /// A run of positions to which control cannot come.
    public struct Unreachable: Sendable, Hashable {
        let start: UInt32
        let stop: UInt32
        /// The innermost construct at `stop`: the one whose `else` or `end` stands there, 0 behind the body.
        let construct: UInt32
        /// Constructs opened and branches seen before `stop`.
        let opened: UInt32
        let branches: UInt32

        /// The positions; control goes on at an `else` or `end`, or nowhere when the range ends with the body.
        public var positions: Range<Int> { Int(start)..<Int(stop) }
    }

    /// A `local.set` or `local.tee`.
    public struct Assignment: Sendable, Hashable {
        let storedPosition: UInt32
        /// The local.
        public let local: UInt32
        /// Index of the assignment of the same local before this one.
        let previous: UInt32

        /// Position of the instruction.
        public var position: Int { Int(storedPosition) }
    }

    init() {}
}

extension SideTable {
    /// The constructs to whose labels a branch leads: of a `br_table` in its order, the default last; of a `return`
    /// the function.
    public func targets(of branch: Branch) -> ArraySlice<UInt32> {
        let first = Int(branch.firstTarget)
        return targets[first..<first + Int(branch.targetCount)]
    }

    /// The only target of a `br`, `br_if` or `return`, the default of a `br_table`.
    public func lastTarget(of branch: Branch) -> Int { Int(targets[Int(branch.firstTarget + branch.targetCount) - 1]) }

    /// Whether control can come to a position; by binary search.
    public func isReachable(_ position: Int) -> Bool {
        let next = Self.firstIndex(unreachable) { $0.positions.upperBound > position }
        return next == unreachable.count || !unreachable[next].positions.contains(position)
    }

    /// The position of the assignment of the same local before this one, if any.
    public func previousAssignment(of assignment: Assignment) -> Int? {
        assignment.previous == Construct.none ? nil : assignments[Int(assignment.previous)].position
    }

    /// The indices in `assignments` of those at the positions; by binary search.
    public func assignments(in positions: Range<Int>) -> Range<Int> {
        let first = Self.firstIndex(assignments) { $0.position >= positions.lowerBound }
        let end = Self.firstIndex(assignments) { $0.position >= positions.upperBound }
        return first..<end
    }

    /// Whether reachable code at the positions assigns the local; by binary search.
    public func isAssigned(_ local: UInt32, in positions: Range<Int>) -> Bool {
        let row = Self.firstIndex(assignedLocals) { $0 >= local }
        guard row < assignedLocals.count, assignedLocals[row] == local else { return false }
        let list = positionsByLocal[Int(positionStarts[row])..<Int(positionStarts[row + 1])]
        let next = Self.firstIndex(list) { Int($0) >= positions.lowerBound }
        return next < list.endIndex && Int(list[next]) < positions.upperBound
    }

    /// Calls `body` with each local that reachable code at the positions assigns, once, in the order of its first
    /// assignment there.
    ///
    /// Takes time in proportion to the assignments at the positions. For the insides of all loops of a body that is in
    /// proportion to the body times the depth of its loops: who cannot afford it has `isAssigned`.
    public func forEachLocal(assignedIn positions: Range<Int>, _ body: (UInt32) -> Void) {
        let range = assignments(in: positions)
        for assignment in assignments[range]
        where assignment.previous == Construct.none || Int(assignment.previous) < range.lowerBound {
            body(assignment.local)
        }
    }

    /// The first index from which on `isBehind` holds.
    private static func firstIndex<List: RandomAccessCollection>(
        _ list: List, where isBehind: (List.Element) -> Bool
    ) -> Int where List.Index == Int {
        var low = list.startIndex
        var high = list.endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if isBehind(list[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension SideTable {
    /// Where somebody stands who goes through a body in order, with the side table beside it.
    ///
    /// Whoever sees a `block`, `loop` or `if` says `open`, at an `else` nothing, at an `end` `close`, at a `br`,
    /// `br_if`, `br_table` or `return` `branch`. Who wants reachable code only asks `reachable(from:)` before each
    /// instruction and is taken past the rest, constructs and branches in it included.
    public struct Cursor {
        /// Number of the innermost open construct.
        public private(set) var innermost = 0
        /// Number of the construct that opens next.
        public var next: Int { opened }
        private var opened = 1
        private var passedBranches = 0
        private var passedUnreachable = 0

        /// Before the first instruction of a body, in construct 0.
        public init() {}

        /// Enters the construct that the instruction opens.
        public mutating func open() {
            innermost = opened
            opened += 1
        }

        /// Leaves the construct that the `end` closes, and returns its number. The function's own end leaves nothing.
        public mutating func close(in table: SideTable) -> Int {
            let closed = innermost
            innermost = table.constructs[closed].parent
            return closed
        }

        /// The branch that comes next.
        public func nextBranch(in table: SideTable) -> Branch { table.branches[passedBranches] }

        /// The branch that the instruction is.
        public mutating func branch(in table: SideTable) -> Branch {
            passedBranches += 1
            return table.branches[passedBranches - 1]
        }

        /// `position`, or if that is unreachable the position behind the unreachable code.
        public mutating func reachable(from position: Int, in table: SideTable) -> Int {
            guard passedUnreachable < table.unreachable.count else { return position }
            let next = table.unreachable[passedUnreachable]
            guard Int(next.start) <= position else { return position }
            passedUnreachable += 1
            innermost = Int(next.construct)
            opened = Int(next.opened)
            passedBranches = Int(next.branches)
            return Int(next.stop)
        }
    }
}
