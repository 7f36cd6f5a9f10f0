import CodeImage
import LLVMKit
import Metering
import Synchronization
import WasmFormat

/// What came of one part of a module.
struct PartOutput: Sendable {
    var bytes: [UInt8]
    /// Of the functions that the part defines, in order.
    var functions: [FunctionFacts]
    /// Bytes by symbol.
    var frames: [String: UInt64]
    var stages: [(name: String, seconds: Double)]
}

/// The parts of one module on their way through LLVM. Each has a context and a code generator of its own, so they share
/// nothing but what is read.
final class PartLowering: Sendable {
    private let module: WasmFormat.Module
    private let plan: MeteringPlan?
    private let options: LoweringOptions
    private let work: ModuleWork
    private let partition: Partition
    private let image: DescriptorImage
    private let product: LoweringProduct
    private let report: LoweringReport
    private let outputs: Mutex<[Result<PartOutput, any Error>?]>

    init(
        _ module: WasmFormat.Module, plan: MeteringPlan?, options: LoweringOptions, work: ModuleWork,
        product: LoweringProduct, report: LoweringReport
    ) throws(LoweringError) {
        self.module = module
        self.plan = plan
        self.options = options
        self.work = work
        self.product = product
        self.report = report
        let imported = module.importedFunctionCount
        let partition =
            product == .parts
            ? Partition(work.functions.map(\.estimate), imported: imported, length: options.partLength)
            : Partition(whole: imported + module.bodies.count)
        let firstEntry = (plan?.trampolines ?? []).indices.first { $0 >= imported && plan?.trampolines[$0] != nil }
        let pieces = partition.parts.enumerated().map { number, functions in
            CodePiece(
                functions: functions,
                end: number < partition.parts.count - 1 ? .end : firstEntry.map { .tableEntry($0) } ?? .end)
        }
        guard
            let image = DescriptorImage(
                module, plan: plan, bounds: options.bounds, reserve: work.reserve,
                linksEverything: options.linksEverything, pieces: pieces)
        else { throw .inconsistent(function: 0, offset: 0, rule: "a function type is unusable") }
        self.partition = partition
        self.image = image
        outputs = Mutex(Array(repeating: nil, count: partition.parts.count))
    }

    /// In the order of the parts.
    func run(_ sideBySide: SideBySide) throws -> [PartOutput] {
        let count = partition.parts.count
        if count == 1 {
            outputs.withLock { $0[0] = Result { try lower(0) } }
        } else {
            report.send(.stage("emit"))
            sideBySide(count) { [self] number in
                let output = Result { try lower(number) }
                outputs.withLock { $0[number] = output }
            }
        }
        return try outputs.withLock { outputs in
            try outputs.map { output in
                guard let output else {
                    throw LoweringError.inconsistent(function: 0, offset: 0, rule: "a part was not made")
                }
                return try output.get()
            }
        }
    }

    private func lower(_ number: Int) throws -> PartOutput {
        // Stages of parts side by side are none of the whole.
        let isWhole = partition.parts.count == 1
        func begin(_ stage: String) { if isWhole { report.send(.stage(stage)) } }
        begin("lower")
        var stages = StageClock()
        let machine = try TargetMachine(triple: options.triple, cpu: options.cpu.rawValue)
        let lowering = ModuleLowering(
            module, plan: plan, options: options, work: work, image: image,
            part: ModuleLowering.Part(
                number: number, count: partition.parts.count, functions: partition.parts[number]), machine: machine)
        var functions = try lowering.lower()
        stages.finish("lower")
        guard product != .ir else {
            return PartOutput(bytes: lowering.ir.text(), functions: functions, frames: [:], stages: stages.stages)
        }
        begin("verify")
        try lowering.ir.verify()
        stages.finish("verify")
        begin("emit")
        var clock = FunctionClock()
        lowering.ir.diagnostics.onFrame = { [report] in report.send(.function($0, seconds: clock.next())) }
        let bytes = try machine.emit(lowering.ir, product == .assembly ? .assembly : .object)
        stages.finish("emit")
        let frames = lowering.ir.diagnostics.frames
        for index in functions.indices {
            functions[index].frameBytes = frames[lowering.names.symbol(functions[index].index)]
        }
        return PartOutput(bytes: bytes, functions: functions, frames: frames, stages: stages.stages)
    }
}

/// Hands on what several threads tell, one at a time.
///
/// Sound: the closure is called under the lock and nowhere else.
final class LoweringReport: @unchecked Sendable {
    private let lock = Mutex(())
    private let body: (LoweringProgress) -> Void

    init(_ body: @escaping (LoweringProgress) -> Void) { self.body = body }

    func send(_ progress: LoweringProgress) { lock.withLock { _ in body(progress) } }
}

/// Seconds from one function to the next of the same thread.
struct FunctionClock {
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant

    init() { last = clock.now }

    mutating func next() -> Double {
        let now = clock.now
        defer { last = now }
        return (now - last).seconds
    }
}

/// Wall time by stage.
struct StageClock {
    private(set) var stages: [(name: String, seconds: Double)] = []
    private let clock = ContinuousClock()
    private var begin: ContinuousClock.Instant

    init() { begin = clock.now }

    mutating func finish(_ name: String) {
        let now = clock.now
        stages.append((name, (now - begin).seconds))
        begin = now
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
