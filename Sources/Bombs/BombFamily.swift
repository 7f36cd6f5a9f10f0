import TestSupport
import WasmFormat

/// Modules of one shape and any size that are valid, legal under the FVM's limits, and much work for a compiler.
public struct BombFamily: Sendable {
    public let name: String
    /// What it cannot have more of, so that larger modules than that are not made; nil where nothing ends it.
    public let cap: BombCap?
    /// A module of about this many bytes.
    public let make: @Sendable (_ bytes: Int) -> [UInt8]

    /// A module with so many of what the cap counts, be it more than it allows; nil without one.
    let makeCounted: (@Sendable (_ count: Int) -> [UInt8])?

    init(_ name: String, _ make: @escaping @Sendable (_ bytes: Int) -> [UInt8]) {
        self.name = name
        cap = nil
        self.make = make
        makeCounted = nil
    }

    /// A family of `piece` bytes for each of the things that a limit counts.
    ///
    /// - Parameter make: a module with so many of them.
    init(
        _ name: String, _ cap: BombCap, piece: Int, _ make: @escaping @Sendable (_ count: Int) -> [UInt8]
    ) {
        self.name = name
        self.cap = cap
        self.make = { bytes in make(min(cap.most, max(1, bytes / piece))) }
        makeCounted = make
    }

    /// A function `(i32) -> i32` whose body repeats a piece of code.
    ///
    /// - Parameters:
    ///   - locals: runs of locals.
    ///   - before: code in front of the repetitions.
    ///   - after: code behind them, which leaves the result.
    ///   - around: what else the module has.
    static func repeating(
        _ name: String, _ piece: String, locals: [(count: Int, type: UInt8)] = [], before: String = "",
        after: String = "local.get 0", around: @escaping @Sendable (inout WasmModule) -> Void = { _ in }
    ) -> BombFamily {
        let code = Assembler.assemble(piece)
        return BombFamily(name) { bytes in
            let count = max(1, bytes / code.count)
            return module(around) {
                WasmModule.Function(
                    type: 1, locals: locals,
                    code: Assembler.assemble(before) + [[UInt8]](repeating: code, count: count).joined()
                        + Assembler.assemble(after))
            }
        }
    }

    /// A function whose body is made piece by piece until it is long enough.
    static func growing(
        _ name: String, locals: [(count: Int, type: UInt8)] = [], before: String = "", after: String = "local.get 0",
        around: @escaping @Sendable (inout WasmModule) -> Void = { _ in }, _ piece: @escaping @Sendable (Int) -> [UInt8]
    ) -> BombFamily {
        BombFamily(name) { bytes in
            var code = Assembler.assemble(before)
            var index = 0
            while code.count < bytes {
                code += piece(index)
                index += 1
            }
            let body = code + Assembler.assemble(after)
            return module(around) { WasmModule.Function(type: 1, locals: locals, code: body) }
        }
    }

    /// A function whose body is constructs within constructs.
    ///
    /// - Parameter most: deepest nesting.
    static func nested(
        _ name: String, open: String, close: String, locals: [(count: Int, type: UInt8)] = [], before: String = "",
        after: String = "local.get 0", depth most: Int,
        around: @escaping @Sendable (inout WasmModule) -> Void = { _ in }
    ) -> BombFamily {
        let open = Assembler.assemble(open)
        let close = Assembler.assemble(close)
        return BombFamily(name) { bytes in
            let count = max(1, bytes / (open.count + close.count))
            var code = Assembler.assemble(before)
            var rest = count
            while rest > 0 {
                let depth = min(rest, most)
                code += [[UInt8]](repeating: open, count: depth).joined()
                code += [[UInt8]](repeating: close, count: depth).joined()
                rest -= depth
            }
            let body = code + Assembler.assemble(after)
            return module(around) { WasmModule.Function(type: 1, locals: locals, code: body) }
        }
    }

    /// A module with a memory of a page, the function as `f`, and what `around` adds.
    static func module(
        _ around: (inout WasmModule) -> Void = { _ in }, function: () -> WasmModule.Function
    ) -> [UInt8] {
        var module = WasmModule()
        module.types = [
            WasmBytes.functionType([], []), WasmBytes.functionType([0x7F], [0x7F]),
            WasmBytes.functionType([0x7F], [0x7E]),
        ]
        module.memories = [[0, 1]]
        module.functions = [function()]
        around(&module)
        let imported = module.imports.count
        module.exports = [("f", 0, imported), ("memory", 2, 0)] + module.exports
        return module.bytes
    }
}
