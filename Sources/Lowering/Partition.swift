/// How the code of a module is divided: stretches of the index space of functions that are made into objects of their
/// own, for the linker to put one behind the other.
///
/// A property of the WASM and the options. So parts can be made side by side, and the bytes are the same however many
/// are at a time. Functions keep their order, and all tables but the functions' own lie in the last part.
struct Partition: Sendable, Equatable {
    /// Each begins where the one before ends; imports belong to the first.
    let parts: [Range<Int>]

    /// - Parameters:
    ///   - imported: functions of the module that are imported.
    ///   - length: what a part has at least, in the measure of `Estimate.length`.
    init(_ estimates: [Estimate], imported: Int, length: UInt64) {
        // Every function costs the code generator something, however short it is.
        let costs = estimates.map { $0.length + Self.fixedCost }
        let total = costs.reduce(0, +)
        let count = max(1, min(Self.most, total / max(1, length)))
        var parts: [Range<Int>] = []
        var start = 0
        var number: UInt64 = 0
        var before: UInt64 = 0
        for (position, cost) in costs.enumerated() {
            let own = before * count / total
            if own != number {
                parts.append(start..<imported + position)
                start = imported + position
                number = own
            }
            before += cost
        }
        parts.append(start..<imported + costs.count)
        self.parts = parts
    }

    /// All in one.
    init(whole functions: Int) { parts = [0..<functions] }

    private static let fixedCost: UInt64 = 16
    /// Each part costs some milliseconds, and every processor wants many, since times of equal estimates differ and who
    /// is done first waits for the last part of another.
    static let most: UInt64 = 32
}

/// Has `work` run for every number below `count`, once each, in any order and on any threads, and comes back when all
/// have. Threads need stacks as large as the one that lowering begins on.
public typealias SideBySide = (_ count: Int, _ work: @escaping @Sendable (Int) -> Void) -> Void
