import GasSchedule
import WasmFormat

/// Kernels of instructions whose types the opcode table leaves open, of control, bulk memory and tables.
enum SpecialKernels {
    /// The multiplier of the index generator; with it indices are random.
    private static let multiplier: UInt64 = 6_364_136_223_846_793_005

    static func all(_ prices: WasmPrices) -> [Kernel] {
        plain() + branches() + tables() + calls(prices) + bulk(prices) + growth()
    }

    /// A step in the locals whose chain is the index local, or another.
    private static func kernel(
        _ name: String, _ opcodes: [Opcode], _ operands: String = "", form: Kernel.Form = .throughput, copies: Int = 8,
        a: UInt64 = multiplier, b: UInt64 = 0, bType: ValueType = .i32, memory: MemoryShape = .l1,
        frame: Kernel.Frame = .locals, glue: [Kernel.Glue] = [], fresh: Bool = false, chains: Int = 1,
        _ step: @escaping @Sendable (inout CodeWriter, Int) -> Void
    ) -> Kernel {
        Kernel(
            name: name, form: form, operands: operands, opcodes: opcodes, glue: glue, memory: memory, copies: copies,
            a: a, b: b, start: 0xB504_F333_F9DE_6484, aType: .i64, bType: bType, chainType: .i64, chains: chains,
            isWalk: false, isFresh: fresh, frame: frame, step: step)
    }

    // MARK: Locals, globals, constants, what is free

    /// How `b` joins the chain after a step, so that the step's own operation and this one do not make one.
    private enum Join {
        case xor, add
        /// One after the other, behind steps that leave the chain as it is.
        case both
    }

    /// One chain on the stack, with `b` joined to it after each step.
    private static func joined(
        _ name: String, _ opcodes: [Opcode], by join: Join = .xor,
        _ write: @escaping @Sendable (inout CodeWriter, Int) -> Void
    ) -> Kernel {
        kernel(
            name, opcodes, form: .latency, copies: 16, b: 0x9E37_79B9_7F4A_7C15, bType: .i64, frame: .stack,
            glue: [.i64]
        ) { code, index in
            write(&code, index)
            code.op(.localGet, Slot.b)
            code.op(join == .add || (join == .both && index % 2 == 0) ? .i64Add : .i64Xor)
        }
    }

    private static func plain() -> [Kernel] {
        [
            joined("nop", [.nop], by: .both) { code, _ in code.op(.nop) },
            joined("block", [.block], by: .both) { code, _ in
                code.open(.block)
                code.op(.end)
            },
            joined("loop", [.loop], by: .both) { code, _ in
                code.open(.loop)
                code.op(.end)
            },
            joined("drop", [.drop], by: .both) { code, _ in
                code.op(.localGet, Slot.a)
                code.op(.drop)
            },
            joined("local.get", [.localGet]) { code, _ in
                code.op(.localGet, Slot.a)
                code.op(.i64Add)
            },
            joined("local.set", [.localSet], by: .both) { code, _ in
                code.op(.localSet, Slot.index)
                code.op(.localGet, Slot.index)
            },
            joined("local.tee", [.localTee], by: .both) { code, _ in code.op(.localTee, Slot.index) },
            joined("global.get", [.globalGet]) { code, _ in
                code.op(.globalGet, 0)
                code.op(.i64Add)
            },
            joined("global.set", [.globalSet, .globalGet], by: .both) { code, _ in
                code.op(.globalSet, 0)
                code.op(.globalGet, 0)
            },
            joined("i32.const", [.i32Const]) { code, index in
                code.i32(Int32(0x1234_567 &* (index + 1)))
                code.op(.i64ExtendI32U)
                code.op(.i64Add)
            },
            joined("i64.const", [.i64Const]) { code, index in
                code.i64(0x1234_5678_9ABC &* Int64(index + 1))
                code.op(.i64Add)
            },
            joined("f32.const", [.f32Const]) { code, index in
                code.op(.f32Const, [0, 0, UInt8(0x80 + index), 0x3F])
                code.op(.i32ReinterpretF32)
                code.op(.i64ExtendI32U)
                code.op(.i64Add)
            },
            joined("f64.const", [.f64Const]) { code, index in
                code.op(.f64Const, [0, 0, 0, 0, 0, UInt8(index), 0xF0, 0x3F])
                code.op(.i64ReinterpretF64)
                code.op(.i64Add)
            },
            joined("memory.size", [.memorySize]) { code, _ in
                code.op(.memorySize, [0])
                code.op(.i64ExtendI32U)
                code.op(.i64Add)
            },
            joined("table.size", [.tableSize]) { code, _ in
                code.op(.tableSize, 0)
                code.op(.i64ExtendI32U)
                code.op(.i64Add)
            },
            joined("data.drop", [.dataDrop], by: .both) { code, _ in code.op(.dataDrop, 1) },
            joined("elem.drop", [.elemDrop], by: .both) { code, _ in code.op(.elemDrop, 2) },
            joined("select", [.select]) { code, _ in
                code.op(.localTee, Slot.index)
                code.op(.localGet, Slot.a)
                code.op(.localGet, Slot.index)
                code.op(.i32WrapI64)
                code.i32(1)
                code.op(.i32And)
                code.op(.select)
            },
        ]
    }

