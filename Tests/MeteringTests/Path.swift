import SeededRandom
import Validator
import WasmFormat

@testable import Metering

/// One path through the body of a module's first function, with conditions decided at random.
struct Path {
    private let body: FunctionBody
    private let table: SideTable
    private let plan: MeteringPlan.Function
    private let inlining: Inlining
    private let longest = 200

    init(_ analyzed: AnalyzedModule) {
        body = analyzed.module.module.bodies[0]
        table = analyzed.module.sideTables[0]
        plan = analyzed.plan.functions[0]
        inlining = analyzed.inlining
    }

    /// What is wrong with the charges on the path; nil when nothing is.
    func fault(_ counter: CounterPlan, _ random: inout SplitMix64) -> String? {
        let due = Dictionary(uniqueKeysWithValues: plan.blocks.map { (Int($0.position), $0.milligas) })
        let byOperand = Set(plan.linear.map { Int($0.position) })
        let charges = Dictionary(uniqueKeysWithValues: counter.charges.map { (Int($0.position), $0.parts) })
        let calls = Dictionary(uniqueKeysWithValues: counter.calls.map { (Int($0.position), $0) })
        var owed: [UInt64] = []
        var compared: UInt32 = 0
        var position = 0
        for _ in 0..<longest {
            if let amount = due[position] { owed.append(amount) }
            let callee = callee(at: position)
            if let callee, calls[position]?.isTested == false { owed += callee.milligas.map { [$0] } ?? [] }
            if let parts = charges[position] {
                guard parts == owed else { return "at \(position) \(parts) is charged, due is \(owed)" }
                owed = []
            }
            let opcode = body.instructions[position].opcode
            if let callee {
                guard let call = calls[position] else { return "nobody says how \(position) is inlined" }
                if call.isTested {
                    guard owed.isEmpty else { return "the height is compared at \(position) before \(owed) is charged" }
                    compared = max(compared, callee.stackCost)
                    if let amount = callee.milligas, !call.chargesItself { owed = [amount] }
                }
                guard compared >= callee.stackCost else { return "no height is compared at \(position)" }
                if callee.showsCharge, !owed.isEmpty { return "\(owed) is not charged in the callee at \(position)" }
            } else if !owed.isEmpty, byOperand.contains(position) || Self.shows(opcode) {
                return "\(opcode.name) at \(position) comes before \(owed) is charged"
            }
            guard let next = next(after: position, &random) else {
                return owed.isEmpty ? nil : "\(owed) is never charged"
            }
            position = next
        }
        return nil
    }

    private func callee(at position: Int) -> Inlining.Callee? {
        let instruction = body.instructions[position]
        return instruction.opcode == .call ? inlining.callee(Int(instruction.index)) : nil
    }

    /// Written again, by what an instruction does: the table of recipes is what the pass goes by.
    private static func shows(_ opcode: Opcode) -> Bool {
        let name = opcode.name
        return name.contains("load") || name.contains("store") || name.contains("div") || name.contains("rem_")
            || name.hasPrefix("memory.grow") || name.hasPrefix("call") || name == "global.set" || name == "unreachable"
            || name == "return" || name.contains("trunc_f")
    }

    /// Where control goes from an instruction; nil out of the function.
    private func next(after position: Int, _ random: inout SplitMix64) -> Int? {
        switch body.instructions[position].opcode {
        case .unreachable: return nil
        case .else:
            return table.constructs.first { $0.else == position }.map { $0.end + 1 }
        case .if:
            guard random.below(2) == 0,
                let row = table.constructs.first(where: { $0.kind == .if && $0.opening == position })
            else { return position + 1 }
            return (row.else ?? row.end) + 1
        case .br, .return, .brTable, .brIf:
            guard let branch = table.branches.first(where: { $0.position == position }) else { return nil }
            if body.instructions[position].opcode == .brIf, random.below(2) == 0 { return position + 1 }
            let targets = Array(table.targets(of: branch))
            let construct = table.constructs[Int(targets[random.below(targets.count)])]
            if construct.kind == .loop { return construct.opening + 1 }
            return construct.kind == .function ? nil : construct.end + 1
        default:
            return position + 1 < body.instructions.count ? position + 1 : nil
        }
    }
}

/// Bodies of nested constructs with branches of every kind, between instructions that show charges and others.
enum RandomBody {
    static func text(_ random: inout SplitMix64) -> String {
        var words: [String] = []
        statements(depth: 0, &random, &words)
        return words.joined(separator: " ")
    }

    private static func statements(depth: Int, _ random: inout SplitMix64, _ words: inout [String]) {
        for _ in 0..<1 + random.below(5) { statement(depth: depth, &random, &words) }
    }

    private static func statement(depth: Int, _ random: inout SplitMix64, _ words: inout [String]) {
        let label = "\(random.below(depth + 1))"
        switch random.below(depth < 5 ? 16 : 9) {
        case 0: words.append("local.get 0 i32.load drop")
        case 1: words.append(random.below(4) == 0 ? "local.get 0 memory.grow drop" : "nop")
        case 2: words.append("local.get 0 br_if \(label)")
        case 3: words.append(random.below(3) == 0 ? "br \(label)" : "local.get 0 br_if \(label)")
        case 4: words.append(random.below(3) == 0 ? "local.get 0 br_table 0,\(label)" : "local.get 0 local.set 0")
        case 5: words.append(["return", "unreachable", "call 0", "call 2"][random.below(4)])
        case 6, 7: words.append("call \(3 + random.below(4))")
        case 8: words.append("local.get 0 i32.eqz drop")
        case 9, 10, 11: enclosed("block", depth, &random, &words)
        case 12: enclosed("loop", depth, &random, &words)
        case 13: enclosed("local.get 0 if", depth, &random, &words)
        default:
            words.append("local.get 0 if")
            statements(depth: depth + 1, &random, &words)
            words.append("else")
            statements(depth: depth + 1, &random, &words)
            words.append("end")
        }
    }

    private static func enclosed(
        _ opening: String, _ depth: Int, _ random: inout SplitMix64, _ words: inout [String]
    ) {
        words.append(opening)
        statements(depth: depth + 1, &random, &words)
        words.append("end")
    }
}
