import CActorRuntime
import CodeImage
import CodeSettings
import Metering
import Validator
import WasmFormat

/// What all functions of one module share while they are compiled, and the small functions around them: imports,
/// trampolines, entries from the host, the ends of traps.
final class ModuleCompiler {
    let validated: ValidatedModule
    let plan: MeteringPlan?
    let image: DescriptorImage
    let reserve: StackReserve
    let bounds: Bounds
    let linksEverything: Bool
    let globalTypes: [GlobalType]
    let importedGlobalCount: Int
    var module: Module { validated.module }

    /// Where code can be called that lies elsewhere in the text.
    enum Target: Hashable {
        case symbol(CodeSymbol)
        case helper(Helper)
    }

    /// The ends of traps. Each goes on to the runtime by a jump, which sees the place the helper was called from.
    enum Helper: Hashable {
        case trap(smelt_rt_trap)
        /// Of the comparison at a function's start; tells the two traps apart.
        case stack

        func hash(into hasher: inout Hasher) {
            switch self {
            case .trap(let trap): hasher.combine(trap.rawValue)
            case .stack: hasher.combine(-1)
            }
        }

        static func == (a: Helper, b: Helper) -> Bool {
            switch (a, b) {
            case (.trap(let a), .trap(let b)): a.rawValue == b.rawValue
            case (.stack, .stack): true
            default: false
            }
        }
    }

    private var calls: [(place: Int, target: Target)] = []
    private var helpers: [Helper] = []
    private var isHelperUsed: Set<Helper> = []
    private(set) var places: [Target: Int] = [:]
    /// By index: where a function begins.
    private(set) var functionPlaces: [Int] = []

    init(
        _ validated: ValidatedModule, plan: MeteringPlan?, image: DescriptorImage, reserve: StackReserve,
        bounds: Bounds, linksEverything: Bool
    ) {
        self.validated = validated
        self.plan = plan
        self.image = image
        self.reserve = reserve
        self.bounds = bounds
        self.linksEverything = linksEverything
        globalTypes = validated.module.globalTypes
        importedGlobalCount = validated.module.importedGlobalCount
    }

    /// Whether calls add up reserves: not where the counted height ends every chain of calls first.
    var addsReserves: Bool { !reserve.isBounded }

    func functionType(_ index: UInt32) -> FunctionType? {
        Int(index) < image.functionTypes.count ? image.functionTypes[Int(index)] : nil
    }

    /// Counted elements by which a call raises the height; none for imports.
    func stackCost(of function: Int) -> UInt32 {
        let position = function - image.importedFunctionCount
        guard let plan, position >= 0 else { return 0 }
        return plan.functions[position].stackCost
    }

    /// The trampoline's charge in milligas; nil where references lead to the function itself.
    func trampoline(_ index: Int) -> UInt64? {
        guard index >= image.importedFunctionCount, let plan, index < plan.trampolines.count else { return nil }
        return plan.trampolines[index]
    }

    // MARK: Calls

    func callFunction(_ index: Int, _ assembler: inout Assembler) {
        calls.append((assembler.callLater(), .symbol(.function(index))))
    }

    func callHelper(_ helper: Helper, _ assembler: inout Assembler) {
        need(helper)
        calls.append((assembler.callLater(), .helper(helper)))
    }

    private func need(_ helper: Helper) {
        if isHelperUsed.insert(helper).inserted { helpers.append(helper) }
    }

    // MARK: The text

