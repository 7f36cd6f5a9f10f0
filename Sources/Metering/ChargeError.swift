import WasmFormat

/// Why a function's charges could not be worked out.
enum ChargeError: Error, Hashable, Sendable {
    /// The reference refuses the module.
    case refused(Refusal)
    /// This program went wrong.
    case fault(PlanFault)
}

extension Refusal {
    /// Runs a part of the front end that may refuse.
    ///
    /// A fault ends the process, which is a worker's or a witness's: it must neither look like a refusal, which is an
    /// answer of consensus, nor let a plan go out that lost a charge.
    static func orTrap<Result>(_ body: () throws(ChargeError) -> Result) throws(Refusal) -> Result {
        do throws(ChargeError) {
            return try body()
        } catch {
            switch error {
            case .refused(let refusal): throw refusal
            case .fault(let fault): fatalError(fault.description)
            }
        }
    }
}
