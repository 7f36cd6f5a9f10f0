import CActorRuntime
import CodeImage
import CodeSettings
import Metering
import Validator
import WasmFormat

/// The compiler of the baseline tier: machine code for x86-64-v2 in one pass over each body, without LLVM.
///
/// Time and memory are proportional to the module, whatever the module is, so it also takes what the optimising tier
/// would take too long for. A pure function of its arguments: equal input gives equal bytes.
public enum SinglePass {
    /// What came of one module.
    public struct Output: Sendable {
        /// A relocatable object with the one exported symbol `smelt_module`.
        public var object: [UInt8]
        /// By index in the function index space: bytes of stack a call takes.
        public var frames: [Int: UInt64]
    }

    /// - Parameters:
    ///   - plan: charges in milligas and heights; nil compiles without metering (the spec suite).
    ///   - linksEverything: modules are linked to each other (the `suite` profile).
    ///   - symbol: a function's name in the object.
    ///   - progress: told each function that has its code.
    /// - Throws: a failure of the compiler, never a property of the module.
    public static func compile(
        _ validated: ValidatedModule, plan: MeteringPlan?, bounds: Bounds, reserve: StackReserve,
        linksEverything: Bool, symbol: (UInt32) -> String, progress: (Int) -> Void = { _ in }
    ) throws(SinglePassError) -> Output {
        let module = validated.module
        let imported = module.importedFunctionCount
        guard plan.map({ $0.functions.count == module.bodies.count }) ?? true else {
            throw .inconsistent(function: UInt32(imported), offset: 0, rule: "body without a function")
        }
        let entries = (plan?.trampolines ?? []).indices.first { $0 >= imported && plan?.trampolines[$0] != nil }
        let code = CodePiece(
            functions: 0..<imported + module.bodies.count, end: entries.map { .tableEntry($0) } ?? .end)
        guard
            let image = DescriptorImage(
                module, plan: plan, bounds: bounds, reserve: reserve, linksEverything: linksEverything, pieces: [code])
        else { throw .inconsistent(function: 0, offset: 0, rule: "a function type is unusable") }
        let compiler = ModuleCompiler(
            validated, plan: plan, image: image, reserve: reserve, bounds: bounds, linksEverything: linksEverything)
        let (text, lines, frames) = try compiler.compile(progress: progress)
        let starts = compiler.functionPlaces
        let end = compiler.place(.symbol(code.end)) ?? text.count
        let functions = starts.indices.map { index in
            ObjectFile.Function(
                name: symbol(UInt32(index)), start: starts[index],
                end: index + 1 < starts.count ? starts[index + 1] : end)
        }
        let object = ObjectFile.encode(
            text: text.code, items: image.items, rows: lines, functions: functions, exported: SMELT_MODULE_SYMBOL,
            place: { compiler.place(.symbol($0)) })
        return Output(object: object, frames: frames)
    }
}

/// The compiler could not compile a module that the front end accepted: a failure of the compiler.
public enum SinglePassError: Error, Sendable, CustomStringConvertible {
    /// A rule that validation guarantees does not hold.
    case inconsistent(function: UInt32, offset: UInt32, rule: String)
    /// The plan does not fit the body.
    case plan(PlanFault)
    /// A frame, in bytes, is larger than the rule of stack reserves allows.
    case frame(function: UInt32, bytes: UInt64, reserve: UInt64)

    public var description: String {
        switch self {
        case .inconsistent(let function, let offset, let rule):
            "function \(function) at 0x\(String(offset, radix: 16)): \(rule)"
        case .plan(let fault): "\(fault)"
        case .frame(let function, let bytes, let reserve):
            "function \(function) takes \(bytes) bytes of stack, its reserve is \(reserve)"
        }
    }
}
