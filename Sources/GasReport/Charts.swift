import Glibc
import Measuring

/// Charts as plain SVG. Colours come from the page's classes, so that they follow light and dark.
enum Chart {
    /// A point with what it says when pointed at.
    struct Point {
        var x: Double
        var y: Double
        var label: String
    }

    /// A bar from `low` to `high` with a mark at `value`.
    struct Bar {
        var name: String
        var value: Double
        var low: Double
        var high: Double
        /// The same of others, in the order of the legend; nil where there is none.
        var marks: [Double?] = []
    }

    /// Where others stand: ring, triangle, square.
    private static func mark(_ number: Int, _ x: Double, _ y: Double) -> String {
        let (x, y, r) = (x, y, 3.6)
        let shape =
            switch number % 3 {
            case 0: "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(r))\""
            case 1:
                "<path d=\"M\(Self.number(x)) \(Self.number(y - r))L\(Self.number(x + r)) \(Self.number(y + r))"
                    + "H\(Self.number(x - r))Z\""
            default:
                "<rect x=\"\(Self.number(x - r))\" y=\"\(Self.number(y - r))\" width=\"\(Self.number(2 * r))\" "
                    + "height=\"\(Self.number(2 * r))\""
            }
        return shape + " class=\"mark\"/>"
    }

    private static let width = 1000.0
    private static let left = 80.0
    private static let bottom = 40.0

    /// Powers of ten around values above zero.
    private struct Axis {
        let first: Int
        let last: Int

        init(_ values: [Double]) {
            let logs = values.filter { $0 > 0 }.map { log10($0) }
            first = Int((logs.min() ?? 0).rounded(.down))
            last = max(first + 1, Int((logs.max() ?? 1).rounded(.up)))
        }

        /// 0 at the first power, 1 at the last one.
        func place(_ value: Double) -> Double {
            guard value > 0 else { return 0 }
            return min(1, max(0, (log10(value) - Double(first)) / Double(last - first)))
        }
    }

    /// Points on logarithmic axes with lines through them.
    /// - Parameter lines: class and ordinate for an abscissa.
    static func scatter(
        _ points: [Point], x title: String, y ordinate: String, lines: [(style: String, y: (Double) -> Double)]
    ) -> String {
        let height = 460.0
        let (horizontal, vertical) = (Axis(points.map(\.x)), Axis(points.map(\.y)))
        func px(_ x: Double) -> Double { left + horizontal.place(x) * (width - left - 20) }
        func py(_ y: Double) -> Double { height - bottom - vertical.place(y) * (height - bottom - 20) }
        var out = ""
        for power in horizontal.first...horizontal.last {
            let x = px(exp10(Double(power)))
            out += line("axis", x, 20, x, height - bottom) + text(power10(power), x, height - bottom + 16, "middle")
        }
        for power in vertical.first...vertical.last {
            let y = py(exp10(Double(power)))
            out += line("axis", left, y, width - 20, y) + text(power10(power), left - 8, y + 4, "end")
        }
        for (style, y) in lines {
            // Where a line leaves the chart it ends; steps keep curves of straight lines on logarithmic axes.
            var path = ""
            for step in 0...100 {
                let power = Double(horizontal.first) + Double(horizontal.last - horizontal.first) * Double(step) / 100
                let value = y(exp10(power))
                guard value >= exp10(Double(vertical.first)), value <= exp10(Double(vertical.last)) else { continue }
                path += (path.isEmpty ? "M" : "L") + "\(number(px(exp10(power)))) \(number(py(value)))"
            }
            out += "<path class=\"\(style)\" fill=\"none\" stroke-width=\"1.6\" d=\"\(path)\"/>"
        }
        for point in points {
            out +=
                "<circle class=\"point\" cx=\"\(number(px(point.x)))\" cy=\"\(number(py(point.y)))\" r=\"3\"><title>"
                + HTML.text(point.label) + "</title></circle>\n"
        }
        out += text(title, (left + width) / 2, height - 6, "middle") + text(ordinate, left, 14, "start")
        return svg(out, height)
    }

