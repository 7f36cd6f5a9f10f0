import Testing

@testable import SpecSuite

/// Forms that wabt 1.0.32 does not read.
struct RewriterTests {
    private func rewrite(_ text: String, isFirstEdition: Bool = false) throws -> String {
        String(
            decoding: try ScriptRewriter.rewrite(Array(text.utf8), isFirstEdition: isFirstEdition).text, as: UTF8.self)
    }

    @Test func nanAssertionTakesTheTypeOfTheExportedFunction() throws {
        let text = """
            (module (func (export "f") (param f64) (result f32) (f32.demote_f64 (local.get 0))))
            (assert_return_canonical_nan (invoke "f" (f64.const nan)))
            (assert_return_arithmetic_nan (invoke "f" (f64.const nan)))
            """
        let result = try rewrite(text, isFirstEdition: true)
        #expect(result.contains(#"(assert_return (invoke "f" (f64.const nan)) (f32.const nan:canonical))"#))
        #expect(result.contains(#"(assert_return (invoke "f" (f64.const nan)) (f32.const nan:arithmetic))"#))
    }

    @Test func nanAssertionOfAnUnknownFunctionIsAnError() {
        #expect(throws: ScriptTextError.self) { try rewrite(#"(assert_return_canonical_nan (invoke "g"))"#) }
    }

    @Test func leftOutTableIndexBecomesZeroAndAGivenOneStays() throws {
        #expect(
            try rewrite("(module (func (table.get (i32.const 1))))") == "(module (func (table.get 0 (i32.const 1))))")
        #expect(try rewrite("(module (func table.size))") == "(module (func table.size 0))")
        let given = "(module (func (table.get $t (i32.const 1)) (table.size 1)))"
        #expect(try rewrite(given) == given)
    }

    @Test func foldedIfWithTwoConditionsKeepsTheirOrder() throws {
        #expect(
            try rewrite("(module (func (if (i32.const 1) (i32.eqz) (then) (else))))")
                == "(module (func (i32.const 1) (if  (i32.eqz) (then) (else))))")
    }

    @Test func elemOfTheFirstEditionLosesItsTableNameAndAnInlineOneKeepsItsFunctions() throws {
        #expect(
            try rewrite("(module (elem $t (i32.const 0) $f))", isFirstEdition: true)
                == "(module (elem  (i32.const 0) $f))")
        let inline = "(module (table funcref (elem $f $g)))"
        #expect(try rewrite(inline, isFirstEdition: true) == inline)
    }

    @Test func quotedModuleIsPutInPlaceWithTheSameNumberOfLines() throws {
        let text = "(module quote\n \"(func) ;; a\\0d\"\n \"(func)\"\n)\n(module)"
        let result = try rewrite(text)
        #expect(result.hasPrefix("(module (func) ;; a\n (func) )"))
        #expect(result.utf8.count { $0 == 10 } == text.utf8.count { $0 == 10 })
    }

    @Test(arguments: ["(module", "(module))", "\"a", "(; comment"])
    func unbalancedTextIsAnErrorThatNamesThePlace(_ text: String) {
        #expect(throws: ScriptTextError.self) { try rewrite(text) }
    }

    @Test func commentsAndStringsHideParentheses() throws {
        let text = "(module (; ( (; ( ;) ;) ;; )\n (data \")\\\")\"))"
        #expect(try rewrite(text) == text)
    }
}
