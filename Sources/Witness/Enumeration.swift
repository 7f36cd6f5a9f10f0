/// Small functions in a fixed order: all trees of few operators over boundary constants, repeated operands and what
/// can be known about a value, in every width.
///
/// The first `coreCount` of them are the kinds with few constants, whole; after them come the same trees over more
/// constants and all sources.
public enum Enumeration {
    private struct Row {
        let family: Family
        /// Index of its first function.
        let start: Int
    }

    private static let core: [Family] = {
        let words = Vocabulary.all
        let two = [Vocabulary.parameter, Vocabulary.phiOfThree]
        func each(_ make: (Vocabulary) -> Family) -> [Family] { words.map(make) }
        let pairs = each {
            .pairs("pairs", $0, sources: two.map($0.source), $0.pieces, $0.fewPieces, $0.operators)
        }
        let mirrored = each {
            .pairs("mirrored pairs", $0, sources: two.map($0.source), $0.fewPieces, $0.pieces, $0.orderedOperators)
        }
        let known = each {
            .pairs("known bits", $0, sources: $0.sources, $0.fewPieces, $0.leaves, $0.operators)
        }
        let comparisons = two.flatMap { source in each { .comparisons($0, source) } }
        let one = each { .constants($0) } + each { .shifts($0) } + each { .fields($0) }
        let other = each { .chains($0) } + each { .choices($0) } + each { .conversions($0) } + Family.floats
        return pairs + mirrored + known + comparisons + one + other
    }()

    private static let further: [Family] = Vocabulary.all.map {
        .pairs("all pairs", $0, sources: $0.sources, $0.manyPieces, $0.manyPieces, $0.operators)
    }

    private static let rows: [Row] = {
        var start = 0
        return (core + further).map { family in
            defer { start += family.count }
            return Row(family: family, start: start)
        }
    }()

    /// Functions of the first part.
    public static let coreCount = core.reduce(0) { $0 + $1.count }

    /// All functions.
    public static let count = coreCount + further.reduce(0) { $0 + $1.count }

    /// Names of the kinds, the index each begins at, and how many functions it has.
    public static var kinds: [(name: String, start: Int, count: Int)] {
        rows.map { ($0.family.name, $0.start, $0.family.count) }
    }

    /// The function of an index below `count`.
    static func function(_ index: Int) -> SmallFunction {
        var low = 0
        var high = rows.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if rows[middle].start <= index { low = middle } else { high = middle }
        }
        return rows[low].family.function(index - rows[low].start)
    }
}

extension Vocabulary {
    fileprivate func source(_ index: Int) -> [UInt8] { sources[index] }
}
