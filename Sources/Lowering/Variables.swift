import LLVMKit

/// What a variable holds: a value, or what a join or the head of a loop makes of the values that reach it.
enum Definition: Equatable {
    case value(Value)
    /// Of a region: its edges bring the values.
    case merge(Int)
}

/// The variables of one function (its locals, and the gas counter) in SSA form.
///
/// Control is structured, so nothing has to be searched for: every variable has a list of its definitions in the
/// order of emission, an edge is a block and a time, and what a variable holds on an edge is the last definition
/// before that time. The end of a construct gives each variable assigned inside the definition "what the edges
/// bring"; the head of a loop gives it to each variable assigned in the loop. A phi is made when such a definition
/// is read and the edges differ, at the beginning of the region's block; its operands are found the same way.
/// Nothing is a phi that nobody reads, and nothing recurses.
///
/// Time and memory: the definitions are as many as assignments, plus, for each construct, the variables assigned
/// in it; the operands are at most the edges of regions times the variables merged there. `Estimate` bounds both.
struct Variables {
    /// Where control flow meets: the end of a construct, or the head of a loop.
    private struct Region {
        var block: Block
        var edges: [Edge] = []
        /// Whether all edges are known; those to a loop's head are when the loop has ended.
        var isComplete: Bool
        /// A loop's head is merged even if all known edges agree: later ones are not known.
        var isLoop: Bool
    }

    private struct Edge {
        var block: Block
        var time: Int
    }

    private struct Version {
        var time: Int
        var definition: Definition
    }

    /// A construct that is open, for the list of variables assigned in it.
    private struct Scope {
        var opened: Int
        /// Each with the innermost scope that knew it before.
        var assigned: [(variable: Int, scopeBefore: Int)] = []
    }

    private struct Key: Hashable {
        var region: Int
        var variable: Int
    }

    private struct Pending {
        var phi: Value
        var variable: Int
        var region: Int
        /// The first edge whose operand is missing.
        var edge: Int
    }

    private let build: Builder
    private let types: [IRType]
    private let initial: [Value]
    private var versions: [[Version]]
    private var regions: [Region] = []
    private var scopes: [Scope] = []
    /// By variable: the innermost open scope that lists it, as its number in order of opening plus one; 0 for none.
    private var scopeOf: [Int]
    private var made: [Key: Value] = [:]
    private var pending: [Pending] = []
    /// Phis of loops that have not ended, by region.
    private var unfinished: [Int: [(phi: Value, variable: Int)]] = [:]
    private var time = 0

    /// - Parameter initial: what each variable holds at the beginning.
    init(_ build: Builder, initial: [Value]) {
        self.build = build
        self.initial = initial
        types = initial.map(\.type)
        versions = [[Version]](repeating: [], count: initial.count)
        scopeOf = [Int](repeating: 0, count: initial.count)
    }

    // MARK: Reading and assigning

    /// The value at the place where instructions are emitted.
    mutating func value(of variable: Int) -> Value {
        guard let last = versions[variable].last else { return initial[variable] }
        if case .value(let value) = last.definition { return value }
        let value = resolve(variable, last.definition)
        versions[variable][versions[variable].count - 1].definition = .value(value)
        fillPending()
        return value
    }

    mutating func assign(_ variable: Int, _ value: Value) { define(variable, .value(value)) }

    private mutating func define(_ variable: Int, _ definition: Definition) {
        time += 1
        versions[variable].append(Version(time: time, definition: definition))
        note(variable)
    }

    private mutating func note(_ variable: Int) {
        let number = scopes.count
        guard number > 0, scopeOf[variable] != number else { return }
        scopes[number - 1].assigned.append((variable, scopeOf[variable]))
        scopeOf[variable] = number
    }

