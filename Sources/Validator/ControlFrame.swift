import WasmFormat

/// An open construct while a body is checked. Without multi-value it has no parameters and one result at most.
struct ControlFrame {
    enum Kind {
        case function
        case block
        case loop
        case ifArm
        case elseArm
    }
    var kind: Kind
    var result: ValueType?
    /// Operands below belong to enclosing constructs.
    var height: Int
    var isUnreachable = false

    /// What a branch to this construct carries.
    var labelType: ValueType? { kind == .loop ? nil : result }
}
