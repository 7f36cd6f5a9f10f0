import Compiler
import Lowering
import SeededRandom
import TestSupport
import Testing
import WasmFormat

/// Random modules of `wasm-opt -ttf` (Debian's binaryen), with gas that ends some runs in the middle.
struct RandomModuleTests {
    @Test func randomModulesAgreeInResultsTrapsMemoryHostCallsAndGas() throws {
        let folder = TemporaryFolder()
        var random = SplitMix64(seed: 4)
        var compared = 0
        var exhausted = 0
        for number in 0..<40 {
            let seed = (0..<(1_500 + 150 * number)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(writeFile(seed, folder.path + "/seed"))
            let features =
                "--mvp-features --enable-sign-ext --enable-mutable-globals --enable-bulk-memory "
                + "--enable-nontrapping-float-to-int"
            guard
                shell("wasm-opt -ttf \(folder.path)/seed \(features) -o \(folder.path)/m.wasm 2>/dev/null"),
                let bytes = fileBytes(folder.path + "/m.wasm")
            else { continue }
            // Negative constant lengths of bulk operations are refused, as the FVM does.
            guard let module = try? TestModule(bytes) else { continue }
            try compare(
                bytes, Self.calls(module, &random), gas: [1 << 31, 300_000, 60_000],
                ways: [everyWay[number % everyWay.count]], "module \(number)")
            compared += 1
            exhausted += try module.interpret(Self.calls(module, &random), gas: 60_000).outcomes
                .count { $0 == .trapped(11) }
        }
        #expect(compared > 15 && exhausted > 0, "is wasm-opt installed?")
    }

    private static func calls(_ module: TestModule, _ random: inout SplitMix64) -> [GuestCall] {
        var calls: [GuestCall] = []
        for entry in module.module.module.exports where entry.kind == .function {
            guard let type = module.module.module.functionType(entry.index) else { continue }
            for _ in 0..<3 {
                let arguments = type.parameters.map { parameter in
                    let pool = Boundary.values(parameter)
                    return pool[Int(random.next() % UInt64(pool.count))]
                }
                calls.append(GuestCall(export: entry.name.text, arguments: arguments))
            }
        }
        return calls
    }
}
