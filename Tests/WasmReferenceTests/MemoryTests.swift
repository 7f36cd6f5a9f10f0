import Engine
import Testing
import WasmReference

/// Growth and its tally (FVM instrumentation, section 8).
struct MemoryTests {
    /// A memory with an exported `grow`.
    private func growing(_ limits: [UInt8]) -> ModuleBuilder {
        var module = ModuleBuilder()
        module.memories = [limits]
        module.function("grow", [ModuleBuilder.i32], [ModuleBuilder.i32], [0x20, 0, 0x40, 0])
        module.function("size", [], [ModuleBuilder.i32], [0x3F, 0])
        return module
    }

    @Test func growBeyondTheDeclaredMaximumReturnsMinusOneAndTalliesNothing() throws {
        let limiter = ResourceLimiter(limit: 2 << 30)
        let instance = try growing([1, 1, 3]).started(limiter: limiter)
        #expect(try instance.call("grow", [3]) == .returned([0xFFFF_FFFF]))
        #expect(limiter.used == 65_536)
        #expect(try instance.call("grow", [2]) == .returned([1]))
        #expect(limiter.used == 3 * 65_536)
    }

    @Test func growBetweenTheCapAndTheDeclaredMaximumStaysInTheTally() throws {
        let limiter = ResourceLimiter(limit: 2 << 30)
        let instance = try growing([0, 1]).started(limiter: limiter)
        // As observed with the reference: 1 page, refused growths of 20,000 and 12,766, then one more page fits.
        #expect(try instance.call("grow", [20_000]) == .returned([0xFFFF_FFFF]))
        #expect(try instance.call("grow", [12_766]) == .returned([0xFFFF_FFFF]))
        #expect(limiter.used == UInt64(32_767) * 65_536)
        #expect(try instance.call("grow", [1]) == .returned([1]))
        #expect(try instance.call("grow", [1]) == .returned([0xFFFF_FFFF]))
        #expect(try instance.call("size", []) == .returned([2]))
    }

    @Test func growByZeroAsksNobody() throws {
        let limiter = ResourceLimiter(limit: 65_536)
        let instance = try growing([0, 1]).started(limiter: limiter)
        #expect(try instance.call("grow", [0]) == .returned([1]))
        #expect(try instance.call("grow", [1]) == .returned([0xFFFF_FFFF]))
    }

    @Test func instanceThatExceedsTheTallyTraps() throws {
        let instance = try growing([0, 2]).instance(limiter: ResourceLimiter(limit: 65_536))
        #expect(try instance.instantiate() == .trapped(.resourceLimit, nil))
    }

    @Test func refusedTableGrowthTalliesNothing() throws {
        let limiter = ResourceLimiter(limit: 2 << 30)
        var module = ModuleBuilder()
        module.tables = [[0x70, 0, 1]]
        let get = ModuleBuilder.i32(0) + [0x25, 0]
        module.function("grow", [ModuleBuilder.i32], [ModuleBuilder.i32], get + [0x20, 0, 0xFC, 15, 0])
        let instance = try module.started(limiter: limiter)
        #expect(try instance.call("grow", [20_000]) == .returned([0xFFFF_FFFF]))
        #expect(limiter.used == 8)
        #expect(try instance.call("grow", [19_999]) == .returned([1]))
        #expect(limiter.used == 160_000)
    }

    @Test func segmentOutOfBoundsTrapsAfterEarlierOnesWereWritten() throws {
        var module = growing([0, 1])
        module.data = [[0x00, 0x41, 0, 0x0B, 1, 9], [0x00] + ModuleBuilder.i32(65_536) + [0x0B, 1, 9]]
        let instance = try #require(try module.instance() as? ReferenceInstance)
        #expect(try instance.instantiate() == .trapped(.memoryOutOfBounds, nil))
        #expect(instance.memoryBytes.first == 9)
    }

    @Test(arguments: [(UInt64(65_532), true), (65_533, false), (0xFFFF_FFFF, false)])
    func loadIsInsideOrTraps(_ address: UInt64, _ isInside: Bool) throws {
        var module = growing([0, 1])
        module.function("load", [ModuleBuilder.i32], [ModuleBuilder.i32], [0x20, 0, 0x28, 0, 0])
        module.function("far", [ModuleBuilder.i32], [], [0x20, 0, 0x28, 0] + ModuleBuilder.leb(0xFFFF_FFFF) + [0x1A])
        let instance = try module.started()
        if case .trapped(let trap, _) = try instance.call("load", [address]) {
            #expect(!isInside && trap == .memoryOutOfBounds)
        } else {
            #expect(isInside)
        }
        guard case .trapped(.memoryOutOfBounds, _) = try instance.call("far", [address]) else {
            Issue.record("offset wraps")
            return
        }
    }
}
