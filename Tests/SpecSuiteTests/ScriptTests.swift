import Testing

@testable import SpecSuite

/// Reading commands and comparing results.
struct ScriptTests {
    @Test func canonicalNaNIsOneOfTwoAndArithmeticNaNAnyQuietOne() {
        let canonical = ScriptValue(type: "f32", pattern: .canonicalNaN)
        #expect(canonical.matches(0x7FC0_0000) && canonical.matches(0xFFC0_0000))
        #expect(!canonical.matches(0x7FC0_0001) && !canonical.matches(0x7F80_0001))
        let arithmetic = ScriptValue(type: "f64", pattern: .arithmeticNaN)
        #expect(arithmetic.matches(0xFFF8_0000_0000_0001))
        #expect(!arithmetic.matches(0x7FF0_0000_0000_0001) && !arithmetic.matches(0x7FF0_0000_0000_0000))
    }

    @Test func commandsThatAreNotKnownAreAnError() {
        #expect(throws: SuiteFailure.self) {
            try ScriptCommand.read(Array(#"{"commands": [{"type": "assert_luck", "line": 1}]}"#.utf8))
        }
        #expect(throws: SuiteFailure.self) { try ScriptCommand.read(Array("{".utf8)) }
    }

    @Test func malformedTextIsToldApartFromAMalformedBinary() throws {
        let json = #"""
            {"commands": [
              {"type": "assert_malformed", "line": 1, "filename": "a.wat", "text": "", "module_type": "text"},
              {"type": "assert_malformed", "line": 2, "filename": "b.wasm", "text": "", "module_type": "binary"}]}
            """#
        let commands = try ScriptCommand.read(Array(json.utf8))
        guard case .assertMalformedText = commands[0].kind, case .assertMalformed("b.wasm") = commands[1].kind else {
            Issue.record("not told apart")
            return
        }
    }
}
