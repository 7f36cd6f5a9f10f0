import CLLVM

/// A failure that LLVM reported.
public struct LLVMError: Error, Sendable, CustomStringConvertible {
    /// What was being done.
    public enum Stage: String, Sendable {
        case target, verify, emit
    }
    public let stage: Stage
    /// LLVM's own words.
    public let message: String

    public var description: String { "llvm \(stage.rawValue): \(message)" }
}

/// Collects what LLVM reports while it works on one context.
public final class Diagnostics {
    /// Errors, in order.
    public private(set) var errors: [String] = []
    /// Stack frames in bytes by symbol name, for functions with `"warn-stack-size"` whose frame exceeds it.
    public private(set) var frames: [String: UInt64] = [:]
    /// Told the symbol name when a function's frame is known, which is once for each function, in their order.
    public var onFrame: ((String) -> Void)?

    init() {}

    /// Listens as long as `context` lives, which its `IRModule` and this object's owner makes sure of.
    func listen(_ context: LLVMContextRef) {
        // Sound: the IRModule that owns the context also owns this object and disposes the context in its deinit.
        let this = Unmanaged.passUnretained(self).toOpaque()
        LLVMContextSetDiagnosticHandler(
            context,
            { info, opaque in
                guard let info, let opaque, let text = LLVMGetDiagInfoDescription(info) else { return }
                let message = String(cString: text)
                LLVMDisposeMessage(text)
                Unmanaged<Diagnostics>.fromOpaque(opaque).takeUnretainedValue()
                    .record(message, isError: LLVMGetDiagInfoSeverity(info) == LLVMDSError)
            }, this)
    }

    private func record(_ message: String, isError: Bool) {
        if isError { return errors.append(message) }
        // "…: stack frame size (1624) exceeds limit (0) in function 'name'"
        guard let open = message.firstRange(of: "stack frame size ("),
            let close = message[open.upperBound...].firstIndex(of: ")"),
            let size = UInt64(message[open.upperBound..<close]),
            let quote = message.firstRange(of: "in function '"), message.hasSuffix("'")
        else { return }
        let name = String(message[quote.upperBound...].dropLast())
        frames[name] = size
        onFrame?(name)
    }
}

/// Copies a message that LLVM allocated, and frees it.
func takeMessage(_ message: UnsafeMutablePointer<CChar>?) -> String {
    guard let message else { return "" }
    defer { LLVMDisposeMessage(message) }
    return String(cString: message)
}
