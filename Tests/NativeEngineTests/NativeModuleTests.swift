import ArtifactFormat
import CActorRuntime
import Engine
import Synchronization
import Testing
import WasmFormat

@testable import NativeEngine

/// Doubles what it is given, or ends the call when that is negative.
final class Echo: ImportHandler {
    private(set) var seen: [UInt64] = []
    static let alive = Mutex(0)

    init() { Echo.alive.withLock { $0 += 1 } }
    deinit { Echo.alive.withLock { $0 -= 1 } }

    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
        // An object and an array that live in this frame when the guest is ended.
        let copies = Array(repeating: arguments[0], count: 3)
        seen.append(copies[index])
        guest.gasCounter -= 1000
        guard Int64(bitPattern: copies[2]) >= 0 else { return .end }
        let bytes: [UInt8] = [1, 2, 3]
        return guest.write(bytes.span, offset: 200) ? .result(copies[1] &* 2) : .end
    }
}

struct NativeModuleTests {
    private func instance(
        _ object: Result<LoadableObject, any Error> = HandmadeObject.first, handler: any ImportHandler = Echo(),
        limiter: ResourceLimiter = ResourceLimiter(limit: 2 << 30)
    ) throws -> any ActorInstance {
        let instance = try NativeModule(object: object.get()).makeInstance(handler: handler, limiter: limiter)
        instance.gasCounter = 1_000_000
        #expect(try instance.instantiate() == .returned([]))
        return instance
    }

    @Test func factsAreThoseOfTheDescriptor() throws {
        let module = try NativeModule(object: HandmadeObject.first.get())
        let echo = ModuleFacts.ImportedFunction(
            module: Array("host".utf8), name: Array("echo".utf8), signature: [1, 1, 0x7E, 0x7E])
        #expect(module.facts.importedFunctions == [echo])
        #expect(!module.facts.importsOtherThanFunctions && module.facts.invoke == .missing)
        #expect(module.facts.exportedMemoryPages == 2 && module.facts.exportedTableElements == nil)
        let mix = module.exportedFunctions.first { $0.name == Array("mix".utf8) }
        #expect(mix?.type == FunctionType(parameters: [.i32, .i64, .f32, .f64], results: [.f64]))
    }

