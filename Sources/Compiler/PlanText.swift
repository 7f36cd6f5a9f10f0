import JSON
import Metering

/// The metering plan as JSON, for `--emit plan`.
enum PlanText {
    /// Functions in the order of their bodies; positions are instructions, amounts milligas.
    static func json(_ analyzed: AnalyzedModule) -> [UInt8] {
        let plan = analyzed.plan
        let imported = plan.trampolines.count - plan.functions.count
        let functions = plan.functions.enumerated().map { position, function in
            JSONValue.object([
                "function": .integer(imported + position),
                "stack_cost": .integer(function.stackCost),
                "entry_milligas": plan.trampolines[imported + position].map { .integer($0) } ?? .null,
                "blocks": .array(
                    function.blocks.map { .array([.integer($0.position), .integer($0.milligas)]) }),
                "linear": .array(
                    function.linear.map { .array([.integer($0.position), .integer($0.milligasPerUnit)]) }),
            ])
        }
        let report = JSONValue.object([
            "schema": .string("smelt.plan/1"), "stack_limit": .integer(plan.stackLimit), "functions": .array(functions),
        ])
        return Array(report.text(.indented).utf8) + [UInt8(ascii: "\n")]
    }
}
