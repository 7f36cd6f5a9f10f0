import CodeImage
import LLVMKit
import WasmFormat

/// Instructions that the runtime carries out: growth, bulk operations, elements of tables. It checks bounds before it
/// acts, and traps.
extension FunctionLowering {
    func callService(_ instruction: Instruction) throws(LoweringError) {
        let row = instruction.opcode.row
        guard let service = ServiceCall(row.recipe) else { throw fail("\(row.name) has no service") }
        try atSite { () throws(LoweringError) in
            var operands: [Value] = []
            for _ in 0..<service.operands { operands.append(try pop()) }
            if service.passesIndex { operands.append(module.i32(instruction.index)) }
            let type = service.result.map { $0 == .i32 ? types.i64 : module.type($0) }
            let returned = module.callService(service.place, context, operands.reversed(), result: type)
            guard let result = service.result else { return }
            push(result == .i32 ? build.convert(.truncate, returned, to: types.i32) : returned)
        }
    }
}
