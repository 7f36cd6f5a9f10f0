import ArtifactFormat
import CodeSettings
import GasSchedule
import Primitives
import WasmFormat

/// What a compilation makes. Everything but `so` is for people and tests and is not stored.
public enum Product: String, Sendable, Hashable, CaseIterable {
    /// The object: linked, with manifest, verified.
    case so
    /// The relocatable object.
    case obj
    /// Assembly text.
    case asm
    /// LLVM IR as lowered, before the passes.
    case ir
    /// The metering plan as text.
    case plan
    /// The WASM binary, after the front end accepted it.
    case wasm
}

/// What one compilation may use of the machine.
public struct CompileLimits: Sendable, Hashable {
    /// Processor seconds.
    public var seconds: UInt64
    /// Bytes of address space.
    public var memory: UInt64
    /// Seconds of real time after which the host gives a worker up that neither works nor answers. Far above what
    /// a busy machine makes of the processor time.
    public var patience: UInt64
    /// Parts of the module that may be compiled at a time; the bytes do not depend on it.
    public var threads: Int

    public init(seconds: UInt64, memory: UInt64, patience: UInt64? = nil, threads: Int = 1) {
        self.seconds = seconds
        self.memory = memory
        self.patience = patience ?? 60 + 30 * seconds
        self.threads = threads
    }

    /// 60 s and 4 GiB for modules up to 1 MiB, in proportion above.
    public static func forModule(size: Int) -> CompileLimits {
        let parts = UInt64(max(1, (size + (1 << 20) - 1) >> 20))
        return CompileLimits(seconds: 60 * parts, memory: (4 << 30) * parts)
    }
}

/// A request to a worker.
public struct CompileRequest: Sendable, Hashable {
    public var cid: Cid
    public var wasm: [UInt8]
    public var settings: CompileSettings
    public var product: Product
    public var limits: CompileLimits

    /// More than there are parts of any module.
    static let mostThreads = 256

    public init(cid: Cid, wasm: [UInt8], settings: CompileSettings, product: Product, limits: CompileLimits) {
        self.cid = cid
        self.wasm = wasm
        self.settings = settings
        self.product = product
        self.limits = limits
    }

    public var frame: Frame {
        var text = FieldText([
            "cid": cid.text, "product": product.rawValue, "seconds": String(limits.seconds),
            "memory": String(limits.memory), "threads": String(limits.threads),
            "profile": settings.profile == .suite ? "suite" : "fvm",
            "stack-limit": String(settings.stackLimit), "metered": settings.isMetered ? "yes" : "no",
            "bounds": settings.bounds.rawValue, "tier": settings.tier.rawValue, "cpu": settings.cpu.rawValue,
            "target": settings.target,
        ])
        for parameter in settings.prices.parameters { text.append(parameter.name, parameter.milligas) }
        return Frame(.request, text, payload: wasm)
    }

    public init(_ frame: Frame) throws(ProtocolError) {
        let text = frame.text
        func price(_ name: String) throws(ProtocolError) -> UInt64 {
            guard let value: UInt64 = text.number(name) else { throw ProtocolError("request without price \(name)") }
            return value
        }
        guard frame.kind == .request, let cid = text.first("cid").flatMap({ try? Cid(text: $0) }),
            let product = text.first("product").flatMap(Product.init(rawValue:)),
            let seconds: UInt64 = text.number("seconds"), let memory: UInt64 = text.number("memory"),
            let threads: Int = text.number("threads"), (1...CompileRequest.mostThreads).contains(threads),
            let stackLimit: UInt32 = text.number("stack-limit"), let target = text.first("target"),
            let bounds = text.first("bounds").flatMap(Bounds.init(rawValue:)),
            let tier = text.first("tier").flatMap(Tier.init(rawValue:)),
            let cpu = text.first("cpu").flatMap(CPULevel.init(rawValue:)), let profile = text.first("profile"),
            let metered = text.first("metered")
        else { throw ProtocolError("request with missing or malformed values") }
        let prices = WasmPrices(
            instruction: try price("instruction"), math: try price("math"),
            jumpUnconditional: try price("jump-unconditional"), jumpConditional: try price("jump-conditional"),
            jumpIndirect: try price("jump-indirect"), call: try price("call"),
            memoryAccess: try price("memory-access"), memoryFillBase: try price("memory-fill-base"),
            memoryCopyPerByte: try price("memory-copy-per-byte"), memoryFillPerByte: try price("memory-fill-per-byte"),
            gasCharge: try price("gas-charge"), linearCalculation: try price("linear-calculation"))
        self.init(
            cid: cid, wasm: frame.payload,
            settings: CompileSettings(
                profile: profile == "suite" ? .suite : .fvm, prices: prices, stackLimit: stackLimit,
                isMetered: metered == "yes", bounds: bounds, tier: tier, cpu: cpu, target: target),
            product: product, limits: CompileLimits(seconds: seconds, memory: memory, threads: threads))
    }
}