    // MARK: Branches

    /// Whether the processor can foresee the index: `b` masks it.
    private static let courses: [(name: String, isRandom: Bool)] = [("predictable", false), ("random", true)]

    private static func branches() -> [Kernel] {
        var kernels = [
            joined("br", [.br], by: .both) { code, _ in
                code.open(.block)
                code.op(.br, 0)
                code.op(.end)
            },
            // What the branches below cost beside the branch.
            kernel("i64.mul", [.i64Mul], "index generator", b: 0) { code, _ in
                code.nextIndex()
                code.op(.localSet, Slot.address)
            },
        ]
        for (course, isRandom) in courses {
            kernels.append(
                kernel("if", [.if], course, b: isRandom ? 1 : 0) { code, _ in
                    code.nextIndex()
                    code.open(.if)
                    arm(&code, .i64Add)
                    code.op(.else)
                    code.otherPath { arm(&$0, .i64Xor) }
                    code.op(.end)
                })
            kernels.append(
                kernel("br_if", [.brIf], course, b: isRandom ? 1 : 0) { code, _ in
                    code.open(.block)
                    code.open(.block)
                    code.nextIndex()
                    code.op(.brIf, 0)
                    arm(&code, .i64Add)
                    code.op(.br, 1)
                    code.op(.end)
                    code.otherPath { code in
                        arm(&code, .i64Xor)
                        // As much as the jump over this path.
                        code.op(.localGet, Slot.index)
                        code.op(.drop)
                    }
                    code.op(.end)
                })
            for targets in [2, 16, 256, 4_096] {
                kernels.append(branchTable(targets, course, isRandom))
            }
        }
        return kernels
    }

    /// Four instructions on the chain.
    private static func arm(_ code: inout CodeWriter, _ join: Opcode, _ constant: Int64 = 0x5DEE_CE66) {
        code.op(.localGet, Slot.chain)
        code.i64(constant)
        code.op(join)
        code.op(.localSet, Slot.chain)
    }

    private static func branchTable(_ targets: Int, _ course: String, _ isRandom: Bool) -> Kernel {
        kernel(
            "br_table", [.brTable], "\(targets) targets, \(course)", copies: targets > 256 ? 1 : targets > 16 ? 2 : 8,
            b: isRandom ? UInt64(targets - 1) : 0
        ) { code, _ in
            // The default, which no index reaches, leads out: where it is all that leads to a place, the code there is
            // charged as part of what stands before.
            for _ in 0...targets { code.open(.block) }
            code.nextIndex()
            code.op(
                .brTable,
                WasmBytes.unsigned(targets) + (0...targets).flatMap { WasmBytes.unsigned($0) })
            code.op(.end)
            for target in 0..<targets {
                let write = { (code: inout CodeWriter) in
                    arm(&code, target % 2 == 0 ? .i64Xor : .i64Add, 0x5DEE_CE66 &+ Int64(target) &* 0x1_0003)
                    code.op(.br, targets - 1 - target)
                }
                if target == 0 { write(&code) } else { code.otherPath(write) }
                code.op(.end)
            }
        }
    }

    // MARK: Calls

    private static func calls(_ prices: WasmPrices) -> [Kernel] {
        let bodies = [KernelModule.Callee.short, .branching, .firstOfTable].map { KernelModule.cost($0, prices) }
        var kernels = [
            joined("call (short)", [.call], by: .add) { code, _ in
                code.call(KernelModule.Callee.short.rawValue, callee: bodies[0])
            },
            joined("call", [.call], by: .add) { code, _ in
                code.call(KernelModule.Callee.branching.rawValue, callee: bodies[1])
            },
        ]
        for (course, isRandom) in courses {
            kernels.append(
                kernel("call_indirect", [.callIndirect], course, b: isRandom ? UInt64(KernelModule.table - 1) : 0) {
                    code, _ in
                    code.op(.localGet, Slot.chain)
                    code.nextIndex()
                    code.op(.callIndirect, [0, 0])
                    code.add(milligas: prices.trampoline(parameters: 1) + bodies[2])
                    code.op(.localSet, Slot.chain)
                })
        }
        return kernels
    }

