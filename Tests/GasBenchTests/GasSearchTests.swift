import GasSchedule
import Metering
import SeededRandom
import Statistics
import TestSupport
import Testing
import WasmFormat

@testable import GasBench

@Suite struct GasSearchTests {
    /// Whatever is bred, the FVM accepts it, and its price from the list is what the plan charges.
    @Test func everyBodyIsAModule() throws {
        var random = SplitMix64(seed: 11)
        var genomes = Genome.alone + (0..<150).map { _ in Genome.random(&random) }
        for _ in 0..<150 {
            let child = genomes[random.below(genomes.count)].mutated(&random)
            genomes.append(child.crossed(with: genomes[random.below(genomes.count)], &random))
        }
        for genome in genomes {
            let kernel = genome.kernel(.fvm)
            let bytes = KernelModule(kernels: [kernel], prices: .fvm, isFound: true).bytes
            let plan = try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm).plan
            // The loop is the body's second block; five instructions count iterations.
            let loop = try #require(plan.functions.dropLast(2).last?.blocks.map(\.milligas).max())
            #expect(loop == kernel.oneStep(.fvm).milligas + 5 * 4_000, "\(genome.text)")
            #expect(genome.genes.count <= Genome.longest)
        }
        #expect(Set(genomes.flatMap { $0.genes.map(\.opcode) }).count > 100)
        #expect(Set(genomes.map(\.walk)) == Set(Genome.Walk.all))
    }

    @Test func equalSeedsBeginAlike() {
        var (first, second) = (SplitMix64(seed: 5), SplitMix64(seed: 5))
        for _ in 0..<20 { #expect(Genome.random(&first) == Genome.random(&second)) }
    }

    /// A body that waits for memory takes far more for its gas than one that adds.
    @Test func memoryIsDearerThanSums() throws {
        func measure(_ opcode: Opcode) throws -> LoopMeasure {
            let genome = Genome(genes: [.init(opcode: opcode, takesTop: true, source: 0, immediate: 0)])
            let wasm = KernelModule(kernels: [genome.kernel(.fvm)], prices: .fvm, isFound: true).bytes
            return try LoopMeasure.measure(
                wasm: wasm, export: "loop", arguments: [1, 3, 5, 7], pool: Pools.pool(),
                effort: LoopMeasure.Effort(run: 100_000, rounds: 11))
        }
        let (walk, sum) = (try measure(.i32Load), try measure(.i32Add))
        #expect(walk.nanosecondsPerGas.interval.low > 5 * sum.nanosecondsPerGas.interval.high)
        #expect(near(walk.blockSeconds.value, walk.nanosecondsPerGas.value * 10))
    }

    @Test func aSearchGivesModulesThatShowWhatItSays() throws {
        let outcome = try GasSearch.run(
            GasSearch.Settings(budget: 2, seed: 2, kept: 2), pool: Pools.pool())
        #expect(outcome.found.count == 2 && outcome.generations >= 1 && outcome.measured >= 2)
        let worst = try #require(outcome.found.first)
        _ = try FrontEnd.analyze(worst.wasm, profile: .fvm, prices: .fvm)
        let again = try LoopMeasure.measure(
            wasm: worst.wasm, export: worst.export, arguments: [GasSearch.iterations] + worst.arguments,
            pool: Pools.pool())
        #expect(again.gas == worst.measure.gas)
        #expect(again.nanosecondsPerGas.value > 0)
    }

    /// A load with a conversion behind it leads to the load that needs none, which costs half as much gas.
    @Test func twoInstructionsBecomeOne() {
        func gene(_ opcode: Opcode) -> Genome.Gene {
            Genome.Gene(opcode: opcode, takesTop: true, source: 1, immediate: 0)
        }
        let genome = Genome(genes: [gene(.i64Load32S), gene(.i32WrapI64)])
        #expect(genome.simpler.contains(Genome(genes: [gene(.i32Load)])))
        let longer = Genome(genes: genome.genes + [gene(.i64Load32S)])
        #expect(longer.simpler.contains(Genome(genes: [gene(.i32Load), gene(.i64Load32S)])))
        // What the second does not take does not become one with it.
        var apart = genome
        apart.genes[1].takesTop = false
        #expect(!apart.simpler.contains(Genome(genes: [gene(.i32Load)])))
    }

    /// The same body on lines further apart, and in more memory; what it walks through no cache holds.
    @Test func aBodyIsTriedElsewhereInMemory() {
        let genome = Genome(genes: [.init(opcode: .i32Load, takesTop: true, source: 0, immediate: 0)])
        #expect(genome.elsewhere.map(\.walk.stride) == [8, 10, 12, 6, 8, 10, 12])
        #expect(genome.elsewhere.map(\.walk.reach) == [28, 28, 28, 29, 29, 29, 29])
        #expect(genome.elsewhere.allSatisfy { $0.genes == genome.genes })
        for other in [genome] + genome.elsewhere {
            let memory = other.kernel(.fvm).memory
            let bytes = (memory.lineMask + 1) << UInt64(memory.stride)
            #expect(bytes == 1 << UInt64(other.walk.reach) && bytes == UInt64(memory.pages) << 16)
            #expect(memory.warmLines == 0 && other.simpler.allSatisfy { $0.walk == other.walk })
        }
        #expect(genome.text == "lines 64 bytes apart in 256 MiB: i32.load")
        #expect(genome.elsewhere[6].text == "lines 4096 bytes apart in 512 MiB: i32.load")
    }

    /// A row of the table beside what was found, in the same rounds: a loop is as bad as itself.
    @Test func aLoopBesideItselfIsAsBad() throws {
        let kernel = try #require(KernelTable.all(.fvm).first { $0.title == "i32.load latency DRAM" })
        let genome = Genome(genes: [.init(opcode: .i32Load, takesTop: true, source: 0, immediate: 0)])
        let wasm = KernelModule(kernels: [genome.kernel(.fvm)], prices: .fvm, isFound: true).bytes
        let arguments = [GasSearch.iterations, genome.kernel(.fvm).a, genome.kernel(.fvm).b, genome.kernel(.fvm).start]
        let comparison = try TableComparison.measure(
            wasm: wasm, export: "loop", arguments: arguments, beside: kernel, prices: .fvm, pool: Pools.pool(),
            effort: LoopMeasure.Effort(run: 400_000, rounds: 9, instances: 3))
        #expect(comparison.row == "i32.load latency DRAM" && comparison.rounds == 27)
        #expect((0.5...1.5).contains(comparison.ratio.value), "\(comparison)")
        #expect(comparison.ratio.interval.low <= comparison.ratio.value)
        #expect(comparison.ratio.value <= comparison.ratio.interval.high)
        let ofMedians = comparison.found.value / comparison.table.value
        #expect((0.8...1.25).contains(ofMedians / comparison.ratio.value))
    }

    @Test func whatTrapsIsNoMeasurement() throws {
        var module = WasmModule()
        module.types = [WasmBytes.functionType([ValueType.i32.rawValue], [])]
        module.functions = [.init("unreachable")]
        module.exports = [("loop", 0, 0)]
        #expect {
            _ = try LoopMeasure.measure(wasm: module.bytes, export: "loop", arguments: [1], pool: Pools.pool())
        } throws: { error in
            if case BenchError.trapped = error { true } else { false }
        }
    }
}

private func near(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) <= 1e-9 * abs(expected)
}
