import Engine

/// What one small function showed over all its inputs.
struct FunctionRecord: Equatable {
    struct Trapped: Equatable {
        var input: UInt64
        var trap: Int32
        /// The counter then.
        var gas: Int64
    }

    /// Of all results.
    var hash: UInt64 = 0
    var traps: [Trapped] = []
    /// The counter at the end.
    var gas: Int64 = 0
}

/// Runs the functions of a batch on one engine.
struct BatchRun {
    /// Inputs after which a function that traps each time is left alone.
    private static let mostTraps = 32
    /// Milligas for one function; nothing of a batch uses as much.
    static let gas: Int64 = 1 << 40

    private let instance: any ActorInstance

    init(_ module: any ActorModule) throws {
        instance = try module.makeInstance(handler: NoImports(), limiter: ResourceLimiter(limit: 1 << 30))
        instance.gasCounter = BatchRun.gas
        guard case .returned = try instance.instantiate() else {
            throw EngineError.artifact("a batch does not instantiate")
        }
    }

    /// All inputs of one function, or some of them.
    func record(_ index: Int, _ function: SmallFunction, inputs: Range<Int>? = nil) throws -> FunctionRecord {
        let table = InputTable.index(of: function)
        let inputs = inputs ?? 0..<InputTable.all[table].rows.count
        let driver = function.width == .i32 ? "run32" : "run64"
        var record = FunctionRecord()
        var first = UInt64(inputs.lowerBound)
        instance.gasCounter = BatchRun.gas
        while first < UInt64(inputs.upperBound), record.traps.count < BatchRun.mostTraps {
            let arguments = [UInt64(index), first, UInt64(inputs.upperBound), UInt64(Batch.address(table))]
            switch try instance.call(driver, arguments) {
            case .returned: first = UInt64(inputs.upperBound)
            case .trapped(let trap, _):
                let gas = instance.gasCounter
                let input = try ask("at")
                record.traps.append(.init(input: input, trap: trap.rawValue, gas: gas))
                first = input + 1
                instance.gasCounter = gas
            case .endedByHost: throw EngineError.artifact("a batch called its host")
            }
        }
        record.gas = instance.gasCounter
        record.hash = try ask("hash")
        return record
    }

    private func ask(_ getter: String) throws -> UInt64 {
        instance.gasCounter = BatchRun.gas
        guard case .returned(let slots) = try instance.call(getter, []), let value = slots.first else {
            throw EngineError.artifact("a batch has lost its place")
        }
        return value
    }

    private final class NoImports: ImportHandler {
        func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome { .end }
    }
}