    private func definition(of variable: Int, at time: Int) -> Definition {
        let list = versions[variable]
        // Most often it is one of the last.
        var high = list.count
        if let last = list.last, last.time <= time { return last.definition }
        var low = 0
        while low < high {
            let middle = (low + high) / 2
            if list[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? .value(initial[variable]) : list[low - 1].definition
    }

    // MARK: Constructs

    /// A region whose edges come before its block is emitted.
    mutating func makeRegion(_ block: Block) -> Int {
        regions.append(Region(block: block, isComplete: false, isLoop: false))
        return regions.count - 1
    }

    /// Control goes from the end of `block` to the region, with what the variables hold now.
    mutating func addEdge(from block: Block, to region: Int) {
        regions[region].edges.append(Edge(block: block, time: time))
    }

    func hasEdges(_ region: Int) -> Bool { !regions[region].edges.isEmpty }

    /// A construct begins.
    mutating func open() { scopes.append(Scope(opened: time)) }

    /// The second arm of an `if` begins, with what the variables held when the construct was opened.
    mutating func restart() {
        guard let scope = scopes.last else { return }
        for (variable, _) in scope.assigned {
            let before = definition(of: variable, at: scope.opened)
            time += 1
            versions[variable].append(Version(time: time, definition: before))
        }
    }

    /// The innermost construct ends; if `region` is given, emission goes on in its block.
    mutating func close(_ region: Int?) {
        guard let scope = scopes.popLast() else { return }
        let enclosing = scopes.count
        if let region { regions[region].isComplete = true }
        for (variable, before) in scope.assigned {
            scopeOf[variable] = before
            if before != enclosing, enclosing > 0 {
                scopes[enclosing - 1].assigned.append((variable, before))
                scopeOf[variable] = enclosing
            }
            guard let region, !regions[region].edges.isEmpty else { continue }
            let edges = regions[region].edges
            let merged =
                edges.count == 1 ? definition(of: variable, at: edges[0].time) : Definition.merge(region)
            time += 1
            versions[variable].append(Version(time: time, definition: merged))
        }
    }

    /// A loop begins at `head`, entered from `block`; the construct itself is opened by `open`.
    ///
    /// - Parameter assigned: the variables assigned in it, each once.
    mutating func openLoop(_ head: Block, from block: Block, assigned: [Int]) -> Int {
        let region = regions.count
        regions.append(
            Region(block: head, edges: [Edge(block: block, time: time)], isComplete: false, isLoop: true))
        open()
        for variable in assigned { define(variable, .merge(region)) }
        return region
    }

    /// A loop ends: all edges to its head are known.
    mutating func closeLoop(_ region: Int) {
        regions[region].isComplete = true
        for (phi, variable) in unfinished.removeValue(forKey: region) ?? [] {
            pending.append(Pending(phi: phi, variable: variable, region: region, edge: 1))
        }
        fillPending()
        close(nil)
    }

    // MARK: Phis

    /// The value of a definition. Phis made on the way wait for their operands.
    private mutating func resolve(_ variable: Int, _ definition: Definition) -> Value {
        var definition = definition
        var followed: [Key] = []
        while case .merge(let region) = definition {
            let key = Key(region: region, variable: variable)
            if let value = made[key] {
                definition = .value(value)
                break
            }
            if let common = commonDefinition(variable, region) {
                followed.append(key)
                definition = common
                continue
            }
            definition = .value(makePhi(key))
        }
        guard case .value(let value) = definition else { return initial[variable] }
        for key in followed { made[key] = value }
        return value
    }

    /// What all edges bring, when they bring one thing.
    private func commonDefinition(_ variable: Int, _ region: Int) -> Definition? {
        guard !regions[region].isLoop, let first = regions[region].edges.first else { return nil }
        let common = definition(of: variable, at: first.time)
        for edge in regions[region].edges.dropFirst()
        where definition(of: variable, at: edge.time) != common { return nil }
        return common
    }

    private mutating func makePhi(_ key: Key) -> Value {
        let phi = build.phi(types[key.variable], atStartOf: regions[key.region].block)
        made[key] = phi
        let isOpen = !regions[key.region].isComplete
        if isOpen { unfinished[key.region, default: []].append((phi, key.variable)) }
        pending.append(Pending(phi: phi, variable: key.variable, region: key.region, edge: 0))
        return phi
    }

    /// Adds the operands that are known. Those of an open loop's further edges come when it ends.
    private mutating func fillPending() {
        while let next = pending.popLast() {
            let edges = regions[next.region].edges
            let count = regions[next.region].isComplete ? edges.count : 1
            guard next.edge < count else { continue }
            for edge in edges[next.edge..<count] {
                let value = resolve(next.variable, definition(of: next.variable, at: edge.time))
                build.addIncoming(next.phi, value, from: edge.block)
            }
        }
    }
}
