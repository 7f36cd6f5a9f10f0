/// A plan that does not fit the body it is for: a fault of this program, never a property of the module. Nothing that
/// was computed with such a plan may be used, and no refusal may come of it.
public struct PlanFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Rule: Hashable, Sendable, CustomStringConvertible {
        /// Gas that no place of the body was found for.
        case leftOver(milligas: UInt64)
        /// A charge stands before one that comes earlier in the body, beside it, or at no instruction.
        case misplaced
        /// A charge by operand stands before an instruction that has no units to charge.
        case withoutUnits(instruction: String)
        /// A charge by operand stands where the stack has no operand.
        case withoutOperand(instruction: String)
        /// The opcode table does not say how an instruction changes the stack.
        case withoutEffect(instruction: String)

        public var description: String {
            switch self {
            case .leftOver(let milligas): "a charge of \(milligas) milligas is left over"
            case .misplaced: "a charge is out of place"
            case .withoutUnits(let name): "a charge by operand stands before \(name)"
            case .withoutOperand(let name): "a charge by operand stands before \(name), which has no operand here"
            case .withoutEffect(let name): "\(name) has no effect on the stack in the table"
            }
        }
    }

    /// In the function index space.
    public let function: UInt32
    /// Index of the instruction in the body.
    public let position: Int
    /// What is wrong.
    public let rule: Rule

    public init(function: UInt32, position: Int, rule: Rule) {
        self.function = function
        self.position = position
        self.rule = rule
    }

    public var description: String { "metering plan of function \(function), instruction \(position): \(rule)" }
}
