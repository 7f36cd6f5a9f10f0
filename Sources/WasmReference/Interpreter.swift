import Engine
import Metering

extension Store {
    /// Runs a function to its end, a trap, or until the host ends the call.
    ///
    /// One loop with explicit frames. Pointers are unchecked because the code was validated: operands, locals,
    /// globals, functions and types exist; every call checks that its frame fits the stack, which it does whenever the
    /// reserves of live frames are within their budget.
    ///
    /// - Parameter home: the context of the instance whose export is called.
    func run(
        _ function: UnsafePointer<FunctionRecord>, arguments: [UInt64],
        home: UnsafeMutablePointer<InstanceContext>
    ) throws(EngineError) -> GuestOutcome {
        let bottom = stack.valueTop
        let bottomFrame = stack.frameTop
        defer {
            stack.valueTop = bottom
            stack.frameTop = bottomFrame
        }
        guard stack.valuesEnd - bottom > arguments.count else { throw Self.noRoom }
        var sp = Operands(top: bottom)
        for argument in arguments { sp.push(argument) }
        var locals = bottom
        var frame = bottomFrame
        var pc = UnsafePointer(stack.halt)
        var context = home
        var memory = UnsafeMutableRawPointer(stack.halt).assumingMemoryBound(to: UInt8.self)
        var size: UInt64 = 0
        Self.reload(context, &memory, &size)
        var height: UInt32 = 0
        // Of this entry's live frames.
        var reserved: UInt32 = 0
        var callee = function
        var cost: UInt32 = 0
        var trap: Trap?
        if function.pointee.hasTrampoline {
            cost = function.pointee.stackCost
            height = cost
            trap = Self.enter(function, height: height, tally)
        }

        execution: while trap == nil {
            // Call `callee`, whose arguments are on the stack and by whose `cost` the height was raised.
            if let entry = callee.pointee.entry, let itsContext = callee.pointee.context {
                let base = sp.top - Int(callee.pointee.parameterCount)
                reserved += callee.pointee.reserve
                guard reserved <= StackReserve.budgetUnits else {
                    trap = .nativeStack
                    break execution
                }
                guard stack.valuesEnd - base > Int(callee.pointee.frameSlots), frame < stack.framesEnd else {
                    throw Self.noRoom
                }
                let entered = follower?.enter(callee, itsContext, arguments: base) ?? 0
                frame.initialize(
                    to: Frame(
                        pc: pc, locals: locals, context: context, cost: cost, reserve: callee.pointee.reserve,
                        entry: entered))
                frame += 1
                let localCount = Int(callee.pointee.localCount)
                sp.top.update(repeating: 0, count: localCount)
                sp.top += localCount
                locals = base
                pc = entry
                if itsContext != context {
                    context = itsContext
                    Self.reload(context, &memory, &size)
                }
            } else {
                stack.valueTop = sp.top
                stack.frameTop = frame
                guard let result = Self.callHost(callee, context, sp.top) else { return .endedByHost }
                sp.top -= Int(callee.pointee.parameterCount)
                if callee.pointee.resultCount > 0 { sp.push(result) }
                height &-= cost
                Self.reload(context, &memory, &size)
            }

            code: while true {
                let op = pc
                pc += 1
                switch op.pointee.operation {
                case .constant:
                    sp.push(op.pointee.bits)
                case .localGet:
                    sp.push(locals[Int(op.pointee.a)])
                case .localSet:
                    locals[Int(op.pointee.a)] = sp.pop()
                case .localTee:
                    locals[Int(op.pointee.a)] = sp.top[-1]
                case .globalGet:
                    sp.push(context.pointee.globals[Int(op.pointee.a)].pointee)
                case .globalSet:
                    context.pointee.globals[Int(op.pointee.a)].pointee = sp.pop()
                case .drop:
                    sp.top -= 1
                case .select:
                    sp.top -= 2
                    if UInt32(slot: sp.top[1]) == 0 { sp.top[-1] = sp.top[0] }

                case .charge:
                    if let coverage { coverage.charge(op, entry: frame[-1].entry) }
                    if let tally { tally.add(op.pointee.bits, by: op) }
                    let left = context.pointee.gas.pointee &- Int64(bitPattern: op.pointee.bits)
                    context.pointee.gas.pointee = left
                    guard left >= 0 else {
                        trap = .outOfGas
                        break execution
                    }
                case .chargeLinear:
                    let amount = UInt64(UInt32(slot: sp.top[-1])) &* op.pointee.bits
                    if let tally { tally.add(amount, by: op) }
                    let left = context.pointee.gas.pointee &- Int64(bitPattern: amount)
                    context.pointee.gas.pointee = left
                    guard left >= 0 else {
                        trap = .outOfGas
                        break execution
                    }

                case .watch:
                    if let watch { watch.note(op, sp.top) }

                case .jump:
                    pc += Self.displacement(op)
                case .jumpKeepingOne:
                    let value = sp.top[-1]
                    sp.top = locals + Int(op.pointee.bits)
                    sp.push(value)
                    pc += Self.displacement(op)
                case .jumpKeepingNone:
                    sp.top = locals + Int(op.pointee.bits)
                    pc += Self.displacement(op)
                case .jumpIfZero:
                    if sp.popU32() == 0 { pc += Self.displacement(op) }
                case .jumpIf:
                    if sp.popU32() != 0 { pc += Self.displacement(op) }
                case .jumpIfKeepingOne:
                    if sp.popU32() != 0 {
                        let value = sp.top[-1]
                        sp.top = locals + Int(op.pointee.bits)
                        sp.push(value)
                        pc += Self.displacement(op)
                    }
                case .jumpIfKeepingNone:
                    if sp.popU32() != 0 {
                        sp.top = locals + Int(op.pointee.bits)
                        pc += Self.displacement(op)
                    }
                case .jumpTable:
                    pc += Int(min(sp.popU32(), op.pointee.a))
                case .unreachable:
                    trap = .unreachable
                    break execution

                case .call:
                    callee = context.pointee.functions[Int(op.pointee.a)]
                    cost = 0
                    // Only the suite profile links to functions of other instances; those are entered like exports.
                    if callee.pointee.hasTrampoline {
                        cost = callee.pointee.stackCost
                        height &+= cost
                        trap = Self.enter(callee, height: height, tally)
                    }
                    break code
                case .guardedCall:
                    callee = context.pointee.functions[Int(op.pointee.a)]
                    cost = UInt32(truncatingIfNeeded: op.pointee.bits)
                    height &+= cost
                    guard height <= context.pointee.stackLimit else {
                        trap = .stackHeight
                        break execution
                    }
                    break code
                case .callIndirect:
                    let table = context.pointee.tables[Int(op.pointee.bits)]
                    let index = sp.popU32()
                    guard index < table.pointee.size else {
                        trap = .undefinedElement
                        break execution
                    }
                    guard let record = Self.record(table.pointee.elements[Int(index)]) else {
                        trap = .uninitializedElement
                        break execution
                    }
                    guard record.pointee.typeID == context.pointee.typeIDs[Int(op.pointee.a)] else {
                        trap = .indirectCallType
                        break execution
                    }
                    callee = record
                    cost = 0
                    if record.pointee.hasTrampoline {
                        cost = record.pointee.stackCost
                        height &+= cost
                        trap = Self.enter(record, height: height, tally)
                    }
                    break code
                case .returnOne, .returnNone:
                    if op.pointee.operation == .returnOne {
                        locals.pointee = sp.top[-1]
                        sp.top = locals + 1
                    } else {
                        sp.top = locals
                    }
                    frame -= 1
                    pc = frame.pointee.pc
                    locals = frame.pointee.locals
                    height &-= frame.pointee.cost
                    reserved -= frame.pointee.reserve
                    if frame.pointee.context != context {
                        context = frame.pointee.context
                        Self.reload(context, &memory, &size)
                    }
                case .halt:
                    return .returned((0..<Int(function.pointee.resultCount)).map { bottom[$0] })

                case .memorySize:
                    sp.push(size / 65_536)
                case .memoryGrow:
                    let pages = try Self.instance(context).growMemory(by: UInt32(slot: sp.top[-1]))
                    sp.top[-1] = UInt64(pages ?? UInt32.max)
                    Self.reload(context, &memory, &size)
                case .tableGet, .tableSet, .tableGrow, .tableSize, .tableFill, .tableCopy, .tableInit, .elemDrop,
                    .memoryInit, .memoryCopy, .memoryFill, .dataDrop, .refFunc, .refIsNull:
                    // A copy, so that the optimiser may keep `sp` itself in a register.
                    var operands = sp
                    let reason = try Self.instance(context).perform(op.pointee, &operands)
                    sp = operands
                    if let reason {
                        trap = reason
                        break execution
                    }

                case .i32Load, .f32Load, .i64Load32U:
                    guard sp.load(memory, size, op.pointee.bits, { (v: UInt32) in UInt64(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i64Load, .f64Load:
                    guard sp.load(memory, size, op.pointee.bits, { (v: UInt64) in v }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Load8S:
                    guard sp.load(memory, size, op.pointee.bits, { (v: Int8) in Int32(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Load8U, .i64Load8U:
                    guard sp.load(memory, size, op.pointee.bits, { (v: UInt8) in UInt64(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Load16S:
                    guard sp.load(memory, size, op.pointee.bits, { (v: Int16) in Int32(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Load16U, .i64Load16U:
                    guard sp.load(memory, size, op.pointee.bits, { (v: UInt16) in UInt64(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i64Load8S:
                    guard sp.load(memory, size, op.pointee.bits, { (v: Int8) in Int64(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i64Load16S:
                    guard sp.load(memory, size, op.pointee.bits, { (v: Int16) in Int64(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i64Load32S:
                    guard sp.load(memory, size, op.pointee.bits, { (v: Int32) in Int64(v) }) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Store, .f32Store, .i64Store32:
                    guard sp.store(memory, size, op.pointee.bits, as: UInt32.self) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i64Store, .f64Store:
                    guard sp.store(memory, size, op.pointee.bits, as: UInt64.self) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Store8, .i64Store8:
                    guard sp.store(memory, size, op.pointee.bits, as: UInt8.self) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Store16, .i64Store16:
                    guard sp.store(memory, size, op.pointee.bits, as: UInt16.self) else {
                        trap = .memoryOutOfBounds
                        break execution
                    }
                case .i32Eqz:
                    sp.unary { (a: UInt32) in a == 0 }
                case .i32Eq:
                    sp.binary { (a: UInt32, b: UInt32) in a == b }
                case .i32Ne:
                    sp.binary { (a: UInt32, b: UInt32) in a != b }
                case .i32LtS:
                    sp.binary { (a: Int32, b: Int32) in a < b }
                case .i32LtU:
                    sp.binary { (a: UInt32, b: UInt32) in a < b }
                case .i32GtS:
                    sp.binary { (a: Int32, b: Int32) in a > b }
                case .i32GtU:
                    sp.binary { (a: UInt32, b: UInt32) in a > b }
                case .i32LeS:
                    sp.binary { (a: Int32, b: Int32) in a <= b }
                case .i32LeU:
                    sp.binary { (a: UInt32, b: UInt32) in a <= b }
                case .i32GeS:
                    sp.binary { (a: Int32, b: Int32) in a >= b }
                case .i32GeU:
                    sp.binary { (a: UInt32, b: UInt32) in a >= b }
                case .i64Eqz:
                    sp.unary { (a: UInt64) in a == 0 }
                case .i64Eq:
                    sp.binary { (a: UInt64, b: UInt64) in a == b }
                case .i64Ne:
                    sp.binary { (a: UInt64, b: UInt64) in a != b }
                case .i64LtS:
                    sp.binary { (a: Int64, b: Int64) in a < b }
                case .i64LtU:
                    sp.binary { (a: UInt64, b: UInt64) in a < b }
                case .i64GtS:
                    sp.binary { (a: Int64, b: Int64) in a > b }
                case .i64GtU:
                    sp.binary { (a: UInt64, b: UInt64) in a > b }
                case .i64LeS:
                    sp.binary { (a: Int64, b: Int64) in a <= b }
                case .i64LeU:
                    sp.binary { (a: UInt64, b: UInt64) in a <= b }
                case .i64GeS:
                    sp.binary { (a: Int64, b: Int64) in a >= b }
                case .i64GeU:
                    sp.binary { (a: UInt64, b: UInt64) in a >= b }
                case .f32Eq:
                    sp.binary { (a: Float, b: Float) in a == b }
                case .f32Ne:
                    sp.binary { (a: Float, b: Float) in a != b }
                case .f32Lt:
                    sp.binary { (a: Float, b: Float) in a < b }
                case .f32Gt:
                    sp.binary { (a: Float, b: Float) in a > b }
                case .f32Le:
                    sp.binary { (a: Float, b: Float) in a <= b }
                case .f32Ge:
                    sp.binary { (a: Float, b: Float) in a >= b }
                case .f64Eq:
                    sp.binary { (a: Double, b: Double) in a == b }
                case .f64Ne:
                    sp.binary { (a: Double, b: Double) in a != b }
                case .f64Lt:
                    sp.binary { (a: Double, b: Double) in a < b }
                case .f64Gt:
                    sp.binary { (a: Double, b: Double) in a > b }
                case .f64Le:
                    sp.binary { (a: Double, b: Double) in a <= b }
                case .f64Ge:
                    sp.binary { (a: Double, b: Double) in a >= b }
                case .i32Clz:
                    sp.unary { (a: UInt32) in UInt32(truncatingIfNeeded: a.leadingZeroBitCount) }
                case .i32Ctz:
                    sp.unary { (a: UInt32) in UInt32(truncatingIfNeeded: a.trailingZeroBitCount) }
                case .i32Popcnt:
                    sp.unary { (a: UInt32) in UInt32(truncatingIfNeeded: a.nonzeroBitCount) }
                case .i32Add:
                    sp.binary { (a: UInt32, b: UInt32) in a &+ b }
                case .i32Sub:
                    sp.binary { (a: UInt32, b: UInt32) in a &- b }
                case .i32Mul:
                    sp.binary { (a: UInt32, b: UInt32) in a &* b }
                case .i32DivS:
                    if let reason = sp.divide(Int32.self) {
                        trap = reason
                        break execution
                    }
                case .i32DivU:
                    if let reason = sp.divide(UInt32.self) {
                        trap = reason
                        break execution
                    }
                case .i32RemS:
                    if let reason = sp.remainder(Int32.self) {
                        trap = reason
                        break execution
                    }
                case .i32RemU:
                    if let reason = sp.remainder(UInt32.self) {
                        trap = reason
                        break execution
                    }
                case .i32And:
                    sp.binary { (a: UInt32, b: UInt32) in a & b }
                case .i32Or:
                    sp.binary { (a: UInt32, b: UInt32) in a | b }
                case .i32Xor:
                    sp.binary { (a: UInt32, b: UInt32) in a ^ b }
                case .i32Shl:
                    sp.binary { (a: UInt32, b: UInt32) in a &<< b }
                case .i32ShrS:
                    sp.binary { (a: Int32, b: Int32) in a &>> b }
                case .i32ShrU:
                    sp.binary { (a: UInt32, b: UInt32) in a &>> b }
                case .i32Rotl:
                    sp.binary { (a: UInt32, b: UInt32) in (a &<< b) | (a &>> (0 &- b)) }
                case .i32Rotr:
                    sp.binary { (a: UInt32, b: UInt32) in (a &>> b) | (a &<< (0 &- b)) }
                case .i64Clz:
                    sp.unary { (a: UInt64) in UInt64(truncatingIfNeeded: a.leadingZeroBitCount) }
                case .i64Ctz:
                    sp.unary { (a: UInt64) in UInt64(truncatingIfNeeded: a.trailingZeroBitCount) }
                case .i64Popcnt:
                    sp.unary { (a: UInt64) in UInt64(truncatingIfNeeded: a.nonzeroBitCount) }
                case .i64Add:
                    sp.binary { (a: UInt64, b: UInt64) in a &+ b }
                case .i64Sub:
                    sp.binary { (a: UInt64, b: UInt64) in a &- b }
                case .i64Mul:
                    sp.binary { (a: UInt64, b: UInt64) in a &* b }
                case .i64DivS:
                    if let reason = sp.divide(Int64.self) {
                        trap = reason
                        break execution
                    }
                case .i64DivU:
                    if let reason = sp.divide(UInt64.self) {
                        trap = reason
                        break execution
                    }
                case .i64RemS:
                    if let reason = sp.remainder(Int64.self) {
                        trap = reason
                        break execution
                    }
                case .i64RemU:
                    if let reason = sp.remainder(UInt64.self) {
                        trap = reason
                        break execution
                    }
                case .i64And:
                    sp.binary { (a: UInt64, b: UInt64) in a & b }
                case .i64Or:
                    sp.binary { (a: UInt64, b: UInt64) in a | b }
                case .i64Xor:
                    sp.binary { (a: UInt64, b: UInt64) in a ^ b }
                case .i64Shl:
                    sp.binary { (a: UInt64, b: UInt64) in a &<< b }
                case .i64ShrS:
                    sp.binary { (a: Int64, b: Int64) in a &>> b }
                case .i64ShrU:
                    sp.binary { (a: UInt64, b: UInt64) in a &>> b }
                case .i64Rotl:
                    sp.binary { (a: UInt64, b: UInt64) in (a &<< b) | (a &>> (0 &- b)) }
                case .i64Rotr:
                    sp.binary { (a: UInt64, b: UInt64) in (a &>> b) | (a &<< (0 &- b)) }
                case .f32Abs:
                    sp.unary { (a: UInt32) in a & 0x7FFF_FFFF }
                case .f32Neg:
                    sp.unary { (a: UInt32) in a ^ 0x8000_0000 }
                case .f32Ceil:
                    sp.unary { (a: Float) in Numerics.canonical(a.rounded(.up)) }
                case .f32Floor:
                    sp.unary { (a: Float) in Numerics.canonical(a.rounded(.down)) }
                case .f32Trunc:
                    sp.unary { (a: Float) in Numerics.canonical(a.rounded(.towardZero)) }
                case .f32Nearest:
                    sp.unary { (a: Float) in Numerics.canonical(a.rounded(.toNearestOrEven)) }
                case .f32Sqrt:
                    sp.unary { (a: Float) in Numerics.canonical(a.squareRoot()) }
                case .f32Add:
                    sp.binary { (a: Float, b: Float) in Numerics.canonical(a + b) }
                case .f32Sub:
                    sp.binary { (a: Float, b: Float) in Numerics.canonical(a - b) }
                case .f32Mul:
                    sp.binary { (a: Float, b: Float) in Numerics.canonical(a * b) }
                case .f32Div:
                    sp.binary { (a: Float, b: Float) in Numerics.canonical(a / b) }
                case .f32Min:
                    sp.binary { (a: Float, b: Float) in Numerics.canonical(Numerics.minimum(a, b)) }
                case .f32Max:
                    sp.binary { (a: Float, b: Float) in Numerics.canonical(Numerics.maximum(a, b)) }
                case .f32Copysign:
                    sp.binary { (a: UInt32, b: UInt32) in (a & 0x7FFF_FFFF) | (b & 0x8000_0000) }
                case .f64Abs:
                    sp.unary { (a: UInt64) in a & 0x7FFF_FFFF_FFFF_FFFF }
                case .f64Neg:
                    sp.unary { (a: UInt64) in a ^ 0x8000_0000_0000_0000 }
                case .f64Ceil:
                    sp.unary { (a: Double) in Numerics.canonical(a.rounded(.up)) }
                case .f64Floor:
                    sp.unary { (a: Double) in Numerics.canonical(a.rounded(.down)) }
                case .f64Trunc:
                    sp.unary { (a: Double) in Numerics.canonical(a.rounded(.towardZero)) }
                case .f64Nearest:
                    sp.unary { (a: Double) in Numerics.canonical(a.rounded(.toNearestOrEven)) }
                case .f64Sqrt:
                    sp.unary { (a: Double) in Numerics.canonical(a.squareRoot()) }
                case .f64Add:
                    sp.binary { (a: Double, b: Double) in Numerics.canonical(a + b) }
                case .f64Sub:
                    sp.binary { (a: Double, b: Double) in Numerics.canonical(a - b) }
                case .f64Mul:
                    sp.binary { (a: Double, b: Double) in Numerics.canonical(a * b) }
                case .f64Div:
                    sp.binary { (a: Double, b: Double) in Numerics.canonical(a / b) }
                case .f64Min:
                    sp.binary { (a: Double, b: Double) in Numerics.canonical(Numerics.minimum(a, b)) }
                case .f64Max:
                    sp.binary { (a: Double, b: Double) in Numerics.canonical(Numerics.maximum(a, b)) }
                case .f64Copysign:
                    sp.binary { (a: UInt64, b: UInt64) in (a & 0x7FFF_FFFF_FFFF_FFFF) | (b & 0x8000_0000_0000_0000) }
                case .i32WrapI64, .i64ExtendI32U:
                    sp.unary { (a: UInt64) in a & 0xFFFF_FFFF }
                case .i32TruncF32S:
                    if let reason = sp.truncate(sp.float, .i32, as: Int32.self) {
                        trap = reason
                        break execution
                    }
                case .i32TruncSatF32S:
                    sp.top[-1] = Numerics.saturate(sp.float, .i32, as: Int32.self).slot
                case .i32TruncF32U:
                    if let reason = sp.truncate(sp.float, .u32, as: UInt32.self) {
                        trap = reason
                        break execution
                    }
                case .i32TruncSatF32U:
                    sp.top[-1] = Numerics.saturate(sp.float, .u32, as: UInt32.self).slot
                case .i32TruncF64S:
                    if let reason = sp.truncate(sp.double, .i32, as: Int32.self) {
                        trap = reason
                        break execution
                    }
                case .i32TruncSatF64S:
                    sp.top[-1] = Numerics.saturate(sp.double, .i32, as: Int32.self).slot
                case .i32TruncF64U:
                    if let reason = sp.truncate(sp.double, .u32, as: UInt32.self) {
                        trap = reason
                        break execution
                    }
                case .i32TruncSatF64U:
                    sp.top[-1] = Numerics.saturate(sp.double, .u32, as: UInt32.self).slot
                case .i64TruncF32S:
                    if let reason = sp.truncate(sp.float, .i64, as: Int64.self) {
                        trap = reason
                        break execution
                    }
                case .i64TruncSatF32S:
                    sp.top[-1] = Numerics.saturate(sp.float, .i64, as: Int64.self).slot
                case .i64TruncF32U:
                    if let reason = sp.truncate(sp.float, .u64, as: UInt64.self) {
                        trap = reason
                        break execution
                    }
                case .i64TruncSatF32U:
                    sp.top[-1] = Numerics.saturate(sp.float, .u64, as: UInt64.self).slot
                case .i64TruncF64S:
                    if let reason = sp.truncate(sp.double, .i64, as: Int64.self) {
                        trap = reason
                        break execution
                    }
                case .i64TruncSatF64S:
                    sp.top[-1] = Numerics.saturate(sp.double, .i64, as: Int64.self).slot
                case .i64TruncF64U:
                    if let reason = sp.truncate(sp.double, .u64, as: UInt64.self) {
                        trap = reason
                        break execution
                    }
                case .i64TruncSatF64U:
                    sp.top[-1] = Numerics.saturate(sp.double, .u64, as: UInt64.self).slot
                case .i64ExtendI32S, .i64Extend32S:
                    sp.unary { (a: Int32) in Int64(a) }
                case .f32ConvertI32S:
                    sp.unary { (a: Int32) in Float(a) }
                case .f32ConvertI32U:
                    sp.unary { (a: UInt32) in Float(a) }
                case .f32ConvertI64S:
                    sp.unary { (a: Int64) in Float(a) }
                case .f32ConvertI64U:
                    sp.unary { (a: UInt64) in Float(a) }
                case .f64ConvertI32S:
                    sp.unary { (a: Int32) in Double(a) }
                case .f64ConvertI32U:
                    sp.unary { (a: UInt32) in Double(a) }
                case .f64ConvertI64S:
                    sp.unary { (a: Int64) in Double(a) }
                case .f64ConvertI64U:
                    sp.unary { (a: UInt64) in Double(a) }
                case .f32DemoteF64:
                    sp.unary { (a: Double) in Numerics.canonical(Float(a)) }
                case .f64PromoteF32:
                    sp.unary { (a: Float) in Numerics.canonical(Double(a)) }
                case .i32ReinterpretF32, .i64ReinterpretF64, .f32ReinterpretI32, .f64ReinterpretI64:
                    break
                case .i32Extend8S:
                    sp.unary { (a: UInt32) in Int32(Int8(truncatingIfNeeded: a)) }
                case .i32Extend16S:
                    sp.unary { (a: UInt32) in Int32(Int16(truncatingIfNeeded: a)) }
                case .i64Extend8S:
                    sp.unary { (a: UInt64) in Int64(Int8(truncatingIfNeeded: a)) }
                case .i64Extend16S:
                    sp.unary { (a: UInt64) in Int64(Int16(truncatingIfNeeded: a)) }
                }
            }
        }
        return .trapped(trap ?? .unreachable, Self.instance(context).site(of: pc - 1))
    }
}
