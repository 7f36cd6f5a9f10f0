import Metering
import WasmFormat

/// Compares the frames that the code generator made with what the rule of stack reserves allows.
struct FrameCheck {
    let module: Module
    let reserve: StackReserve
    let inlining: Inlining
    /// The name of a function's code.
    let symbol: (UInt32) -> String

    /// - Parameter frames: bytes by symbol; a function that is not there has none.
    /// - Throws: `.frame` for the first function that takes more than its reserve.
    func run(_ frames: [String: UInt64]) throws(LoweringError) {
        let types = module.functionTypeIndices
        for position in module.bodies.indices where reserve.isCallable(position) {
            let index = module.importedFunctionCount + position
            let parameters = module.type(types[index])?.parameters.count ?? 0
            let bytes = stackBytes(UInt32(index), parameters: parameters, frames)
            let allowed = reserve.bytes(ofFunction: position)
            guard bytes <= allowed || bytes <= allowed + inlining.reserve(in: module.bodies[position], reserve) else {
                throw .frame(function: UInt32(index), bytes: bytes, reserve: allowed)
            }
        }
    }

    /// What a function takes with its trampoline and the larger of its entries from the host: each its frame, the
    /// return address, and the arguments it was passed, which the code generator may push outside of frames.
    func stackBytes(_ index: UInt32, parameters: Int, _ frames: [String: UInt64]) -> UInt64 {
        let passed = 8 + 8 * UInt64(parameters)
        func bytes(_ symbol: String) -> UInt64 { frames[symbol].map { $0 + passed } ?? 0 }
        let own = (frames[symbol(index)] ?? 0) + passed
        return own + bytes("entry\(index)") + max(bytes("uniform\(index)"), bytes("typed\(index)"))
    }
}
