/// A text for people that is made when somebody reads it: most refusals of syscalls are answers that actors expect and
/// nobody looks at.
public struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    private let make: @Sendable () -> String

    public init(_ make: @escaping @Sendable () -> String) { self.make = make }

    /// The text; made anew each time.
    public var description: String { make() }

    /// By text.
    public static func == (left: Diagnostic, right: Diagnostic) -> Bool { left.description == right.description }
}