    @Test func countsOfSignaturesMayTakeSeveralBytes() {
        let signature: [UInt8] = [0xC8, 0x01, 0x01] + [UInt8](repeating: 0x7F, count: 199) + [0x7E, 0x7C]
        let type = signature.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FunctionType(signature: $0) }
        }
        #expect(type?.parameters.count == 200 && type?.parameters.last == .i64 && type?.results == [.f64])
    }

    @Test func callsChargeAndReturn() throws {
        let instance = try instance()
        #expect(instance.gasCounter == 1_000_000 - 5)  // the start function's
        #expect(try instance.call("add", [40, 0xFFFF_FFFF]) == .returned([39]))
        #expect(instance.gasCounter == 1_000_000 - 5 - 4000)
        #expect(try instance.call("load", [2]) == .returned([8]))  // a data segment
        #expect(try instance.call("load", [100]) == .returned([1]))  // written by the start function
    }

    @Test func faultsAreTrapsWithPlaceAndExactGas() throws {
        let instance = try instance()
        let before = instance.gasCounter
        let outcome = try instance.call("load", [131_072])
        #expect(outcome == .trapped(.memoryOutOfBounds, TrapSite(function: 3, offset: nil)))
        #expect(before - instance.gasCounter == 7000)
        #expect(try instance.call("load", [0xFFFF_FFFF]) == outcome)
        guard case .trapped(.unreachable, _) = try instance.call("stop", []) else {
            Issue.record("no trap")
            return
        }
        // It goes on living.
        #expect(try instance.call("add", [1, 2]) == .returned([3]))
    }

    /// No guest of a sound object gets there: what it has reserved is counted before (`FrameTests`, and the runtime's
    /// own tests of the stack).
    @Test func theEndOfTheMachinesStackIsAnErrorThatNamesItselfAndNoOutcome() throws {
        let instance = try instance()
        for _ in 0..<2 {
            let error = #expect(throws: EngineError.self) { try instance.call("dive", []) }
            guard case .artifact(let text)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains("end of the machine's stack"))
        }
        // The machine goes on living, here and on the same stack.
        #expect(try instance.call("add", [1, 2]) == .returned([3]))
        guard case .trapped(.unreachable, _) = try instance.call("stop", []) else {
            Issue.record("no trap")
            return
        }
    }

    @Test func importsSeeArgumentsMemoryAndGas() throws {
        let handler = Echo()
        let instance = try instance(handler: handler)
        let before = instance.gasCounter
        #expect(try instance.call("host", [21]) == .returned([42]))
        #expect(handler.seen == [21] && before - instance.gasCounter == 1010)
        #expect(try instance.call("load", [202]) == .returned([3]))
        #expect(try instance.call("host", [UInt64(bitPattern: -1)]) == .endedByHost)
    }

    @Test func endingACallLeavesNoObjectBehind() throws {
        do {
            let instance = try instance()
            for _ in 0..<10_000 { #expect(try instance.call("host", [UInt64(bitPattern: -1)]) == .endedByHost) }
        }
        // Other tests' handlers may be alive for a moment; ten thousand of ours are not.
        #expect(Echo.alive.withLock { $0 } < 100)
    }

    @Test func growthAsksTheLimiter() throws {
        let limiter = ResourceLimiter(limit: 4 * 65_536)
        let instance = try instance(limiter: limiter)
        #expect(limiter.used == 2 * 65_536)
        #expect(try instance.call("grow", [1]) == .returned([2]))
        #expect(try instance.call("grow", [2]) == .returned([0xFFFF_FFFF]))  // beyond the tally
        #expect(limiter.used == 3 * 65_536)
        let refused = try NativeModule(object: HandmadeObject.first.get()).makeInstance(
            handler: Echo(), limiter: ResourceLimiter(limit: 1))
        guard case .trapped(let trap, _) = try refused.instantiate() else {
            Issue.record("instantiated beyond the limit")
            return
        }
        #expect(trap.description == "resource limit exceeded at instantiation")
    }

    @Test func whatIsNotExportedAsAFunctionCannotBeCalled() throws {
        let instance = try instance()
        for (name, arguments) in [("nothing", []), ("memory", []), ("add", [1]), ("", [])] as [(String, [UInt64])] {
            #expect(throws: EngineError.self) { try instance.call(name, arguments) }
        }
    }

    @Test func twoObjectsKeepApartInTurnAndAtOnce() throws {
        for _ in 0..<50 {
            let first = try instance(HandmadeObject.first)
            let second = try instance(HandmadeObject.second)
            #expect(try first.call("answer", []) == .returned([42]))
            #expect(try second.call("answer", []) == .returned([43]))
        }
    }

    @Test func codeIsUnmappedWithTheLastInstance() throws {
        var module: NativeModule? = try NativeModule(object: HandmadeObject.first.get())
        weak let watched = module
        var instance = try module?.makeInstance(handler: Echo(), limiter: ResourceLimiter(limit: 1 << 30))
        let text = UInt64(UInt(bitPattern: module?.descriptor.pointee.text_start))
        module = nil
        #expect(watched != nil && smelt_rt_code_find(text) != nil)
        #expect(try instance?.instantiate() == .returned([]))
        instance = nil
        #expect(watched == nil)
    }

    @Test func threadsTrapIndependently() async throws {
        let module = try NativeModule(object: HandmadeObject.first.get())
        await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var traps = 0
                    for round in 0..<200 {
                        let handler = Echo()
                        guard
                            let instance = try? module.makeInstance(
                                handler: handler, limiter: ResourceLimiter(limit: 1 << 30)),
                            case .returned? = try? instance.instantiate()
                        else { continue }
                        let address = UInt64(131_072 + task * 1000 + round)
                        if case .trapped(.memoryOutOfBounds, _)? = try? instance.call("load", [address]) { traps += 1 }
                        if (try? instance.call("add", [1, 2])) != .returned([3]) { traps = 0 }
                    }
                    return traps
                }
            }
            for await traps in group { #expect(traps == 200) }
        }
    }
}

struct DynamicCallTests {
    private func call(_ name: String, _ arguments: [UInt64]) throws -> DynamicCallResult {
        try NativeModule(object: HandmadeObject.alone.get()).callDynamically(name, arguments, gas: 1_000_000)
    }

    @Test func everyTypeOfValuePassesThroughLibffi() throws {
        let quarter = UInt64(Float(0.25).bitPattern)
        let mixed = try call("mix", [UInt64(UInt32(bitPattern: -3)), 10, quarter, Double(1.5).bitPattern])
        #expect(mixed.outcome == .returned([Double(8.75).bitPattern]) && mixed.gasUsed == 6)
        #expect(try call("half", [quarter]).outcome == .returned([UInt64(Float(0.125).bitPattern)]))
        #expect(try call("add", [1, UInt64(UInt32(bitPattern: -3))]).outcome == .returned([0xFFFF_FFFE]))
        #expect(try call("answer", []).outcome == .returned([44]))
        #expect(try call("twice", [1 << 40]).outcome == .returned([1 << 41]))
    }

    @Test func trapsLeaveLibffisFrame() throws {
        for _ in 0..<1000 {
            let stopped = try call("stop", [])
            guard case .trapped(.unreachable, _) = stopped.outcome else {
                Issue.record("no trap")
                return
            }
            #expect(stopped.gasUsed == 7)
        }
        let fault = try call("load", [1 << 31])
        #expect(fault.outcome == .trapped(.memoryOutOfBounds, TrapSite(function: 3, offset: nil)))
        #expect(fault.gasUsed == 7005)
    }

    @Test func wrongCallsAreErrorsThatSayWhy() throws {
        #expect(throws: EngineError.artifact("no exported function nothing")) { try call("nothing", []) }
        #expect(throws: EngineError.artifact("add takes 2 arguments, not 1")) { try call("add", [1]) }
        #expect(throws: EngineError.artifact("the module has imports")) {
            try NativeModule(object: HandmadeObject.first.get()).callDynamically("add", [1, 2], gas: 1)
        }
    }
}
