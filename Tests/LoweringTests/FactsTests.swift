import CActorRuntime
import Engine
import GasSchedule
import Metering
import Testing
import WasmFormat

/// Facts that two layers state, because neither may import the other.
struct FactsTests {
    @Test func kindsAreNumberedAsInTheBinaryFormat() {
        let kinds: [(Export.Kind, smelt_rt_external_kind)] = [
            (.function, SMELT_RT_FUNCTION), (.table, SMELT_RT_TABLE), (.memory, SMELT_RT_MEMORY),
            (.global, SMELT_RT_GLOBAL),
        ]
        for (kind, number) in kinds { #expect(UInt32(kind.rawValue) == number.rawValue) }
    }

    @Test func pagesAndLimitsAreOfOneSize() {
        #expect(WasmPrices.pageSize == SMELT_RT_PAGE)
        #expect(Limits.memoryPages * WasmPrices.pageSize == 1 << 32)
        #expect(UInt64(SMELT_RT_ENTRY_STACK) == StackReserve.budget)
        let limits = NetworkProfile.ExecutionLimits.fvm
        #expect(
            InstanceLimits.fvm
                == InstanceLimits(memory: limits.instanceMemory, tableElements: limits.tableElements))
    }

    /// The guest's traps are below the host's, and the compiler's sets of traps have all of them.
    @Test func trapsHaveOneListAndOneBorder() {
        for number in Int32(-1)...80 {
            let isListed = smelt_rt_trap_text(number) != nil
            #expect(Trap(rawValue: number).isOfGuest == (1...31).contains(number), "\(number)")
            #expect(!isListed || (1...13).contains(number) || (32...35).contains(number), "\(number)")
        }
    }
}