    // MARK: Tables

    private static func tables() -> [Kernel] {
        [
            kernel("table.get", [.tableGet, .tableSet]) { code, index in
                code.i32(Int32(100 + index))
                code.i32(Int32(index))
                code.op(.tableGet, 0)
                code.op(.tableSet, 0)
            },
            kernel("table.grow", [.tableGrow], "0 elements") { code, index in
                code.op(.localGet, Slot.chain)
                code.i32(Int32(index))
                code.op(.tableGet, 0)
                code.i32(0)
                code.op(.tableGrow, 0)
                code.op(.i64ExtendI32U)
                code.op(.i64Add)
                code.op(.localSet, Slot.chain)
            },
        ]
    }

    // MARK: Bulk

    /// Bytes, and how many steps a body has of them.
    private static let sizes: [(bytes: UInt64, copies: Int)] = [
        (0, 8), (1, 8), (8, 8), (64, 8), (4_096, 4), (65_536, 2), (1 << 20, 1),
    ]

    private static func bulk(_ prices: WasmPrices) -> [Kernel] {
        var kernels: [Kernel] = []
        func add(
            _ opcode: Opcode, _ units: UInt64, _ unit: String, _ copies: Int, _ immediates: [UInt8],
            _ operands: @escaping @Sendable (inout CodeWriter, Int) -> Void
        ) {
            kernels.append(
                kernel(opcode.name, [opcode], "\(units) \(unit)", copies: copies, b: units) { code, index in
                    operands(&code, index)
                    code.op(.localGet, Slot.b)
                    code.op(opcode, immediates)
                    code.add(milligas: units * prices.perUnit(of: opcode))
                })
        }
        for (bytes, copies) in sizes {
            add(.memoryFill, bytes, "bytes", copies, [0]) { code, index in
                code.i32(Int32(0x10_0000 + index * 64))
                code.i32(Int32(index))
            }
            add(.memoryCopy, bytes, "bytes", copies, [0, 0]) { code, index in
                code.i32(Int32(0x20_0000 + index * 64))
                code.i32(Int32(0x8_0000 + index * 128))
            }
        }
        // Within the segment and the table.
        for (units, copies) in [(UInt64(0), 8), (64, 8), (4_096, 4)] {
            add(.memoryInit, units, "bytes", copies, [0, 0]) { code, index in
                code.i32(Int32(0x10_0000 + index * 64))
                code.i32(0)
            }
        }
        for (units, copies) in [(UInt64(0), 8), (16, 8)] {
            add(.tableInit, units, "elements", copies, [1, 0]) { code, index in
                code.i32(Int32(200 + index))
                code.i32(0)
            }
        }
        for (units, copies) in [(UInt64(0), 8), (16, 8), (1_024, 4)] {
            add(.tableCopy, units, "elements", copies, [0, 0]) { code, index in
                code.i32(Int32(2_048 + index))
                code.i32(Int32(index))
            }
            add(.tableFill, units, "elements", copies, [0]) { code, index in
                code.i32(Int32(2_048 + index))
                code.i32(Int32(index))
                code.op(.tableGet, 0)
            }
        }
        return kernels
    }

    // MARK: Growth

    private static func growth() -> [Kernel] {
        func grow(_ name: String, touches: Int) -> Kernel {
            kernel(
                "memory.grow", [.memoryGrow], name, copies: 64, memory: .growing, fresh: true
            ) { code, _ in
                code.i32(1)
                code.op(.memoryGrow, [0])
                code.add(milligas: code.prices.perUnit(of: .memoryGrow))
                code.i32(16)
                code.op(.i32Shl)
                code.op(.localSet, Slot.address)
                // One byte of each page of the machine.
                for page in 0..<touches {
                    code.op(.localGet, Slot.address)
                    code.i32(1)
                    code.access(.i32Store8, offset: UInt32(page) * 4_096)
                }
            }
        }
        return [
            joined("memory.grow", [.memoryGrow]) { code, _ in
                code.i32(0)
                code.op(.memoryGrow, [0])
                code.op(.i64ExtendI32U)
                code.op(.i64Add)
            }.with(operands: "0 pages"),
            grow("1 page", touches: 0), grow("1 page, touched", touches: 16),
        ]
    }
}

extension Kernel {
    /// The same kernel under another class of operands.
    func with(operands: String) -> Kernel {
        Kernel(
            name: name, form: form, operands: operands, opcodes: opcodes, glue: glue, memory: memory, copies: copies,
            a: a, b: b, start: start, aType: aType, bType: bType, chainType: chainType, chains: chains,
            isWalk: false, isFresh: isFresh, before: before, frame: frame, step: step)
    }
}
