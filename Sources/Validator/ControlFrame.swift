import WasmFormat

/// An open construct while a body is checked. Without multi-value it has no parameters and one result at most.
struct ControlFrame {
    /// Its number in the side table.
    let construct: UInt32
    let kind: SideTable.Construct.Kind
    let result: ValueType?
    /// Operands below belong to enclosing constructs.
    let height: Int
    var hasElse = false
    /// Whether validation lets its operands be of any type from here on.
    var isUnreachable = false

    /// What a branch to this construct carries.
    var labelType: ValueType? { kind == .loop ? nil : result }
}
