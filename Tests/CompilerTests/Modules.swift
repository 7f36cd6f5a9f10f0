/// Modules written byte by byte.
enum Modules {
    static let header: [UInt8] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

    private static func section(_ id: UInt8, _ content: [UInt8]) -> [UInt8] { [id] + leb(content.count) + content }

    private static func leb(_ value: Int) -> [UInt8] {
        var rest = value
        var out: [UInt8] = []
        repeat {
            let byte = UInt8(rest & 0x7f)
            rest >>= 7
            out.append(rest == 0 ? byte : byte | 0x80)
        } while rest != 0
        return out
    }

    /// One function `() -> i32` with this body (without its `end`), exported as `f`, and a memory of a page.
    static func function(_ body: [UInt8]) -> [UInt8] {
        let code = [0] + body + [0x0b]
        return header + section(1, [1, 0x60, 0, 1, 0x7f]) + section(3, [1, 0]) + section(5, [1, 0, 1])
            + section(7, [2, 1, 0x66, 0, 0, 6] + Array("memory".utf8) + [2, 0])
            + section(10, [1] + leb(code.count) + code)
    }

    /// Functions `i32 -> i32` of 128 instructions each that call the next one; the last is exported as `f`.
    static func large(functions count: Int) -> [UInt8] {
        var bodies: [UInt8] = []
        for index in 0..<count {
            var body: [UInt8] = [0, 0x20, 0]
            for step in 0..<41 {
                body += [0x20, 0, 0x41, UInt8(step + index & 7)] + [0x73, step & 1 == 0 ? 0x6a : 0x6c]
            }
            if index + 1 < count { body += [0x10] + leb(index + 1) }
            body.append(0x0b)
            bodies += leb(body.count) + body
        }
        return header + section(1, [1, 0x60, 1, 0x7f, 1, 0x7f])
            + section(3, leb(count) + [UInt8](repeating: 0, count: count)) + section(5, [1, 0, 1])
            + section(7, [2, 1, 0x66, 0] + leb(count - 1) + [6] + Array("memory".utf8) + [2, 0])
            + section(10, leb(count) + bodies)
    }

    /// Returns a constant below 64.
    static func constant(_ value: UInt8) -> [UInt8] { function([0x41, value]) }

    /// An i32 where an f32 is needed.
    static let invalid = function([0x41, 1, 0x8b])

    /// A long run of additions of loads: much work for the compiler, valid.
    static func heavy(_ count: Int) -> [UInt8] {
        var body: [UInt8] = [0x41, 0]
        for index in 0..<count { body += [0x41] + [UInt8(index & 31)] + [0x28, 2] + leb(4 * (index & 1_023)) + [0x6a] }
        return function(body)
    }
}
