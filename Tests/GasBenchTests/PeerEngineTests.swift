import GasSchedule
import TestSupport
import Testing
import WasmFormat

@testable import GasBench

@Suite struct PeerEngineTests {
    private static let kernels = KernelTable.all(.fvm).filter { $0.memory.pages < 1_000 }

    /// The instrumented module is the one that the executable model of the reference's instrumentation writes, byte by
    /// byte: the writer of modules and the price list are all that the two have in common.
    @Test func modulesAreInstrumentedAsTheReferenceDoesIt() throws {
        guard let model = sharedData("fvm/instr.py") else { return }
        let folder = TemporaryFolder()
        let shapes = Set(PeerEngineTests.kernels.map(\.memory))
        #expect(shapes.count > 3)
        for shape in shapes {
            let kernels = PeerEngineTests.kernels.filter { $0.memory == shape }.prefix(40)
            let wasm = KernelModule(kernels: Array(kernels), prices: .fvm).bytes
            #expect(writeFile(wasm, folder.path + "/kernels.wasm"))
            try #require(
                shell(
                    "python3 '\(model)' \(folder.path)/kernels.wasm --prices teep --emit \(folder.path)/metered.wasm "
                        + ">\(folder.path)/log 2>&1"))
            let expected = try #require(fileBytes(folder.path + "/metered.wasm"))
            let instrumented = try InstrumentedModule(wasm, prices: .fvm)
            #expect(instrumented.bytes == expected, "\(kernels.map(\.title))")
        }
    }

    /// Both that are installed give the same results and count the same gas as Smelt; either failing throws.
    @Test func otherEnginesAreMeasuredBesideSmelt() throws {
        let (engines, missing) = PeerEngine.all(directories: [])
        guard !engines.isEmpty else {
            print("not run: \(missing.joined(separator: "; "))")
            return
        }
        let kernels = PeerEngineTests.kernels.filter { OperatorBenchTests.names.contains($0.name) }
        let bench = try OperatorBench(
            kernels, settings: BenchSettings(budget: 0, run: 2_000, mostRounds: BenchSettings.leastRounds),
            pool: Pools.pool(), unmeteredPool: nil, peers: engines)
        let rows = try bench.measure()
        #expect(bench.failures == [])
        for row in rows {
            #expect(row.peers.map(\.engine) == engines.map(\.name), "\(row.title)")
            #expect(row.peers.allSatisfy { $0.step.interval.contains($0.step.value) })
            #expect(OperatorRow(json: row.json) == row)
        }
    }

    /// What the other engine's counter says decides: a module that was instrumented by another price list is found out.
    @Test func anotherEnginesGasIsCounted() throws {
        let engines = PeerEngine.all(directories: []).engines
        guard let engine = engines.first else { return }
        let kernel = try #require(PeerEngineTests.kernels.first { $0.name == "i64.add" && $0.form == .latency })
        let wasm = KernelModule(kernels: [kernel], prices: .fvm).bytes
        func step(_ prices: WasmPrices) throws -> Int64 {
            let module = try engine.load(InstrumentedModule(wasm, prices: prices).bytes)
            let gas = try [1, 2].map { factor in
                let arguments = [10, kernel.a, kernel.b, kernel.start]
                return try engine.timed(module, KernelModule.export(0, factor), arguments, fresh: factor == 2).gas
            }
            return (gas[1] - gas[0]) / Int64(10 * kernel.copies)
        }
        #expect(try step(.fvm) == Int64(kernel.oneStep(.fvm).milligas))
        var dearer = WasmPrices.fvm
        dearer.math += 1_000
        // A step is an addition and an exclusive or.
        #expect(try step(dearer) == Int64(kernel.oneStep(.fvm).milligas) + 2_000)
    }

    /// An engine that is not there is named with what to do; one that fails gives up its column and nothing else.
    @Test func enginesThatFailAreNamed() throws {
        let folder = TemporaryFolder()
        try #require(shell("mkdir \(folder.path)/none \(folder.path)/bad"))
        #expect(
            writeFile(
                Array("raise ImportError('no library for this machine')\n".utf8), folder.path + "/none/wasmtime.py"))
        #expect(writeFile(Array("import os\nos._exit(1)\n".utf8), folder.path + "/bad/wasmtime.py"))
        let (_, missing) = PeerEngine.all(directories: [folder.path + "/none", folder.path + "/bad"])
        #expect(missing.contains("\(folder.path)/none: no library for this machine"))
        #expect(missing.contains("\(folder.path)/bad: python3 ended at once"))
        guard let engine = PeerEngine.all(directories: []).engines.first else { return }
        #expect {
            _ = try engine.load([0, 1, 2])
        } throws: { error in
            guard case BenchError.peer(engine.name, _) = error else { return false }
            return true
        }
    }
}
