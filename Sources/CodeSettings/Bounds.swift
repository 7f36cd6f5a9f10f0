/// How an access outside of linear memory is noticed.
public enum Bounds: String, Sendable, Hashable, CaseIterable {
    /// It faults: memories end in pages without access.
    case guardPages = "guard"
    /// Every access compares its end with the memory's size and branches to the trap.
    case checks = "check"
}
