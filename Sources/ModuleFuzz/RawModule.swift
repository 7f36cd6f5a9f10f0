import TestSupport
import WasmFormat

/// A binary cut into sections and bodies, for tools that change parts of it.
struct RawModule {
    private(set) var sections: [(id: UInt8, bytes: [UInt8])] = []
    /// Bodies of the code section with their locals, without their length.
    var bodies: [[UInt8]] = []

    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: WasmBytes.header) else { return nil }
        var rest = bytes[8...]
        while let id = rest.popFirst() {
            guard let content = Self.sized(&rest) else { return nil }
            sections.append((id, Array(content)))
            guard id == 10 else { continue }
            var code = content
            guard let count = Self.number(&code) else { return nil }
            for _ in 0..<count {
                guard let body = Self.sized(&code) else { return nil }
                bodies.append(Array(body))
            }
        }
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func sized(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let count = number(&bytes), count <= bytes.count else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }

    mutating func swapSections(_ first: Int, _ second: Int) { sections.swapAt(first, second) }
    mutating func removeSection(_ index: Int) { sections.remove(at: index) }
    mutating func repeatSection(_ index: Int) { sections.insert(sections[index], at: index) }
    mutating func replaceSection(_ index: Int, _ bytes: [UInt8]) { sections[index].bytes = bytes }

    var bytes: [UInt8] {
        WasmBytes.module(
            sections.map { id, bytes in
                WasmBytes.section(id, id == 10 ? WasmBytes.vector(bodies.map(WasmBytes.sized)) : bytes)
            })
    }
}
