/// Function names out of a `name` section. The section is for people: nonsense in it ends the reading and
/// is no reason to refuse a module (core spec, appendix 7.4.1).
enum NameSection {
    static func functionNames(_ bytes: [UInt8]) -> [(function: UInt32, name: String)] {
        var names: [(function: UInt32, name: String)] = []
        var reader = Reader(bytes.span)
        do {
            while !reader.isAtEnd {
                let id = try reader.byte()
                let outer = try reader.enter(size: try reader.u32(), "name subsection")
                if id == 1 {
                    for _ in 0..<(try reader.count("names")) {
                        let function = try reader.u32()
                        names.append((function, try reader.name().text))
                    }
                }
                reader.skipToEnd()
                try reader.leave(to: outer, "name subsection")
            }
        } catch {
            return names
        }
        return names
    }
}
