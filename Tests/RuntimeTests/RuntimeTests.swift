import CActorRuntime
import Engine
import Testing

/// What the C tests (Runtime/tests) cannot see: the runtime from Swift, and the engine's contract.
struct RuntimeTests {
    @Test func selfTestFindsNothingWrongWithThisMachine() {
        let failure = smelt_rt_self_test().map { String(cString: $0) }
        #expect(failure == nil)
    }

    @Test func everyNamedTrapHasItsTextFromTheHeader() {
        let traps: [(Trap, String)] = [
            (.unreachable, "unreachable"), (.memoryOutOfBounds, "out of bounds memory access"),
            (.tableOutOfBounds, "out of bounds table access"), (.undefinedElement, "undefined element"),
            (.uninitializedElement, "uninitialized element"),
            (.indirectCallType, "indirect call type mismatch"), (.integerDivideByZero, "integer divide by zero"),
            (.integerOverflow, "integer overflow"), (.invalidConversion, "invalid conversion to integer"),
            (.stackHeight, "stack height limit exceeded"), (.outOfGas, "out of gas"),
            (.nativeStack, "call stack exhausted"), (.hostAbort, "ended by the host"),
            (.localFailure, "local failure of the host"), (.stackEnd, "end of the machine's stack"),
        ]
        for (trap, text) in traps { #expect(trap.description == text) }
        #expect(Set(traps.map(\.0)).count == traps.count)
        #expect(Trap(rawValue: 999).description == "trap 999")
    }

    @Test func bigStackHoldsSwiftFramesAndNests() {
        final class Depths {
            var outer: UInt = 0
            var inner: UInt = 0
        }
        let depths = Depths()
        let status = smelt_rt_run_on_stack(
            { raw in
                guard let raw else { return }
                let depths = Unmanaged<Depths>.fromOpaque(raw).takeUnretainedValue()
                var here = 0
                depths.outer = withUnsafePointer(to: &here) { UInt(bitPattern: $0) }
                _ = smelt_rt_run_on_stack(
                    { raw in
                        guard let raw else { return }
                        var here = 0
                        let depths = Unmanaged<Depths>.fromOpaque(raw).takeUnretainedValue()
                        depths.inner = withUnsafePointer(to: &here) { UInt(bitPattern: $0) }
                    }, raw)
            }, Unmanaged.passUnretained(depths).toOpaque())
        var here = 0
        let caller = withUnsafePointer(to: &here) { UInt(bitPattern: $0) }
        #expect(status == 0)
        // One big stack, and another one than the caller's.
        #expect(depths.outer > depths.inner && depths.outer - depths.inner < 1 << 20)
        #expect(max(caller, depths.outer) - min(caller, depths.outer) > 1 << 20)
    }

    @Test func descriptorsOfOtherVersionsAreRefusedWithAReason() {
        func reason(_ change: (inout smelt_module_descriptor) -> Void) -> String? {
            var module = smelt_module_descriptor()
            module.magic = UInt64(SMELT_RT_MAGIC)
            module.abi_major = UInt32(SMELT_RT_ABI_MAJOR)
            module.abi_minor = UInt32(SMELT_RT_ABI_MINOR)
            module.struct_size = UInt32(MemoryLayout<smelt_module_descriptor>.stride)
            module.text_start = UnsafePointer(bitPattern: 4096)
            module.text_end = UnsafePointer(bitPattern: 8192)
            change(&module)
            return smelt_rt_module_check(&module).map { String(cString: $0) }
        }
        #expect(reason { _ in } == nil)
        #expect(reason { $0.magic += 1 }?.contains("magic") == true)
        #expect(reason { $0.abi_major += 1 }?.contains("major version") == true)
        #expect(reason { $0.abi_minor += 1 }?.contains("newer minor version") == true)
        #expect(reason { $0.struct_size -= 1 }?.contains("short") == true)
        #expect(reason { $0.text_end = UnsafePointer(bitPattern: 4095) }?.contains("text") == true)
        // A module without functions has no text.
        #expect(reason { $0.text_end = $0.text_start } == nil)
    }
}

struct ResourceLimiterTests {
    @Test func growthWithinTheLimitIsTakenAndBeyondItIsNot() {
        let limiter = ResourceLimiter(limit: 100)
        #expect(limiter.grow(current: 0, desired: 60, maximum: 1000))
        #expect(!limiter.grow(current: 0, desired: 41, maximum: 1000) && limiter.used == 60)
        #expect(limiter.grow(current: 60, desired: 100, maximum: 1000) && limiter.used == 100)
        #expect(limiter.grow(current: 100, desired: 100, maximum: 1000))
    }

    @Test func growthBeyondTheDeclaredMaximumTakesNothing() {
        let limiter = ResourceLimiter(limit: .max)
        #expect(!limiter.grow(current: 0, desired: 11, maximum: 10) && limiter.used == 0)
    }

    @Test func sumsThatOverflowAreRefused() {
        let limiter = ResourceLimiter(limit: .max)
        #expect(limiter.grow(current: 0, desired: .max, maximum: .max))
        #expect(!limiter.grow(current: 0, desired: 1, maximum: .max) && limiter.used == .max)
    }

    @Test func restoringPutsTheTallyBack() {
        let limiter = ResourceLimiter(limit: 100)
        #expect(limiter.grow(current: 0, desired: 30, maximum: 100))
        let entered = limiter.used
        #expect(limiter.grow(current: 0, desired: 70, maximum: 100))
        limiter.restore(entered)
        #expect(limiter.used == 30 && limiter.grow(current: 0, desired: 70, maximum: 100))
    }
}

struct GuestContextTests {
    private func withGuest<R>(bytes: Int, _ body: (inout GuestContext) -> R) -> R {
        var memory = [UInt8](repeating: 0, count: bytes)
        var counter: Int64 = 5
        return memory.withUnsafeMutableBufferPointer { memory in
            withUnsafeMutablePointer(to: &counter) { counter in
                var guest = GuestContext(
                    base: memory.baseAddress, memorySize: UInt64(memory.count), counter: counter)
                return body(&guest)
            }
        }
    }

    @Test func accessesAtTheEndAreInsideAndOneFurtherAreNot() {
        withGuest(bytes: 16) { guest in
            let two: [UInt8] = [1, 2]
            #expect(guest.write(two.span, offset: 14) && guest.read(offset: 14, count: 2) == two)
            #expect(!guest.write(two.span, offset: 15) && guest.read(offset: 15, count: 2) == nil)
            #expect(guest.read(offset: 15, count: 1) == [2])
            #expect(guest.read(offset: 16, count: 0) == [] && guest.read(offset: 17, count: 0) == nil)
            #expect(guest.read(offset: .max, count: .max) == nil && guest.read(offset: 1, count: .max) == nil)
            #expect(guest.withBytes(offset: 14, count: 2) { $0.count } == 2)
            #expect(guest.withBytes(offset: 14, count: 3) { $0.count } == nil)
        }
    }

    @Test func aGuestWithoutMemoryHasNoBytes() {
        var counter: Int64 = 0
        withUnsafeMutablePointer(to: &counter) { counter in
            var guest = GuestContext(base: nil, memorySize: 100, counter: counter)
            let one: [UInt8] = [1]
            #expect(guest.memorySize == 0 && guest.read(offset: 0, count: 1) == nil)
            #expect(!guest.write(one.span, offset: 0) && guest.read(offset: 0, count: 0) == [])
        }
    }

    @Test func theGasCounterIsTheInstances() {
        withGuest(bytes: 1) { guest in
            guest.gasCounter -= 7
            #expect(guest.gasCounter == -2)
        }
    }
}
