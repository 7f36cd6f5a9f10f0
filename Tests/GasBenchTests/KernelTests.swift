import GasSchedule
import Metering
import Testing
import WasmFormat

@testable import GasBench

@Suite struct KernelTests {
    static let kernels = KernelTable.all(.fvm)

    /// Each instruction the FVM accepts is measured, or it is said why it is not.
    @Test func everyAcceptedOperatorIsThere() {
        let measured = Set(KernelTests.kernels.flatMap(\.opcodes))
        let excused = Set(KernelTable.unmeasured.map(\.opcode))
        #expect(measured.isDisjoint(with: excused))
        for opcode in Opcode.allCases where opcode.row.refusedBy == nil {
            #expect(measured.contains(opcode) || excused.contains(opcode), "\(opcode.name)")
        }
    }

    @Test func titlesAreUnique() {
        let titles = KernelTests.kernels.map(\.title)
        #expect(Set(titles).count == titles.count)
        #expect(titles.count > 300)
    }

    /// The FVM accepts every module, with the instruction under test in each step.
    @Test func modulesAreAccepted() throws {
        for (shape, kernels) in Dictionary(grouping: KernelTests.kernels, by: \.memory) {
            let bytes = KernelModule(kernels: kernels, prices: .fvm).bytes
            let analyzed = try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm)
            #expect(analyzed.module.module.exports.count == 2 * kernels.count, "\(shape)")
        }
        for kernel in KernelTests.kernels {
            let path = kernel.oneStep(.fvm).path
            #expect(kernel.opcodes.allSatisfy(path.contains), "\(kernel.title)")
        }
    }

    /// A step's price from the list alone is what the metering plan adds for it, where a step is one straight line.
    @Test func pricesAreThePlans() throws {
        for kernel in KernelTests.kernels where kernel.form == .latency {
            let path = kernel.oneStep(.fvm).path
            guard !path.contains(where: { [.br, .block, .loop, .call, .memoryGrow].contains($0) }) else { continue }
            let bytes = KernelModule(kernels: [kernel], prices: .fvm).bytes
            let plan = try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm).plan
            let sums = plan.functions.suffix(3).prefix(2).map { $0.blocks.reduce(0) { $0 + $1.milligas } }
            #expect(sums[1] - sums[0] == UInt64(kernel.copies) * kernel.oneStep(.fvm).milligas, "\(kernel.title)")
        }
    }
}
