import Crypto
import Engine
import GasSchedule
import IPLD
import Kernel
import Primitives
import StateTree
import Syscalls

/// CIDs that stand for code, roots and blocks.
enum Sample {
    static let code = Cid.blake2b256(codec: Cid.raw, data: [1])
    static let otherCode = Cid.blake2b256(codec: Cid.raw, data: [2])
    static let placeholder = Cid.blake2b256(codec: Cid.raw, data: [3])
    static let root = Cid.blake2b256(codec: Cid.dagCbor, data: [0x80])
    static let block = Cid.blake2b256(codec: Cid.dagCbor, data: [0x81, 1])
    static let blockData: [UInt8] = [0x81, 1]

    static func state(balance: UInt64 = 0, delegated: Address? = nil, code: Cid = Sample.code) -> ActorState {
        ActorState(
            code: code, state: root, sequence: 0, balance: TokenAmount(balance), delegatedAddress: delegated)
    }
}

/// Keeps all events, which only a test may.
final class TraceRecording: TraceSink {
    private(set) var events: [TraceEvent] = []

    func record(_ event: TraceEvent) { events.append(event) }
}

/// A machine that makes no charges of its own and writes down what it was asked.
final class FakeCalls: CallManager {
    let recording = TraceRecording()
    var trace: (any TraceSink)? { recording }
    let gas: GasTracker
    var message: MessageFacts
    var network: NetworkFacts
    let fakeExterns = FakeExterns()
    var builtinActors = [Sample.code, Sample.otherCode]
    let placeholderCode = Sample.placeholder

    var actors: [UInt64: ActorState] = [:]
    var resolutions: [Address: UInt64] = [:]
    var blocks: [Cid: [UInt8]] = [Sample.block: Sample.blockData]
    var sent: [CallRequest] = []
    var sendResult: Result<CallOutcome, ExecutionError> = .success(CallOutcome(exitCode: .ok, block: nil))
    var transferError: ExecutionError?
    var events: [ActorEvent] = []
    /// Changes asked for, in order.
    var log: [String] = []

    init(gasLimit: UInt64 = 10_000_000_000, network version: UInt32 = 18) throws {
        gas = GasTracker(gasLimit: gasLimit, trace: recording)
        message = MessageFacts(
            originID: 1001, originAddress: .id(1001), nonce: 7, effectivePremium: TokenAmount(3))
        network = NetworkFacts(
            profile: try .forVersion(NetworkVersion(rawValue: version)), epoch: 1000, timestamp: 30_000,
            baseFee: TokenAmount(100), circulatingSupply: TokenAmount(hi: 2, lo: 5), chainID: 314)
    }

    var externs: any Externs { fakeExterns }

    /// The charges so far, by name.
    var charges: [GasCharge] {
        recording.events.compactMap { event in if case .charge(let charge) = event { charge } else { nil } }
    }

    func send(_ request: CallRequest) throws(ExecutionError) -> CallOutcome {
        sent.append(request)
        return try sendResult.get()
    }
    func resolve(_ address: Address) throws(ExecutionError) -> UInt64? { address.id ?? resolutions[address] }
    func actor(_ id: UInt64) throws(ExecutionError) -> ActorState? { actors[id] }
    func setActor(_ id: UInt64, _ state: ActorState) throws(ExecutionError) {
        log.append("set \(id)")
        actors[id] = state
    }
    func deleteActor(_ id: UInt64) throws(ExecutionError) {
        log.append("delete \(id)")
        actors[id] = nil
    }
    func transfer(from: UInt64, to: UInt64, value: TokenAmount) throws(ExecutionError) {
        if let transferError { throw transferError }
        log.append("transfer \(value.decimal) from \(from) to \(to)")
    }
    func nextActorAddress() throws(ExecutionError) -> Address {
        do throws(AddressError) { return try .actor([UInt8](repeating: 9, count: 20)) } catch {
            throw .local(error.description)
        }
    }
    func createActor(id: UInt64, code: Cid, delegatedAddress: Address?) throws(ExecutionError) {
        log.append("create \(id) \(code.text) \(delegatedAddress?.text() ?? "without address")")
    }
    func readBlock(_ cid: Cid) throws(ExecutionError) -> [UInt8]? { blocks[cid] }
    func writeBlock(_ cid: Cid, _ data: [UInt8]) throws(ExecutionError) { blocks[cid] = data }
    func emit(_ event: ActorEvent) { events.append(event) }
}

final class FakeExterns: Externs {
    var proofs: any ProofSyscalls = ConformanceProofs()
    var failure: ExternFailure?
    var fault: ConsensusFault?
    var asked: [Int64] = []
    var logged: [String] = []

