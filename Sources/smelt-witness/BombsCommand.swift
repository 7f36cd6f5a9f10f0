import Bombs
import CodeSettings
import CommandTable

/// Modules that stress the compiler, in all sizes, in both tiers.
enum BombsCommand {
    static let command = Command(
        "bombs", "Compile modules that stress a compiler; time and memory must be bounded and grow with the size.",
        options: [
            Option("families", .value("A,B"), "Families (default: all; --list lists them)."),
            Option("sizes", .value("N,N"), "Bytes of the modules (default: 262144,524288,1048576)."),
            Option(
                "tier", .choice(Tier.allCases.map(\.rawValue)),
                "One tier (default: each after the other)."),
            Option("list", "List the families."),
        ])

    static func run(_ arguments: Parsed) -> Int32 {
        if arguments.has("list") {
            for family in BombFamily.all { say(family.name) }
            return 0
        }
        let names = arguments.value("families").map { Set($0.split(separator: ",").map(String.init)) }
        let families = BombFamily.all.filter { names?.contains($0.name) ?? true }
        let sizes =
            arguments.value("sizes").map { $0.split(separator: ",").compactMap { Int($0) } } ?? [
                1 << 18, 1 << 19, 1 << 20,
            ]
        let tiers =
            arguments.value("tier").flatMap(Tier.init(rawValue:)).map { [$0] }
            ?? Tier.allCases
        let limits = BombLimits()
        let run = BombRun()
        var passed = 0
        var failed = 0
        say(row("family", "tier", "bytes", "CPU s", "MiB", "ratio"))
        for family in families {
            for tier in tiers {
                report("\(family.name), \(tier.rawValue)")
                let results = run.measure(family, sizes: sizes, tier: tier, limits: limits)
                for (index, result) in results.enumerated() {
                    say(
                        row(
                            family.name, tier.rawValue, "\(result.bytes)", decimal(result.seconds),
                            "\(result.memory >> 20)", index > 0 ? ratio(results[index - 1], result) : ""))
                }
                if let cap = family.cap, let last = results.last, last.bytes < sizes.max() ?? 0 {
                    say("note \(family.name): ends at \(cap.most) \(cap.rule)")
                }
                let breaches = limits.breaches(results)
                for breach in breaches { say("FAILED \(family.name), \(tier.rawValue): \(breach)") }
                if breaches.isEmpty { passed += 1 } else { failed += 1 }
            }
        }
        return conclude(passed: passed, failed: failed)
    }

    /// How many times as long the larger module took, where it is twice as large.
    private static func ratio(_ small: BombResult, _ large: BombResult) -> String {
        guard BombLimits.doublings(small, large) != nil else { return "none: sizes do not double" }
        return decimal(large.seconds / max(0.001, small.seconds))
    }

    private static func row(_ family: String, _ rest: String...) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        return padded(family, 26) + rest.map { padded($0, 11) }.joined()
    }

    private static func decimal(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
    }
}