    /// Horizontal bars on a logarithmic axis beside a mark that all should reach.
    /// - Parameter legend: what the bars' marks are of.
    static func bars(_ bars: [Bar], target: Double, unit: String, legend: [String] = []) -> String {
        let names = 330.0
        let row = 17.0
        let height = Double(bars.count) * row + 46
        // Intervals that reach below zero begin at the axis's end.
        let axis = Axis(
            bars.flatMap { bar in [max(bar.low, bar.value / 10), bar.value, bar.high] + bar.marks.compactMap(\.self) }
                + [target])
        func px(_ value: Double) -> Double { names + axis.place(value) * (width - names - 20) }
        var out = ""
        for power in axis.first...axis.last {
            let x = px(exp10(Double(power)))
            out += line("axis", x, 4, x, height - 40) + text(power10(power), x, height - 24, "middle")
        }
        for (index, bar) in bars.enumerated() {
            let y = 6 + Double(index) * row
            let (from, to) = (px(min(bar.value, target)), px(max(bar.value, target)))
            let style = bar.value > target ? "over" : "bar"
            out +=
                "<g><title>\(HTML.text(bar.name)): \(Decimal.text(bar.value, 4)) \(unit) "
                + "(\(Decimal.text(bar.low, 4)) to \(Decimal.text(bar.high, 4)))</title>"
            out +=
                "<rect class=\"\(style)\" x=\"\(number(from))\" y=\"\(number(y))\" "
                + "width=\"\(number(max(1, to - from)))\" height=\"11\" fill-opacity=\"0.75\"/>"
            out +=
                "<path stroke=\"currentColor\" d=\"M\(number(px(bar.low))) \(number(y + 5.5))"
                + "H\(number(px(bar.high)))\"/>"
            for (number, value) in bar.marks.enumerated() {
                if let value, value > 0 { out += mark(number, px(value), y + 5.5) }
            }
            out += text(bar.name.count > 52 ? bar.name.prefix(51) + "…" : bar.name, names - 8, y + 10, "end") + "</g>\n"
        }
        out += line("target", px(target), 2, px(target), height - 40)
        out += text(unit, (names + width) / 2, height - 6, "middle")
        return key(legend) + svg(out, height)
    }

    private static func key(_ legend: [String]) -> String {
        guard !legend.isEmpty else { return "" }
        let others = legend.enumerated().map { number, name in
            "<svg class=\"key\" viewBox=\"0 0 12 12\">\(mark(number, 6, 6))</svg>\(HTML.text(name))"
        }
        return
            "<p class=\"legend\"><span class=\"swatch\"></span>Smelt, with its interval; \(others.joined(separator: "; "))</p>"
    }

    private static func svg(_ body: String, _ height: Double) -> String {
        "<div class=\"wide\"><svg class=\"chart\" viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\">\n\(body)</svg></div>"
    }

    private static func line(_ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<path class=\"\(style)\" fill=\"none\" d=\"M\(number(x1)) \(number(y1))L\(number(x2)) \(number(y2))\"/>\n"
    }

    private static func text(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(HTML.text(text))</text>\n"
    }

    private static func exp10(_ power: Double) -> Double { pow(10, power) }

    private static func number(_ value: Double) -> String { Decimal.text(value, 1) }

    private static func power10(_ power: Int) -> String {
        switch power {
        case 0...3: Decimal.text(exp10(Double(power)), 0)
        case -3..<0: Decimal.text(exp10(Double(power)), -power)
        default: "10" + superscript(power)
        }
    }

    private static func superscript(_ number: Int) -> String {
        let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
        return (number < 0 ? "⁻" : "") + String("\(abs(number))".compactMap { $0.wholeNumberValue.map { digits[$0] } })
    }
}