    /// All code, in the order of the index space, then what is around it.
    func compile(
        progress: (Int) -> Void
    ) throws(SinglePassError) -> (text: Assembler, lines: [LineProgram.Row], frames: [Int: UInt64]) {
        var assembler = Assembler()
        var lines: [LineProgram.Row] = []
        var frames: [Int: UInt64] = [:]
        assembler.reserve(module.bodies.reduce(4_096) { $0 + $1.instructions.count * 8 })
        for index in 0..<image.importedFunctionCount {
            begin(.symbol(.function(index)), &assembler, &lines)
            importThunk(index, &assembler)
        }
        for position in module.bodies.indices {
            let index = image.importedFunctionCount + position
            begin(.symbol(.function(index)), &assembler, &lines)
            if reserve.isCallable(position) {
                frames[index] = try compileFunction(position, &assembler, &lines)
            } else {
                uncallable(&assembler)
            }
            progress(position)
        }
        // Next to the functions, so that their code is the same whatever else is around them.
        if plan != nil { need(.trap(SMELT_RT_TRAP_OUT_OF_GAS)) }
        for helper in helpers {
            begin(.helper(helper), &assembler, &lines)
            compile(helper, &assembler)
        }
        for index in module.bodies.indices.map({ image.importedFunctionCount + $0 }) {
            guard let charge = trampoline(index) else {
                places[.symbol(.tableEntry(index))] = functionPlaces[index]
                continue
            }
            begin(.symbol(.tableEntry(index)), &assembler, &lines)
            trampoline(index, charge, &assembler)
        }
        for index in 0..<image.importedFunctionCount {
            places[.symbol(.tableEntry(index))] = functionPlaces[index]
        }
        for index in image.hostEntries { hostEntries(index, &assembler, &lines, uniformOnly: false) }
        if let start = image.start, places[.symbol(.uniformEntry(start))] == nil {
            hostEntries(start, &assembler, &lines, uniformOnly: true)
        }
        begin(.symbol(.end), &assembler, &lines)
        assembler.return()
        assembler.finishFunction()
        for call in calls {
            guard let place = place(call.target) else { continue }
            assembler.link(call.place, to: place)
        }
        return (assembler, lines, frames)
    }

    /// Where something begins in the text.
    func place(_ target: Target) -> Int? {
        if case .symbol(.function(let index)) = target {
            return index < functionPlaces.count ? functionPlaces[index] : nil
        }
        return places[target]
    }

    private func begin(_ target: Target, _ assembler: inout Assembler, _ lines: inout [LineProgram.Row]) {
        assembler.align(16)
        if case .symbol(.function) = target {
            functionPlaces.append(assembler.count)
        } else {
            places[target] = assembler.count
        }
        // What is around the bodies comes from no place of the binary.
        if lines.last?.line != 0 { lines.append(LineProgram.Row(address: assembler.count, line: 0)) }
    }

    private func compileFunction(
        _ position: Int, _ assembler: inout Assembler, _ lines: inout [LineProgram.Row]
    ) throws(SinglePassError) -> UInt64 {
        // Handed over and back, not copied.
        var text = Assembler()
        swap(&text, &assembler)
        var rows: [LineProgram.Row] = []
        swap(&rows, &lines)
        var compiler = FunctionCompiler(self, position: position, assembler: text, lines: rows)
        text = Assembler()
        rows = []
        try compiler.run()
        let index = image.importedFunctionCount + position
        let bytes = UInt64(compiler.stackBytes)
        let allowed = reserve.bytes(ofFunction: position)
        guard bytes <= allowed else { throw .frame(function: UInt32(index), bytes: bytes, reserve: allowed) }
        swap(&assembler, &compiler.assembler)
        swap(&lines, &compiler.lines)
        return bytes
    }

    // MARK: Around bodies

    /// Loads a 32- or 64-bit value so that its upper half is zero where it has none.
    private func load(_ type: ValueType, _ to: GP, _ from: Memory, _ assembler: inout Assembler) {
        assembler.load(to, from, wide: type.isWide || type == .f64)
    }

