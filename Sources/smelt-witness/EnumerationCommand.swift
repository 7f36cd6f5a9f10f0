import CommandTable
import Foundation
import Witness

/// All small functions of a range, compiled by thousands and compared on boundary values.
enum EnumerationCommand {
    static let command = Command(
        "enumeration", "All small functions over operators, boundary constants and shapes that optimisers look for.",
        discussion: """
            Functions have numbers. Those of the kinds with few constants come first (--kinds lists them); the others \
            are the same trees over more constants. A function that fails is printed as text.
            """,
        options: [
            Option("from", .integer("N", 0...UInt64(Int64.max)), "The first function (default: 0)."),
            Option(
                "count", .integer("N", 1...UInt64(Int64.max)),
                "How many functions (default: the rest of the first part)."),
            Option("stride", .integer("N", 1...UInt64(Int64.max)), "Take every N-th function (default: 1)."),
            Option(
                "way", .choice(["optimised", "baseline", "metered", "rotate"]),
                "Which compiled code; rotate is optimised with every eighth module baseline or metered in place of it."),
            Option("print", "Print the functions as text in place of checking them."),
            Option("kinds", "List the kinds of functions and where they begin."),
        ])

    static func run(_ arguments: Parsed) throws -> Int32 {
        if arguments.has("kinds") {
            for kind in Enumeration.kinds { say("\(kind.start)\t\(kind.count)\t\(kind.name)") }
            say("\(Enumeration.coreCount) functions in the first part, \(Enumeration.count) in all")
            return 0
        }
        let from = Int(arguments.integer("from") ?? 0)
        let stride = Int(arguments.integer("stride") ?? 1)
        let most = max(0, Enumeration.count - from + stride - 1) / stride
        let count = min(
            most, arguments.integer("count").map { Int($0) } ?? max(0, Enumeration.coreCount - from) / stride)
        if arguments.has("print") {
            for place in 0..<count { say(try Enumeration.text(from + place * stride)) }
            return 0
        }
        let witness = try SmallFunctionWitness()
        var passed = 0
        var failed = 0
        var done = 0
        var turn = 0
        while done < count {
            let size = min(count - done, SmallFunctionWitness.batchSize)
            let first = from + done * stride
            let indices = (0..<size).map { first + $0 * stride }
            // Said before it is tried, so that a crash of the compiler has a place.
            report("from \(first): \(passed) passed, \(failed) failed")
            let way = way(arguments.value("way") ?? "rotate", turn)
            for failure in try witness.check(indices, way) {
                failed += 1
                say("FAILED \(failure)")
                say("  again: smelt-witness enumeration --from \(failure.index) --count 1 --way \(failure.way.name)")
            }
            passed = done + size - failed
            done += size
            turn += 1
        }
        return conclude(passed: passed, failed: failed)
    }

    private static func way(_ name: String, _ turn: Int) -> EnumerationWay {
        switch name {
        case "baseline": .baseline
        case "metered": .metered
        case "rotate": turn % 8 == 3 ? .baseline : turn % 8 == 7 ? .metered : .optimised
        default: .optimised
        }
    }
}