    private func answer<T>(_ epoch: Int64, _ value: T) throws(ExternFailure) -> T {
        asked.append(epoch)
        if let failure { throw failure }
        return value
    }
    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        try answer(epoch, [UInt8](repeating: 1, count: 32))
    }
    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        try answer(epoch, [UInt8](repeating: 2, count: 32))
    }
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid { try answer(epoch, Sample.root) }
    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { try answer(0, fault) }
    func debugLog(_ text: String, actor: UInt64) { logged.append("\(actor): \(text)") }
    func storeArtifact(name: String, data: [UInt8], actor: UInt64) { logged.append("\(actor): \(name) \(data.count)") }
}

/// A proof verifier with chosen answers.
struct ChosenProofs: ProofVerifier {
    var answer: Result<Bool, ExternFailure>
    func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool { try answer.get() }
    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool { try answer.get() }
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool { try answer.get() }
    func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool {
        info.sectorNumber % 2 == 0 ? try answer.get() : false
    }
}

/// A guest's memory and gas counter without a guest.
final class FakeGuest {
    let memory: UnsafeMutableBufferPointer<UInt8>
    private let counterPointer: UnsafeMutablePointer<Int64>

    init(memorySize: Int = 65_536) {
        memory = .allocate(capacity: memorySize)
        memory.initialize(repeating: 0)
        counterPointer = .allocate(capacity: 1)
        counterPointer.initialize(to: 0)
    }

    deinit {
        memory.deallocate()
        counterPointer.deallocate()
    }

    var counter: Int64 {
        get { counterPointer.pointee }
        set { counterPointer.pointee = newValue }
    }

    func write(_ bytes: [UInt8], at offset: Int) {
        for (index, byte) in bytes.enumerated() { memory[offset + index] = byte }
    }

    func read(_ offset: Int, _ count: Int) -> [UInt8] { Array(memory[offset..<offset + count]) }

    func number<T: FixedWidthInteger>(_ offset: Int, _ type: T.Type = T.self) -> T {
        read(offset, MemoryLayout<T>.size).reversed().reduce(T.zero) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }

    func call(_ handler: any ImportHandler, _ index: Int, _ arguments: [UInt64]) -> ImportOutcome {
        // Sound: both pointers live as long as this object, and nothing else touches them during the call.
        var context = GuestContext(
            base: memory.baseAddress, memorySize: UInt64(memory.count), counter: counterPointer)
        return handler.callImport(index, arguments: arguments.span, guest: &context)
    }
}

/// A module whose functions are Swift closures.
final class ScriptedModule: ActorModule {
    let facts: ModuleFacts
    private let rows: [SyscallRow]
    private let start: @Sendable (ScriptedInstance) -> GuestOutcome
    private let invoke: @Sendable (ScriptedInstance, UInt64) -> GuestOutcome

    init(
        imports: [SyscallRow] = SyscallSet.v3.rows, otherImports: Bool = false, memoryPages: UInt32? = 1,
        tableElements: UInt32? = nil, entry: ModuleFacts.EntryPoint = .function(signature: [1, 1, 0x7F, 0x7F]),
        start: @escaping @Sendable (ScriptedInstance) -> GuestOutcome = { _ in .returned([]) },
        invoke: @escaping @Sendable (ScriptedInstance, UInt64) -> GuestOutcome = { _, _ in .returned([0]) }
    ) {
        facts = ModuleFacts(
            importedFunctions: imports.map {
                ModuleFacts.ImportedFunction(
                    module: Array($0.module.utf8), name: Array($0.name.utf8), signature: $0.signature)
            }, importsOtherThanFunctions: otherImports, exportedMemoryPages: memoryPages,
            exportedTableElements: tableElements, invoke: entry)
        rows = imports
        self.start = start
        self.invoke = invoke
    }

    func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        ScriptedInstance(handler: handler, limiter: limiter, rows: rows, start: start, invoke: invoke)
    }
}

final class ScriptedInstance: ActorInstance {
    let guest = FakeGuest()
    let limiter: ResourceLimiter
    private let handler: any ImportHandler
    private let rows: [SyscallRow]
    private let start: (ScriptedInstance) -> GuestOutcome
    private let invoke: (ScriptedInstance, UInt64) -> GuestOutcome

    init(
        handler: any ImportHandler, limiter: ResourceLimiter, rows: [SyscallRow],
        start: @escaping (ScriptedInstance) -> GuestOutcome,
        invoke: @escaping (ScriptedInstance, UInt64) -> GuestOutcome
    ) {
        self.handler = handler
        self.limiter = limiter
        self.rows = rows
        self.start = start
        self.invoke = invoke
    }

    var gasCounter: Int64 {
        get { guest.counter }
        set { guest.counter = newValue }
    }

    /// Calls a syscall; nil when it ended the call.
    func syscall(_ syscall: Syscall, _ arguments: UInt64...) -> UInt64? {
        let index = rows.firstIndex { $0.syscall == syscall } ?? -1
        guard case .result(let number) = guest.call(handler, index, arguments) else { return nil }
        return number
    }

    func instantiate() throws(EngineError) -> GuestOutcome { start(self) }
    func call(_ export: String, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome {
        invoke(self, arguments[0])
    }
}
