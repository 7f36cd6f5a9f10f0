import Crypto
import WasmFormat

@testable import Metering

/// A plan as the golden files have it: positions in the stack-limited bodies, where a call of a defined function
/// is 15 instructions, and trampolines as functions behind the others.
struct InstrumentedView {
    struct Row: Equatable {
        var index: Int
        var stackCost: Int
        var trampoline: Int
        var trampolineOf: Int
        var instructions: Int
        /// Start in the limited body and milligas.
        var blocks: [[Int]]
        /// Position in the limited body and milligas per unit.
        var linear: [[Int]]

        /// The columns of the compact files.
        var columns: [Int] {
            [
                index, stackCost, trampoline, trampolineOf, instructions, blocks.count,
                blocks.reduce(0) { $0 + $1[1] }, linear.count,
            ]
        }
    }

    private(set) var rows: [Row] = []

    init(_ analyzed: AnalyzedModule) {
        let module = analyzed.module.module
        let plan = analyzed.plan
        let imported = module.importedFunctionCount
        let targets = plan.trampolines.indices.filter { plan.trampolines[$0] != nil }
        var trampolineOf: [Int: Int] = [:]
        for (position, target) in targets.enumerated() { trampolineOf[target] = module.functionCount + position }
        for (position, function) in plan.functions.enumerated() {
            let limited = Self.limitedPositions(module.bodies[position], imported: imported)
            rows.append(
                Row(
                    index: imported + position, stackCost: Int(function.stackCost),
                    trampoline: trampolineOf[imported + position] ?? -1, trampolineOf: -1,
                    instructions: limited.count,
                    blocks: function.blocks.map { [limited.starts[Int($0.position)], Int($0.milligas)] },
                    linear: function.linear.map { [limited.starts[Int($0.position)], Int($0.milligasPerUnit)] }))
        }
        for target in targets {
            let parameters = module.functionType(UInt32(target))?.parameters.count ?? 0
            rows.append(
                Row(
                    index: trampolineOf[target] ?? -1, stackCost: 0, trampoline: -1, trampolineOf: target,
                    instructions: parameters + 16, blocks: [[0, Int(plan.trampolines[target] ?? 0)]], linear: []))
        }
    }

    private static func limitedPositions(_ body: FunctionBody, imported: Int) -> (starts: [Int], count: Int) {
        var starts: [Int] = []
        var next = 0
        for instruction in body.instructions {
            starts.append(next)
            next += instruction.opcode == .call && Int(instruction.index) >= imported ? 15 : 1
        }
        return (starts, next)
    }

    /// The digest that `instr-golden/README.md` of the shared data defines.
    var digest: String {
        var text = ""
        for row in rows {
            text += "f \(row.index) \(row.stackCost) \(row.trampolineOf)\n"
            for block in row.blocks { text += "b \(block[0]) \(block[1])\n" }
            for charge in row.linear { text += "d \(charge[0]) \(charge[1])\n" }
        }
        return hex(Sha2.hash256(Array(text.utf8)))
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
