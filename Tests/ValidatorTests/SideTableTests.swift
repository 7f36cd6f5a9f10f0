import Bundle
import TestSupport
import Testing
import WasmFormat

@testable import Validator

@Suite struct SideTableTests {
    private func validated(
        _ code: [UInt8], parameters: [UInt8] = [], results: [UInt8] = [], locals: [(count: Int, type: UInt8)] = []
    ) throws -> ValidatedModule {
        let bytes = moduleUnderTest(code, parameters: parameters, results: results, locals: locals).bytes
        return try ValidatedModule.validate(Module.decode(bytes, profile: .fvm), profile: .fvm)
    }

    /// The table of function 1 of the module under test, which is checked on the way.
    private func table(
        _ text: String, parameters: [UInt8] = [], results: [UInt8] = [], locals: [(count: Int, type: UInt8)] = []
    ) throws -> SideTable {
        let module = try validated(
            Assembler.assemble(text), parameters: parameters, results: results, locals: locals)
        #expect(difference(module, body: 1) == nil, "\(text)")
        return module.sideTables[1]
    }

    /// What differs between a table and the recomputed facts, nil when nothing does.
    private func difference(_ validated: ValidatedModule, body index: Int) -> String? {
        let table = validated.sideTables[index]
        let body = validated.module.bodies[index]
        let facts = RecomputedTable(validated.module, body: index)
        guard table.constructs.count == facts.constructs.count else { return "constructs" }
        for (found, expected) in zip(table.constructs, facts.constructs) {
            let same =
                found.kind == expected.kind && found.result == expected.result && found.opening == expected.opening
                && found.else == expected.else && found.end == expected.end && found.parent == expected.parent
                && found.isReachable == (expected.height != nil)
                && (expected.height == nil || found.height == expected.height)
                && found.isEndReachable == expected.isEndReachable && found.branchCount == expected.branchCount
                && found.firstArmFallsThrough == expected.firstArmFallsThrough
            guard same else { return "\(found) for \(expected)" }
        }
        let branches = table.branches.map { branch in
            RecomputedTable.Branch(
                position: branch.position, targets: table.targets(of: branch).map(Int.init),
                height: branch.isReachable ? branch.height : nil)
        }
        guard branches == facts.branches else { return "branches" }
        guard zip(table.branches, branches).allSatisfy({ table.lastTarget(of: $0) == $1.targets.last }) else {
            return "last targets"
        }
        guard table.maximumHeight == facts.peak else { return "\(table.maximumHeight) for \(facts.peak)" }
        for position in body.instructions.indices {
            guard table.isReachable(position) == (facts.heights[position] != nil) else { return "reach of \(position)" }
        }
        return walkDifference(table, body, facts) ?? assignmentDifference(table, body, facts)
    }

    private func walkDifference(_ table: SideTable, _ body: FunctionBody, _ facts: RecomputedTable) -> String? {
        for skips in [false, true] {
            var cursor = SideTable.Cursor()
            var position = 0
            while position < body.instructions.count {
                if skips {
                    let next = cursor.reachable(from: position, in: table)
                    guard facts.heights[position..<next].allSatisfy({ $0 == nil }) else { return "skip of \(position)" }
                    position = next
                    guard position < body.instructions.count else { break }
                    guard facts.heights[position] != nil else { return "no skip of \(position)" }
                }
                guard cursor.innermost == facts.innermost[position] else { return "construct at \(position)" }
                switch body.instructions[position].opcode {
                case .block, .loop, .if: cursor.open()
                case .end:
                    guard cursor.close(in: table) == facts.innermost[position] else { return "end at \(position)" }
                case .br, .brIf, .brTable, .return:
                    guard cursor.branch(in: table).position == position else { return "branch at \(position)" }
                default: break
                }
                position += 1
            }
        }
        return nil
    }

    private func assignmentDifference(_ table: SideTable, _ body: FunctionBody, _ facts: RecomputedTable) -> String? {
        let expected = body.instructions.enumerated().filter { position, instruction in
            (instruction.opcode == .localSet || instruction.opcode == .localTee) && facts.heights[position] != nil
        }.map { (position: $0.offset, local: $0.element.index) }
        guard table.assignments.map(\.position) == expected.map(\.position),
            table.assignments.map(\.local) == expected.map(\.local)
        else { return "assignments" }
        let locals = Set(expected.map(\.local))
        guard table.assignedLocals == locals.sorted() else { return "assigned locals" }
        // As many constructs and locals as can be gone through one by one.
        for construct in table.constructs.prefix(20) {
            let here = expected.filter { construct.inside.contains($0.position) }
            let distinct = Set(here.map(\.local))
            guard table.assignments(in: construct.inside).count == here.count else { return "assignments inside" }
            for local in Array(locals.prefix(20)) + [UInt32.max] {
                guard table.isAssigned(local, in: construct.inside) == distinct.contains(local) else {
                    return "assignment of \(local)"
                }
            }
            var listed: [UInt32] = []
            table.forEachLocal(assignedIn: construct.inside) { listed.append($0) }
            guard listed.count == distinct.count, Set(listed) == distinct else { return "locals assigned inside" }
        }
        return nil
    }