    /// An import: its arguments go into 64-bit slots on the stack, the host works on the counter in the context.
    private func importThunk(_ index: Int, _ assembler: inout Assembler) {
        let type = image.functionTypes[index]
        let places = ArgumentPlaces(type.parameters)
        let slots = max(1, type.parameters.count)
        // The return address makes it odd.
        let frame = slots % 2 == 0 ? slots * 8 + 8 : slots * 8
        assembler.arithmetic(.subtract, .register(GP.rsp.rawValue), Int32(frame), wide: true)
        for (number, parameter) in type.parameters.enumerated() {
            let slot = Memory(.rsp, nil, Int32(8 * number))
            switch places.places[number] {
            case .gp(let register): assembler.store(register, slot, wide: true)
            case .xmm(let register):
                assembler.move(.r11, register, wide: parameter == .f64)
                assembler.store(.r11, slot, wide: true)
            case .stack(let place):
                load(parameter, .r11, Memory(.rsp, nil, Int32(frame + 8 + 8 * place)), &assembler)
                assembler.store(.r11, slot, wide: true)
            }
        }
        assembler.move(.rdi, Convention.context, wide: true)
        assembler.move(.rsi, UInt64(index))
        assembler.move(.rdx, .rsp, wide: true)
        assembler.call(Memory(Convention.context, nil, Int32(Service.callImport)))
        if let result = type.results.first {
            if result.isFloat {
                assembler.load(.zero, Memory(.rsp), double: result == .f64)
            } else {
                load(result, .rax, Memory(.rsp), &assembler)
            }
        }
        assembler.arithmetic(.add, .register(GP.rsp.rawValue), Int32(frame), wide: true)
        assembler.return()
    }

    /// A function whose reserve alone exceeds the budget ends every call.
    private func uncallable(_ assembler: inout Assembler) {
        assembler.arithmetic(.subtract, .register(GP.rsp.rawValue), 8, wide: true)
        callHelper(plan == nil ? .trap(SMELT_RT_TRAP_NATIVE_STACK) : .stack, &assembler)
    }

    /// What the reference puts in front of functions that are reached from outside or through a table: its own charge,
    /// then the height, which the function compares.
    private func trampoline(_ index: Int, _ charge: UInt64, _ assembler: inout Assembler) {
        let exhausted = assembler.makeLabel()
        assembler.move(.r11, charge)
        assembler.subtract(.r11, Memory(Convention.context, nil, Int32(ContextLayout.gas)))
        assembler.jump(.sign, exhausted)
        let cost = stackCost(of: index)
        if cost > 0 {
            assembler.arithmetic(
                .add, .register(Convention.stackPair.rawValue), Int32(truncatingIfNeeded: cost), wide: true)
        }
        calls.append((assembler.callLater(jump: true), .symbol(.function(index))))
        assembler.bind(exhausted)
        assembler.arithmetic(.subtract, .register(GP.rsp.rawValue), 8, wide: true)
        callHelper(.trap(SMELT_RT_TRAP_OUT_OF_GAS), &assembler)
        assembler.finishFunction()
    }

    private func hostEntries(
        _ index: Int, _ assembler: inout Assembler, _ lines: inout [LineProgram.Row], uniformOnly: Bool
    ) {
        begin(.symbol(.uniformEntry(index)), &assembler, &lines)
        uniformEntry(index, &assembler)
        guard !uniformOnly else { return }
        begin(.symbol(.typedEntry(index)), &assembler, &lines)
        typedEntry(index, &assembler)
    }

    /// Saves what a C function keeps, and makes room for arguments; what was subtracted from the stack pointer.
    private func enter(_ arguments: Int, _ assembler: inout Assembler) -> Int32 {
        for register in Convention.keptByC { assembler.push(register) }
        // Six pushes and the return address are 56 bytes.
        let room = Int32(arguments % 2 == 0 ? arguments * 8 + 8 : arguments * 8)
        assembler.arithmetic(.subtract, .register(GP.rsp.rawValue), room, wide: true)
        assembler.move(Convention.context, .rdi, wide: true)
        return room
    }

    /// Calls a function from outside: nothing is on the stack yet.
    private func callFromOutside(_ index: Int, _ assembler: inout Assembler) {
        assembler.load(
            Convention.memoryBase, Memory(Convention.context, nil, Int32(ContextLayout.memoryBase)), wide: true)
        assembler.arithmetic(.xor, Convention.stackPair, .register(Convention.stackPair.rawValue), wide: false)
        let target: Target = trampoline(index) == nil ? .symbol(.function(index)) : .symbol(.tableEntry(index))
        calls.append((assembler.callLater(), target))
    }

