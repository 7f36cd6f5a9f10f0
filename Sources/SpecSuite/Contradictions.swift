/// Assertions of wg-1.0 that do not hold under the features the FVM has on, one by one.
enum Contradictions {
    private static let lines: [String: Set<Int>] = [
        // More than one table is valid since reference types; the profile refuses it later, at the pool limits.
        "wg-1.0/imports": [310, 314, 318],
        // Segments before the one that traps stay written since bulk memory.
        "wg-1.0/linking": [236, 248, 342, 354],
        // Labels of a br_table in dead code may differ in type since reference types.
        "wg-1.0/unreached-invalid": [539],
    ]

    static func contains(_ file: ScriptFile, _ line: Int) -> Bool { lines[file.title]?.contains(line) ?? false }
}