    @Test func constructsAreListedInTheOrderOfOpening() throws {
        let table = try table("i32.const 1 if i32 loop end i32.const 1 else i32.const 2 end drop block end")
        let rows = table.constructs.map { "\($0.kind) \($0.opening) \($0.else ?? -1) \($0.end) \($0.parent)" }
        #expect(rows == ["function 0 -1 11 0", "if 1 5 7 0", "loop 2 -1 3 1", "block 9 -1 10 0"])
        #expect(table.constructs[1].resultCount == 1 && table.constructs[1].carried == .i32)
        #expect(table.constructs[1].inside == 2..<7)
        #expect(table.constructs[0].inside == 0..<11)
    }

    @Test func aLoopCarriesNothing() throws {
        let table = try table("loop i32 i32.const 1 end drop")
        #expect(table.constructs[1].result == .i32)
        #expect(table.constructs[1].carried == nil)
        #expect(table.constructs[1].carriedCount == 0)
    }

    @Test func heightsAreThoseBelowTheConstructAndAtTheBranch() throws {
        let table = try table(
            "i32.const 1 i32.const 2 block i32 i32.const 3 i32.const 4 i32.const 5 br_if 0 br 0 end drop drop drop")
        #expect(table.constructs[1].height == 2)
        #expect(table.branches.map(\.height) == [4, 4])
        #expect(table.maximumHeight == 5)
    }

    @Test func branchesNameTheirTargets() throws {
        let table = try table("block loop i32.const 0 br_table 0,1,1,2 end end return")
        #expect(table.targets(of: table.branches[0]) == [2, 1, 1, 0])
        #expect(table.lastTarget(of: table.branches[0]) == 0)
        #expect(Array(table.targets(of: table.branches[1])) == [0])
        #expect(table.constructs.map(\.branchCount) == [2, 2, 1])
    }

    /// Ranges of unreachable code.
    @Test(arguments: [
        ("", []), ("unreachable", [1..<2]), ("br 0", []), ("return nop nop", [1..<3]),
        ("block br 0 nop end nop", [2..<3]), ("block br 1 end nop", [2..<4]), ("loop br 0 end nop", [2..<5]),
        ("block unreachable block br 0 end end nop", [2..<8]),
        ("i32.const 0 if unreachable nop end nop", [3..<4]), ("i32.const 0 if return else return end nop", [5..<7]),
        ("i32.const 0 if return else end nop", []),
        ("i32.const 0 if return nop else nop return end nop", [3..<4, 7..<9]),
        ("block i32.const 0 br_if 0 return end", []), ("block block return i32.const 0 br_if 1 end end nop", [3..<8]),
        ("loop i32.const 0 br_if 0 end nop", []), ("block i32.const 0 br_table 0 end", []),
        ("unreachable i32.const 0 if return else nop end", [1..<8]),
        ("block block br 0 nop end br 0 nop end return", [3..<4, 6..<7]),
    ])
    func unreachableCodeIsFound(text: String, expected: [Range<Int>]) throws {
        // The function's own end is reached by a branch to it, or by falling through.
        #expect(try table(text).unreachable.map(\.positions) == expected, "\(text)")
    }

    @Test func constructsAndBranchesInUnreachableCodeAreListed() throws {
        let table = try table("return block i32 loop i32.const 1 br 1 end i32.const 2 end drop")
        #expect(table.constructs.count == 3)
        #expect(table.constructs.map(\.isReachable) == [true, false, false])
        #expect(table.constructs.map(\.isEndReachable) == [true, false, false])
        #expect(table.constructs.map(\.branchCount) == [1, 0, 0])
        #expect(table.branches.map(\.isReachable) == [true, false])
        #expect(table.lastTarget(of: table.branches[1]) == 1)
    }

    @Test func assignmentsAreFoundByLocalAndByPlace() throws {
        let table = try table(
            "i32.const 1 local.set 3 loop i32.const 1 local.tee 2 local.set 3 loop i32.const 1 local.set 2 end end "
                + "i32.const 0 local.set 40000 return i32.const 0 local.set 1",
            locals: [(50_000, Byte.i32)])
        #expect(table.assignments.map(\.position) == [1, 4, 5, 8, 12])
        #expect(table.assignedLocals == [2, 3, 40_000])
        let outer = table.constructs[1].inside
        let inner = table.constructs[2].inside
        #expect(table.isAssigned(3, in: outer) && !table.isAssigned(3, in: inner))
        #expect(table.isAssigned(2, in: outer) && table.isAssigned(2, in: inner))
        #expect(!table.isAssigned(40_000, in: outer) && !table.isAssigned(1, in: 0..<100))
        #expect(!table.isAssigned(3, in: 2..<5) && table.isAssigned(3, in: 2..<6) && table.isAssigned(3, in: 1..<2))
        var locals: [UInt32] = []
        table.forEachLocal(assignedIn: outer) { locals.append($0) }
        #expect(locals == [2, 3])
    }

