import TestSupport
import WasmFormat

/// Every family.
extension BombFamily {
    public static let all = branches + calls + locals + loops + tables + straight + sections

    private static let i32: UInt8 = 0x7F
    private static let i64: UInt8 = 0x7E
    private static let arm = "if i32.const 1 drop end"

    /// Many small branches.
    private static let branches: [BombFamily] = [
        .repeating("const-if", "i32.const 0 \(arm)"),
        .repeating("local-if", "local.get 0 \(arm)"),
        .repeating("if-else", "local.get 0 if i32 i32.const 3 else local.get 0 end local.set 0"),
        .repeating("if-return", "local.get 0 i32.eqz if i32.const 7 return end"),
        .repeating("blocks", "block local.get 0 br_if 0 i32.const 1 drop end"),
        .nested("nested-blocks", open: "block", close: "end", depth: 1_000_000),
        .nested("nested-br-if", open: "block local.get 0 br_if 0", close: "end", depth: 1_000_000),
        .nested("nested-if", open: "local.get 0 if", close: "end", depth: 1_000_000),
        .nested(
            "nested-if-assign", open: "local.get 0 if local.get 0 i32.const 1 i32.sub local.set 0",
            close: "else local.get 0 i32.const 2 i32.add local.set 0 end", depth: 1_000_000),
        .repeating("select", "local.get 0 i32.const 3 local.get 0 select local.set 0"),
        .growing("select-chain", before: "local.get 0", after: "") { index in
            Assembler.assemble("i32.const \(index & 63) local.get 0 i32.const \(index & 31) i32.and select")
        },
    ]

    private static let callEach: BombFamily = {
        @Sendable func add(_ module: inout WasmModule) {
            for _ in 0..<64 { module.functions.append(.init(type: 1, "local.get 0 i32.const 1 i32.add")) }
        }
        return .growing("call-each", around: add) { index in
            Assembler.assemble("local.get 0 call \(1 + index % 64) local.set 0")
        }
    }()

    /// Calls and traps: each is a block and a cold end.
    private static let calls: [BombFamily] = [
        BombFamily("functions") { bytes in
            func add(_ module: inout WasmModule) {
                module.functions += [WasmModule.Function](repeating: .init(type: 0, code: []), count: bytes / 4)
            }
            return module(add) { .init(type: 1, "local.get 0") }
        },
        BombFamily("small-functions") { bytes in
            let piece = WasmModule.Function(type: 1, "local.get 0 i32.load local.get 0 i32.add")
            func add(_ module: inout WasmModule) {
                module.functions += [WasmModule.Function](repeating: piece, count: bytes / 12)
            }
            return module(add) { .init(type: 1, "local.get 0") }
        },
        .repeating("call", "local.get 0 call 1 local.set 0") { $0.functions.append(.init(type: 1, "local.get 0")) },
        callEach,
        .repeating("call-indirect", "local.get 0 i32.const 0 call_indirect 1 0 local.set 0") { module in
            module.tables = [[0x70, 0, 1]]
            module.elements = [[0, 0x41, 0, 0x0B, 1, 0]]
        },
        .repeating("call-import", "local.get 0 call 0 drop") { module in
            module.imports = [WasmModule.importedFunction("env", "h", type: 1)]
        },
        .repeating("div-s", "local.get 0 i32.const 7 i32.div_s local.set 0"),
        .repeating("div-by-local", "local.get 0 local.get 0 i32.div_s drop"),
        .repeating("rem-u", "local.get 0 local.get 0 i32.rem_u local.set 0"),
        .repeating("unreachable", "local.get 0 if unreachable end"),
        .repeating(
            "trunc", "local.get 0 f64.convert_i32_s i32.trunc_f64_s local.set 0"),
    ]