    private func leave(_ room: Int32, _ assembler: inout Assembler) {
        assembler.arithmetic(.add, .register(GP.rsp.rawValue), room, wide: true)
        for register in Convention.keptByC.reversed() { assembler.pop(register) }
        assembler.return()
    }

    /// `void (context, arguments, results)`, 64-bit slots.
    private func uniformEntry(_ index: Int, _ assembler: inout Assembler) {
        let type = image.functionTypes[index]
        let places = ArgumentPlaces(type.parameters)
        let room = enter(places.stackCount, &assembler)
        assembler.move(.r10, .rsi, wide: true)
        assembler.move(.rbx, .rdx, wide: true)
        for (number, parameter) in type.parameters.enumerated() {
            let slot = Memory(.r10, nil, Int32(8 * number))
            switch places.places[number] {
            case .gp(let register): load(parameter, register, slot, &assembler)
            case .xmm(let register): assembler.load(register, slot, double: parameter == .f64)
            case .stack(let place):
                load(parameter, .r11, slot, &assembler)
                assembler.store(.r11, Memory(.rsp, nil, Int32(8 * place)), wide: true)
            }
        }
        callFromOutside(index, &assembler)
        if let result = type.results.first {
            if result.isFloat { assembler.move(.rax, .zero, wide: result == .f64) }
            assembler.store(.rax, Memory(.rbx), wide: true)
        }
        leave(room, &assembler)
    }

    /// The function's own C signature behind the context.
    private func typedEntry(_ index: Int, _ assembler: inout Assembler) {
        let type = image.functionTypes[index]
        let from = ArgumentPlaces(type.parameters, registers: Array(Convention.arguments.dropFirst()))
        let to = ArgumentPlaces(type.parameters)
        let room = enter(to.stackCount, &assembler)
        let above = room + Int32(8 * Convention.keptByC.count + 8)
        // In this order no register is written before it was read: each argument moves one register forward.
        for number in type.parameters.indices {
            guard case .gp(let source) = from.places[number], case .gp(let target) = to.places[number] else { continue }
            // A C caller leaves anything in the upper half.
            assembler.move(target, source, wide: type.parameters[number].isWide)
        }
        for (number, parameter) in type.parameters.enumerated() {
            guard case .stack(let source) = from.places[number] else { continue }
            let place = Memory(.rsp, nil, above + Int32(8 * source))
            switch to.places[number] {
            case .gp(let register): load(parameter, register, place, &assembler)
            case .xmm: break
            case .stack(let target):
                load(parameter, .r11, place, &assembler)
                assembler.store(.r11, Memory(.rsp, nil, Int32(8 * target)), wide: true)
            }
        }
        callFromOutside(index, &assembler)
        leave(room, &assembler)
    }

    /// Goes on to the runtime, which sees the place the helper was called from.
    private func compile(_ helper: Helper, _ assembler: inout Assembler) {
        switch helper {
        case .trap(let trap): assembler.move(.rsi, UInt64(trap.rawValue))
        case .stack:
            assembler.move(.rsi, UInt64(SMELT_RT_TRAP_NATIVE_STACK.rawValue))
            if let plan {
                assembler.move(.rcx, UInt64(SMELT_RT_TRAP_STACK_HEIGHT.rawValue))
                assembler.arithmetic(
                    .compare, .register(Convention.stackPair.rawValue), Int32(bitPattern: plan.stackLimit), wide: false)
                assembler.moveIf(.above, .rsi, .register(GP.rcx.rawValue), wide: false)
            }
        }
        assembler.move(.rdi, Convention.context, wide: true)
        assembler.jump(Memory(Convention.context, nil, Int32(ContextLayout.raise)))
    }
}
