import Primitives
import Testing

@Suite struct ExitCodeTests {
    @Test func knownCodesHaveNamesAndOthersNumbers() {
        #expect(ExitCode.ok.isSuccess && ExitCode.ok.description == "0 (OK)")
        #expect(ExitCode.sysOutOfGas.rawValue == 7 && ExitCode.sysOutOfGas.name == "SYS_OUT_OF_GAS")
        #expect(ExitCode.usrNotPayable.description == "26 (USR_NOT_PAYABLE)")
        #expect(ExitCode(rawValue: 3).name == nil)
        #expect(ExitCode(rawValue: 33).description == "33")
    }

    @Test func errorNumbersAreThirteenWithoutGaps() {
        #expect(ErrorNumber.allCases.map(\.rawValue) == Array(1...13))
        #expect(ErrorNumber.readOnly.rawValue == 13 && ErrorNumber.illegalCid.rawValue == 8)
    }

    @Test func networkVersionsAreOrdered() {
        #expect(NetworkVersion(rawValue: 18) < NetworkVersion(rawValue: 21))
        #expect(NetworkVersion(rawValue: 18).description == "nv18")
    }
}
