import Foundation

/// Lines of results that stay.
struct Ledger {
    private let path: String
    private var lines: [String]

    init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
            .map(String.init)
    }

    /// Whether there is a line that begins so.
    func has(_ key: String) -> Bool { lines.contains { $0.hasPrefix(key + "\t") } }

    mutating func append(_ line: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let file = FileHandle(forWritingAtPath: path) else { throw CocoaError(.fileWriteNoPermission) }
        try file.seekToEnd()
        try file.write(contentsOf: Data((line + "\n").utf8))
        try file.close()
        lines.append(line)
    }

    /// Sums of a column `name A` or `name A/B` over the lines of a bundle and tier that were made in one way.
    func sums(_ name: String, beginning: String, tier: String, how: String) -> [Int] {
        var sums: [Int] = []
        for line in lines where line.hasPrefix(beginning) && line.contains("\t\(tier)\t\(how)\t") {
            guard let column = line.split(separator: "\t").first(where: { $0.hasPrefix(name + " ") }) else { continue }
            for (place, number) in column.dropFirst(name.count + 1).split(separator: "/").enumerated() {
                if place == sums.count { sums.append(0) }
                sums[place] += Int(number) ?? 0
            }
        }
        return sums
    }
}
