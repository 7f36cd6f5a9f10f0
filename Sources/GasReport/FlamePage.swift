import Glibc
import Measuring

/// A page that opens without a network: a message's flame graph by gas above the one by time, each box coloured by how
/// long it took for its gas.
public struct FlamePage {
    private let message: MeasuredMessage
    private let stacks: CallStacks

    public init(_ message: MeasuredMessage, _ stacks: CallStacks) {
        self.message = message
        self.stacks = stacks
    }

    /// A box and what stands on it.
    private final class Node {
        let name: String
        var compute: UInt64 = 0
        var other: UInt64 = 0
        var nanoseconds = 0.0
        var children: [Node] = []

        init(_ name: String) { self.name = name }

        func child(_ name: String) -> Node {
            if let known = children.first(where: { $0.name == name }) { return known }
            let node = Node(name)
            children.append(node)
            return node
        }

        var gas: Double { Double(compute) + Double(other) }
        var depth: Int { 1 + (children.map(\.depth).max() ?? 0) }
    }

    private var root: Node {
        let root = Node("message")
        for entry in stacks.entries {
            var node = root
            for name in [""] + entry.stack {
                if !name.isEmpty { node = node.child(name) }
                node.compute = node.compute.addingSaturating(entry.compute)
                node.other = node.other.addingSaturating(entry.other)
                node.nanoseconds += entry.nanoseconds
            }
        }
        return root
    }

    /// The page.
    public var html: String {
        let root = root
        let title = HTML.text("\(message.vector), message \(message.index)")
        return HTML.page(
            title: title,
            body: """
                <h1>\(title)</h1>
                <p>Exit code \(message.report.exitCode.rawValue), \(message.report.gasUsed) gas, \
                \(Decimal.text(message.elapsed / 1000, 1)) µs (\(message.rounds) rounds). Ten gas for computing \
                pay for one nanosecond: <span class="fast">blue</span> took less time than that, \
                <span class="slow">red</span> more, grey has no gas for computing.</p>
                <section id="flame-by-gas"><h2>By gas</h2>
                \(graph(root, weight: \.gas))</section>
                <section id="flame-by-time"><h2>By time</h2>
                \(graph(root, weight: \.nanoseconds))</section>
                <h2>Table</h2>
                \(table)
                """)
    }

    private static let width = 1200.0
    private static let rowHeight = 18.0

    private func graph(_ root: Node, weight: KeyPath<Node, Double>) -> String {
        let rows = root.depth
        var boxes = ""
        func place(_ node: Node, x: Double, width: Double, level: Int) {
            guard width >= 0.3 else { return }
            let y = Double(rows - 1 - level) * Self.rowHeight
            let label = width > 40 ? HTML.text(String(node.name.prefix(Int(width / 6.6)))) : ""
            boxes += """
                <g><title>\(HTML.text(describe(node)))</title><rect x="\(Decimal.text(x, 1))" y="\(Decimal.text(y, 0))" \
                width="\(Decimal.text(max(0.3, width - 0.5), 1))" height="17" fill="\(Self.colour(node.compute, node.nanoseconds))"/>\
                <text x="\(Decimal.text(x + 3, 1))" y="\(Decimal.text(y + 12.5, 1))">\(label)</text></g>

                """
            let total = node[keyPath: weight]
            guard total > 0 else { return }
            var left = x
            for child in node.children {
                let part = width * child[keyPath: weight] / total
                place(child, x: left, width: part, level: level + 1)
                left += part
            }
        }
        place(root, x: 0, width: Self.width, level: 0)
        let height = Decimal.text(Double(rows) * Self.rowHeight, 0)
        return """
            <div class="wide"><svg class="flame" viewBox="0 0 \(Decimal.text(Self.width, 0)) \(height)" role="img">
            \(boxes)</svg></div>
            """
    }