    @Test func oneBodysAssignmentsAreNotTheNexts() throws {
        var module = moduleUnderTest(Assembler.assemble("i32.const 0 local.set 0"), locals: [(1, Byte.i32)])
        module.functions.append(module.functions[1])
        let validated = try ValidatedModule.validate(Module.decode(module.bytes, profile: .fvm), profile: .fvm)
        #expect(validated.sideTables.map(\.assignedLocals) == [[], [0], [0]])
        #expect((0..<3).allSatisfy { difference(validated, body: $0) == nil })
    }

    @Test(arguments: 0..<40)
    func tablesOfRandomBodiesEqualTheRecomputedFacts(seed: UInt64) throws {
        var bodies = RandomBodies(seed: seed)
        for _ in 0..<50 {
            let code = bodies.body()
            let module = try validated(code, parameters: [Byte.i32, Byte.i32], locals: [(2, Byte.i32)])
            #expect(difference(module, body: 1) == nil, "\(code)")
        }
    }

    @Test func tablesOfEveryBodyOfABundleEqualTheRecomputedFacts() throws {
        guard let path = sharedData("bundles/builtin-actors-mainnet-v10.car.zst") else { return }
        let bundle = try ActorBundle.open(path: path)
        var count = 0
        for code in bundle.codes {
            let wasm = try #require(bundle.code(code.cid))
            let module = try ValidatedModule.validate(Module.decode(wasm, profile: .fvm), profile: .fvm)
            #expect(module.sideTables.count == module.module.bodies.count)
            for index in module.module.bodies.indices {
                count += 1
                if let found = difference(module, body: index) { Issue.record("\(code.name) \(index): \(found)") }
            }
        }
        #expect(count > 10_000)
    }
}

/// Random valid bodies of two i32 parameters and two i32 locals: constructs, branches with more operands below than
/// they carry, and code behind them.
private struct RandomBodies {
    private var state: UInt64
    private var code: [UInt8] = []
    /// Whether the label of each open construct carries an i32.
    private var labels: [Bool] = []

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    private mutating func random(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(count))
    }

    mutating func body() -> [UInt8] {
        code = []
        labels = [false]
        statements(depth: 0)
        return code
    }

    private mutating func statements(depth: Int) {
        for _ in 0..<random(4) { statement(depth: depth) }
    }

    private mutating func add(_ text: String) { code += Assembler.assemble(text) }

    private mutating func branch(_ label: Int, _ instruction: (Int) -> String, drops: Bool) {
        if labels[labels.count - 1 - label] { add("i32.const 7") }
        add(instruction(label))
        if drops, labels[labels.count - 1 - label] { add("drop") }
    }

    private mutating func statement(depth: Int) {
        let label = random(labels.count)
        switch random(depth > 5 ? 8 : 14) {
        case 0: add("nop")
        case 1: add("local.get \(random(4)) local.set \(random(4))")
        case 2: add("i32.const 5 local.tee \(random(4)) drop")
        case 3: branch(label, { "br \($0)" }, drops: false)
        case 4: branch(label, { "local.get 1 br_if \($0)" }, drops: true)
        case 5: add(random(2) == 0 ? "return" : "unreachable")
        case 6:
            let same = labels.indices.filter { labels[labels.count - 1 - $0] == labels[labels.count - 1 - label] }
            let chosen = (0...random(4)).map { _ in same[random(same.count)] }.map(String.init)
            branch(label, { "local.get 0 br_table \((chosen + ["\($0)"]).joined(separator: ","))" }, drops: false)
        case 7: add("local.get 0 i32.const 3 i32.add drop")
        default: construct(depth: depth)
        }
    }

    private mutating func construct(depth: Int) {
        let result = random(2) == 0
        let below = random(3)
        for _ in 0..<below { add("i32.const 9") }
        let type = result ? " i32" : ""
        switch random(3) {
        case 0: arm("block" + type, carries: result, result, depth)
        case 1: arm("loop" + type, carries: false, result, depth)
        default:
            add("local.get 0")
            arm("if" + type, carries: result, result, depth)
            if result || random(2) == 0 { arm("else", carries: result, result, depth) }
        }
        add("end")
        for _ in 0..<below + (result ? 1 : 0) { add("drop") }
    }

    private mutating func arm(_ opening: String, carries: Bool, _ result: Bool, _ depth: Int) {
        add(opening)
        labels.append(carries)
        statements(depth: depth + 1)
        if result { add("i32.const 8") }
        labels.removeLast()
    }
}