    /// A function that calls itself `local 0` times and has this many i64 locals.
    private static func recursive(_ count: Int, isLive: Bool) -> WasmModule.Function {
        var code: [UInt8] = []
        if isLive {
            for local in 0..<count {
                code +=
                    Assembler.assemble("local.get 0 i64.extend_i32_u i64.const \(local % 63) i64.add")
                    + Assembler.assemble("local.set \(local + 1)")
            }
        }
        code += Assembler.assemble(
            "local.get 0 i32.eqz if i64 i64.const 7 else local.get 0 i32.const 1 i32.sub call 0 end")
        return .init(type: 2, locals: [(count, i64)], code: code)
    }

    /// Locals: phis, live values, frames.
    private static let locals: [BombFamily] = [
        // The declaration is short: only the number of functions grows with the size.
        BombFamily("idle-locals") { bytes in
            module({ module in
                for _ in 0..<(bytes / 40) {
                    module.functions.append(
                        .init(type: 2, locals: [(1_500, i64)], code: recursive(1_500, isLive: false).code))
                }
            }) { recursive(1_500, isLive: false) }
        },
        BombFamily("live-locals", .locals, piece: 10) { count in
            module { recursive(count, isLive: true) }
        },
        BombFamily("many-locals") { bytes in
            module({ module in
                for _ in 0..<(bytes / 12) {
                    module.functions.append(.init(type: 1, locals: [(BombCap.locals.most, i64)], "local.get 0"))
                }
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("slow-locals") { bytes in
            let branches = [[UInt8]](repeating: Assembler.assemble("local.get 0 \(arm)"), count: bytes / 9).joined()
            return module({ module in
                module.functions.append(.init(type: 1, code: branches + Assembler.assemble("local.get 0")))
            }) { recursive(1_500, isLive: false) }
        },
        // Each arm assigns other locals: at each join they meet.
        .growing("ladder", locals: [(400, i32)]) { index in
            let a = 1 + index % 400
            let b = 1 + (index * 7 + 3) % 400
            return Assembler.assemble(
                "local.get 0 if local.get \(a) i32.const 1 i32.add local.set \(b) else local.get \(b) "
                    + "local.set \(a) end")
        },
        // All locals are assigned in each of few arms.
        .growing("wide-ladder", locals: [(600, i32)]) { index in
            let all = (0..<600).flatMap { local in
                Assembler.assemble("local.get 0 i32.const \(local & 63) i32.add local.set \(local + 1)")
            }
            return Assembler.assemble("local.get \(1 + index % 600) if") + all + Assembler.assemble("end")
        },
        .growing("shuffle", locals: [(1_000, i64)]) { index in
            Assembler.assemble("local.get \(1 + index * 13 % 1_000) local.set \(1 + index * 7 % 1_000)")
        },
        .growing("pressure", locals: [(1_000, i64)]) { index in
            Assembler.assemble(
                "local.get \(1 + index % 1_000) local.get \(1 + (index * 31 + 17) % 1_000) i64.add "
                    + "local.set \(1 + (index * 11 + 5) % 1_000)")
        },
    ]

    /// Loops.
    private static let loops: [BombFamily] = [
        .repeating("loops", "loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end"),
        .nested(
            "nested-loops", open: "loop", close: "local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end",
            depth: 1_000_000),
        .nested(
            "nested-loops-30", open: "loop local.get 1 i32.const 1 i32.add local.set 1",
            close:
                "local.get 1 local.get 2 i32.add local.set 2 local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end",
            locals: [(30, i32)], depth: 30),
        BombFamily("loops-by-locals") { bytes in
            let count = 300
            let body = (1...count).map { "local.get \($0) i32.const 1 i32.add local.set \($0 % count + 1)" }
            let round = Assembler.assemble(
                "loop " + body.joined(separator: " ") + " local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end")
            let code = [[UInt8]](repeating: round, count: max(1, bytes / round.count)).joined()
            return module { .init(type: 1, locals: [(count, i32)], code: code + Assembler.assemble("local.get 0")) }
        },
        // A loop around everything, so that all values live through it.
        BombFamily("loop-of-calls") { bytes in
            let round = Assembler.assemble("local.get 0 call 1 local.set 1 local.get 1 local.set 2")
            let code = [[UInt8]](repeating: round, count: bytes / round.count).joined()
            return module({ $0.functions.append(.init(type: 1, "local.get 0")) }) {
                .init(
                    type: 1, locals: [(40, i32)],
                    code: Assembler.assemble("loop") + code
                        + Assembler.assemble("local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end local.get 2"))
            }
        },
    ]

    /// A `br_table` of this many targets out of as many blocks, a local assigned behind each.
    private static func branchTable(_ targets: Int, assigning: Bool) -> [UInt8] {
        var code = [[UInt8]](repeating: Assembler.assemble("block"), count: targets).joined() + []
        code += Assembler.assemble("local.get 0 br_table " + (0..<targets).map { "\($0)" }.joined(separator: ","))
        for target in 0..<targets {
            code += Assembler.assemble("end")
            if assigning { code += Assembler.assemble("i32.const \(target & 63) local.set \(1 + target % 100)") }
        }
        return code
    }

    /// `br_table`s.
    private static let tables: [BombFamily] = [
        BombFamily("br-table-long") { bytes in
            // One table with all labels the size allows.
            let labels = [UInt8](repeating: 0, count: min(Int(Limits.branchTargets), bytes))
            let table = Assembler.assemble("block local.get 0") + [0x0E] + WasmBytes.unsigned(labels.count - 1) + labels
            let count = max(1, bytes / table.count)
            let code = [[UInt8]](repeating: table + [0x0B], count: count).joined()
            return module { .init(type: 1, code: code + Assembler.assemble("local.get 0")) }
        },
        .growing("br-tables", locals: [(100, i32)]) { _ in branchTable(50, assigning: true) },
        .growing("br-tables-small", locals: [(100, i32)]) { _ in branchTable(3, assigning: true) },
        .growing("br-tables-idle") { _ in branchTable(100, assigning: false) },
        BombFamily("br-table-by-locals") { bytes in
            // Tables out of a nest, each entered with other values in the locals: joins times locals.
            let nest = Assembler.assemble((0..<100).map { _ in "block" }.joined(separator: " "))
            let labels = (1...100).map { "\($0)" }.joined(separator: ",")
            var code: [UInt8] = nest
            var index = 0
            while code.count < bytes {
                code += Assembler.assemble(
                    "local.get 0 if i32.const \(index & 63) local.set \(1 + index % 200) local.get 0 "
                        + "br_table \(labels) end")
                index += 1
            }
            code += Assembler.assemble((0..<100).map { "end local.get \(1 + $0) local.set 0" }.joined(separator: " "))
            let body = code + Assembler.assemble("local.get 0")
            return module { .init(type: 1, locals: [(200, i32)], code: body) }
        },
    ]

    /// Long blocks.
    private static let straight: [BombFamily] = [
        .repeating("loads", "local.get 0 i32.load local.set 0"),
        .growing("loads-sum", before: "i32.const 0", after: "") { _ in
            Assembler.assemble("local.get 0 i32.load i32.add")
        },
        .repeating("stores", "local.get 0 local.get 0 i32.store"),
        .growing("loads-stores") { index in
            Assembler.assemble("local.get 0 local.get 0 i32.load").dropLast() + WasmBytes.unsigned(index % 4_096)
                + Assembler.assemble("i32.store").dropLast() + WasmBytes.unsigned((index * 8) % 4_096)
        },
        .repeating("arithmetic", "local.get 0 i32.const 3 i32.mul i32.const 5 i32.xor local.set 0"),
        // More values on the operand stack than a call may count: it traps when called, and is compiled all the same.
        BombFamily("deep-stack") { bytes in
            let count = max(2, bytes / 3)
            let code =
                [[UInt8]](repeating: Assembler.assemble("local.get 0"), count: count).joined()
                + [UInt8](repeating: 0x6A, count: count - 1)
            return module { .init(type: 1, code: Array(code)) }
        },
        .repeating("memory-grow", "i32.const 0 memory.grow drop"),
        .repeating("memory-grow-local", "local.get 0 memory.grow local.set 0"),
        .repeating("memory-copy", "local.get 0 local.get 0 local.get 0 memory.copy 0 0"),
        .repeating("memory-fill-constant", "local.get 0 i32.const 0 i32.const 16 memory.fill 0"),
        .repeating(
            "floats", "local.get 1 f64.const f64.add f64.sqrt local.set 1", locals: [(1, 0x7C)]),
        .repeating("floats-min", "local.get 1 local.get 1 f32.min f32.nearest local.set 1", locals: [(1, 0x7D)]),
        .repeating(
            "conversions", "local.get 0 f32.convert_i32_u i64.trunc_sat_f32_s i32.wrap_i64 local.set 0"),
        .repeating("globals", "global.get 0 local.get 0 i32.add global.set 0") { module in
            module.globals = [[0x7F, 1, 0x41, 0, 0x0B]]
        },
        .repeating("bits", "local.get 0 i32.popcnt i32.clz i32.ctz local.set 0"),
        .repeating("dead", "block br 0 local.get 0 i32.const 1 i32.add local.set 0 end"),
    ]

    /// Everything but code.
    private static let sections: [BombFamily] = [
        BombFamily("many-globals", .globals, piece: 5) { count in
            module({ module in
                module.globals = [[UInt8]](repeating: [0x7E, 1, 0x42, 0, 0x0B], count: count)
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-exports") { bytes in
            module({ module in
                for index in 0..<(bytes / 10) { module.exports.append(("e\(index)", 0, 0)) }
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-exported-functions", .exportedFunctions, piece: 20) { count in
            module({ module in
                for index in 0..<count {
                    module.functions.append(.init(type: 1, "local.get 0"))
                    module.exports.append(("e\(index)", 0, index + 1))
                }
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-imports", .imports, piece: 14) { count in
            module({ module in
                for index in 0..<count {
                    module.imports.append(WasmModule.importedFunction("env", "h\(index)", type: 1))
                }
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-types") { bytes in
            module({ module in
                for index in 0..<(bytes / 13) {
                    let parameters = (0..<10).map { [0x7F, 0x7E, 0x7D, 0x7C][index >> (2 * $0) & 3] as UInt8 }
                    module.types.append(WasmBytes.functionType(parameters, []))
                }
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("data") { bytes in
            module({ module in
                let pages = bytes / 65_536 + 1
                module.memories = [[0] + WasmBytes.unsigned(pages)]
                let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 167 >> 3) }
                module.data = [[0, 0x41, 0, 0x0B] + WasmBytes.sized(content)]
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-data", .dataSegments, piece: 6) { count in
            module({ module in
                module.data = [[UInt8]](repeating: [0, 0x41, 0, 0x0B, 1, 7], count: count)
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("elements") { bytes in
            module({ module in
                let size = BombCap.tableElements.most
                module.tables = [[0x70, 0] + WasmBytes.unsigned(size)]
                let items = WasmBytes.vector([[UInt8]](repeating: [0], count: size))
                let segment = [0, 0x41, 0, 0x0B] + items
                module.elements = [[UInt8]](repeating: segment, count: max(1, bytes / segment.count))
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-table-functions", .tableElements, piece: 16) { count in
            module({ module in
                module.tables = [[0x70, 0] + WasmBytes.unsigned(count)]
                for _ in 0..<count { module.functions.append(.init(type: 1, "local.get 0")) }
                module.elements = [
                    [0, 0x41, 0, 0x0B] + WasmBytes.vector((1...count).map { WasmBytes.unsigned($0) })
                ]
            }) { .init(type: 1, "local.get 0") }
        },
        BombFamily("many-parameters") { bytes in
            let push = [[UInt8]](repeating: Assembler.assemble("local.get 0"), count: 900).joined()
            let call = push + [0x10, 1, 0x21, 0]
            let body = [[UInt8]](repeating: Array(call), count: max(1, bytes / call.count)).joined()
            return module({ module in
                module.types.append(WasmBytes.functionType([UInt8](repeating: 0x7F, count: 900), [0x7F]))
                module.functions.append(.init(type: 3, "local.get 899"))
            }) { .init(type: 1, code: body + Assembler.assemble("local.get 0")) }
        },
    ]
}