    private func describe(_ node: Node) -> String {
        let gas = Decimal.text(node.gas / 1000, 0)
        let ratio =
            node.compute > 0 ? ", \(Decimal.text(node.nanoseconds * 1000 / Double(node.compute), 4)) ns per gas" : ""
        return "\(node.name): \(gas) gas (\(Decimal.text(Double(node.compute) / 1000, 0)) for computing), "
            + "\(Decimal.text(node.nanoseconds / 1000, 2)) µs\(ratio)"
    }

    /// From blue, a tenth of the time that gas pays for, over white to red, ten times as much.
    static func colour(_ compute: UInt64, _ nanoseconds: Double) -> String {
        guard compute > 0, nanoseconds > 0 else { return "#b8b8b8" }
        // Nanoseconds per gas over the promised tenth, in tenths of a decade.
        let steps = min(10, max(-10, (10 * log10(nanoseconds * 10_000 / Double(compute))).rounded(.down)))
        let fade = Int(235 - steps.magnitude / 10 * 150)
        return steps >= 0 ? "rgb(235,\(fade),\(fade))" : "rgb(\(fade),\(fade),235)"
    }

    private var table: String {
        let rows = stacks.entries.sorted { $0.nanoseconds > $1.nanoseconds }.map { entry -> [String] in
            [
                entry.stack.joined(separator: " › "), Decimal.text(Double(entry.compute) / 1000, 0),
                Decimal.text(Double(entry.other) / 1000, 0), Decimal.text(entry.nanoseconds, 0),
                entry.compute > 0 ? Decimal.text(entry.nanoseconds * 1000 / Double(entry.compute), 4) : "",
            ]
        }
        return HTML.table(["stack", "gas, computing", "gas, other", "ns", "ns per gas"], rows)
    }
}

/// Pieces of pages that open without a network.
enum HTML {
    /// Text with what is markup in HTML escaped.
    static func text(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// A table; the first column is text, the others numbers.
    static func table(_ columns: [String], _ rows: [[String]]) -> String {
        let head = columns.map { "<th>\(text($0))</th>" }.joined()
        let body = rows.map { "<tr>" + $0.map { "<td>\(text($0))</td>" }.joined() + "</tr>" }.joined(separator: "\n")
        return "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead><tbody>\n\(body)\n</tbody></table></div>"
    }

    /// A page; light or dark as the reader's system is.
    static func page(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>\(title)</title>
        <style>
        :root { color-scheme: light dark; --ink: #1c1c1e; --paper: #ffffff; --line: #d0d0d4; --soft: #f3f3f6; \
        --mark: #0b62c4; --warm: #c4350b; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e6ea; --paper: #17171a; --line: #3c3c42; \
        --soft: #222227; --mark: #6db1ff; --warm: #ff8b66; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); \
        max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
        .wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
        thead th { background: var(--soft); position: sticky; top: 0; }
        svg { width: 100%; height: auto; display: block; } svg text { font-size: 11px; fill: var(--ink); }
        .chart, .flame { min-width: 44rem; } .mark { fill: var(--paper); stroke: var(--ink); stroke-width: 1.3; }
        .key { display: inline-block; width: 0.9rem; vertical-align: -0.1rem; margin: 0 0.3rem 0 0.2rem; }
        .swatch { display: inline-block; width: 1.1rem; height: 0.7rem; \
        background: linear-gradient(90deg, var(--mark) 50%, var(--warm) 50%); margin-right: 0.4rem; }
        .flame text { fill: #101014; } .axis { stroke: var(--line); } .point { fill: var(--mark); fill-opacity: 0.55; }
        .bar { fill: var(--mark); } .over { fill: var(--warm); } .target { stroke: var(--warm); stroke-dasharray: 4 3; }
        .fit { stroke: var(--mark); } .fast { color: #3b6fd6; } .slow { color: #d6453b; }
        .figures { display: flex; flex-wrap: wrap; gap: 0.8rem; } .figure { background: var(--soft); \
        padding: 0.6rem 0.9rem; border-radius: 6px; min-width: 11rem; } .figure b { display: block; font-size: 1.3rem; }
        </style></head>
        <body>
        \(body)
        </body></html>

        """
    }
}
