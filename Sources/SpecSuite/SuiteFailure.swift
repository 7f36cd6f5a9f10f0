/// Why a script could not be run: a fault of the harness or of this machine, not of what is tested.
public struct SuiteFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
