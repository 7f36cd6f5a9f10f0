import WasmFormat

/// Writes side tables, one body after the other, while the validator goes through them. The arrays that grow are kept
/// from body to body; a finished table has arrays of its own, of the right size.
struct SideTableBuilder {
    private(set) var constructs: [SideTable.Construct] = []
    private var branches: [SideTable.Branch] = []
    private var targets: [UInt32] = []
    private var unreachable: [SideTable.Unreachable] = []
    private var assignments: [SideTable.Assignment] = []
    private var maximumHeight = 0

    /// Whether control can come to the instruction at hand.
    private(set) var isReachable = true
    /// Where the unreachable code at hand begins.
    private var unreachableStart: UInt32 = 0
    /// Per local the index behind its last assignment, 0 for none. As long as the highest local assigned so far in any
    /// body asks for, and all 0 between bodies: bodies may declare many more locals than they have bytes.
    private var lastAssignment: [UInt32] = []

    /// Begins a body.
    mutating func begin(result: ValueType?) {
        for assignment in assignments { lastAssignment[Int(assignment.local)] = 0 }
        constructs.removeAll(keepingCapacity: true)
        branches.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
        unreachable.removeAll(keepingCapacity: true)
        assignments.removeAll(keepingCapacity: true)
        maximumHeight = 0
        isReachable = true
        constructs.append(
            .init(kind: .function, result: result, flags: .reachable, opening: 0, height: 0, parent: 0))
    }

    /// Notes the operands on the stack behind an instruction.
    @inline(__always)
    mutating func note(height: Int) {
        if height > maximumHeight, isReachable { maximumHeight = height }
    }

    /// Opens a construct inside `parent` and returns its number.
    mutating func open(
        _ kind: SideTable.Construct.Kind, result: ValueType?, at position: UInt32, height: Int, parent: UInt32
    ) -> UInt32 {
        constructs.append(
            .init(
                kind: kind, result: result, flags: isReachable ? .reachable : [], opening: position,
                height: UInt32(truncatingIfNeeded: height), parent: parent))
        return UInt32(truncatingIfNeeded: constructs.count - 1)
    }

    /// The `else` of an `if`.
    mutating func otherwise(of construct: UInt32, at position: UInt32) {
        let index = Int(construct)
        constructs[index].storedElse = position
        if isReachable { constructs[index].flags.insert(.firstArmEnds) }
        if constructs[index].isReachable { goOn(at: position, in: construct) }
    }

    /// The `end` of a construct.
    mutating func close(_ construct: UInt32, at position: UInt32) {
        let index = Int(construct)
        constructs[index].storedEnd = position
        let closed = constructs[index]
        let isPassed = closed.kind == .if && closed.else == nil && closed.isReachable
        let isBranchedTo = closed.kind != .loop && closed.branchCount > 0
        guard isReachable || isPassed || isBranchedTo || closed.firstArmFallsThrough else { return }
        constructs[index].flags.insert(.endReachable)
        goOn(at: position, in: construct)
    }

    /// Control comes to an `else` or `end`.
    private mutating func goOn(at position: UInt32, in construct: UInt32) {
        guard !isReachable else { return }
        isReachable = true
        endUnreachable(before: position, in: construct)
    }

    private mutating func endUnreachable(before position: UInt32, in construct: UInt32) {
        guard unreachableStart < position else { return }
        unreachable.append(
            .init(
                start: unreachableStart, stop: position, construct: construct,
                opened: UInt32(truncatingIfNeeded: constructs.count),
                branches: UInt32(truncatingIfNeeded: branches.count)))
    }

    /// A branch, whose targets follow by `target`.
    mutating func branch(at position: UInt32, height: Int, targetCount: Int) {
        branches.append(
            .init(
                storedPosition: position,
                storedHeight: isReachable ? UInt32(truncatingIfNeeded: height) : SideTable.Construct.none,
                firstTarget: UInt32(truncatingIfNeeded: targets.count),
                targetCount: UInt32(truncatingIfNeeded: targetCount)))
    }

    /// The next target of the branch at hand.
    mutating func target(_ construct: UInt32) {
        targets.append(construct)
        if isReachable { constructs[Int(construct)].storedBranches += 1 }
    }

    /// Control does not go past the instruction.
    mutating func stop(at position: UInt32) {
        guard isReachable else { return }
        isReachable = false
        unreachableStart = position + 1
    }

    /// A `local.set` or `local.tee`.
    mutating func assign(_ local: UInt32, at position: UInt32) {
        guard isReachable else { return }
        let index = Int(local)
        if index >= lastAssignment.count {
            lastAssignment.append(contentsOf: repeatElement(0, count: index + 1 - lastAssignment.count))
        }
        // Of none, 0, this makes the mark of none.
        let previous = lastAssignment[index] &- 1
        assignments.append(.init(storedPosition: position, local: local, previous: previous))
        lastAssignment[index] = UInt32(truncatingIfNeeded: assignments.count)
    }

    /// The table of the body, which has `count` instructions.
    mutating func finish(count: UInt32) -> SideTable {
        if !isReachable { endUnreachable(before: count, in: 0) }
        var table = SideTable()
        table.constructs = Self.exact(constructs)
        table.branches = Self.exact(branches)
        table.targets = Self.exact(targets)
        table.unreachable = Self.exact(unreachable)
        table.maximumHeight = maximumHeight
        if !assignments.isEmpty { sortAssignments(into: &table) }
        return table
    }

    /// A copy that takes no more space than it needs.
    private static func exact<Element>(_ array: [Element]) -> [Element] {
        var copy: [Element] = []
        copy.reserveCapacity(array.count)
        copy.append(contentsOf: array)
        return copy
    }

    private mutating func sortAssignments(into table: inout SideTable) {
        var locals: [UInt32] = []
        for assignment in assignments where assignment.previous == SideTable.Construct.none {
            locals.append(assignment.local)
        }
        locals.sort()
        // Follows each local's chain from its last assignment back, twice: to count and to fill.
        var starts: [UInt32] = [0]
        starts.reserveCapacity(locals.count + 1)
        var positions = [UInt32](repeating: 0, count: assignments.count)
        var end = 0
        for local in locals {
            let last = lastAssignment[Int(local)] &- 1
            var count = 0
            var index = last
            while index != SideTable.Construct.none {
                count += 1
                index = assignments[Int(index)].previous
            }
            end += count
            var slot = end
            index = last
            while index != SideTable.Construct.none {
                slot -= 1
                positions[slot] = assignments[Int(index)].storedPosition
                index = assignments[Int(index)].previous
            }
            starts.append(UInt32(truncatingIfNeeded: end))
        }
        table.assignments = Self.exact(assignments)
        table.assignedLocals = locals
        table.positionStarts = starts
        table.positionsByLocal = positions
    }
}
