import Validator
import WasmFormat

/// What a first look at a body finds: how much of the frame calls need, and which locals are busiest.
struct Survey {
    /// 8-byte places for arguments of the calls.
    private(set) var outgoing = 0
    /// Whether anything is called with a stack pair.
    private(set) var calls = false
    /// Uses by local, those in loops counted more.
    private var uses: [UInt32: UInt32] = [:]

    init(_ body: FunctionBody, _ table: SideTable, _ module: ModuleCompiler) {
        var cursor = SideTable.Cursor()
        // By number of the construct, how many loops it is in, itself included.
        var loops = [UInt32](repeating: 0, count: table.constructs.count)
        var position = 0
        while position < body.instructions.count {
            let next = cursor.reachable(from: position, in: table)
            if next != position {
                position = next
                continue
            }
            let instruction = body.instructions[position]
            switch instruction.opcode {
            case .block, .loop, .if:
                let around = loops[cursor.innermost]
                cursor.open()
                loops[cursor.innermost] = around + (instruction.opcode == .loop ? 1 : 0)
            case .end: _ = cursor.close(in: table)
            case .br, .brIf, .brTable, .return: _ = cursor.branch(in: table)
            case .localGet, .localSet, .localTee:
                uses[instruction.index, default: 0] &+= 1 << min(4 * loops[cursor.innermost], 16)
            case .call:
                calls = true
                if let type = module.functionType(instruction.index) { note(type) }
            case .callIndirect:
                calls = true
                if let type = module.module.type(instruction.index) { note(type) }
            default: break
            }
            position += 1
        }
    }

    private mutating func note(_ type: FunctionType) {
        outgoing = max(outgoing, ArgumentPlaces(type.parameters).stackCount)
    }

    /// Registers for the integer locals that gain most by them.
    func busiest(_ locals: Locals) -> [(local: Int, register: GP)] {
        // A register costs being saved; less than a few uses are not worth it.
        let least: UInt32 = 3
        let candidates = uses.filter { $0.value >= least && Int($0.key) < locals.count }
            .filter { !locals.type(Int($0.key)).isFloat }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return zip(candidates, Convention.kept).map { (Int($0.key), $1) }
    }
}
