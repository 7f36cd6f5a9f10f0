import JSON
import Testing

private func parse(_ text: String) throws(JSONError) -> JSONValue { try JSON.parse(Array(text.utf8)) }

@Suite struct JSONTests {
    @Test func valuesOfEveryKindReadAndWriteBack() throws {
        let text = #"{"b":[1,-2.5e3,true,false,null,"x",{},[]],"a":{"c":"d"}}"#
        #expect(try parse(text).text() == text)
        #expect(try parse(text)["b"]?.array?.count == 8)
        #expect(try parse(text)["a"]?["c"]?.string == "d")
        #expect(try parse(text)["none"] == nil)
    }

    @Test func numbersKeepEveryDigit() throws {
        let digits = "463834358738032286239672748"
        #expect(try parse(digits).numberText == digits)
        #expect(try parse("18446744073709551615").integer(UInt64.self) == .max)
        #expect(try parse("18446744073709551616").integer(UInt64.self) == nil)
        #expect(try parse("-9223372036854775808").integer(Int64.self) == .min)
        #expect(try parse("1.0").integer(UInt64.self) == nil)
        #expect(try parse("1e3").integer(UInt64.self) == nil)
        #expect(try parse("-1").integer(UInt32.self) == nil)
        #expect(try parse("4294967296").integer(UInt32.self) == nil)
        #expect(try parse("1e999999999").numberText == "1e999999999")
    }

    @Test func objectsKeepTheirOrder() throws {
        let value = try parse(#"{"z":1,"a":2,"m":3}"#)
        #expect(value.members?.map(\.name) == ["z", "a", "m"])
    }

    @Test func escapesReadAndWrite() throws {
        let value = try parse(#""\u0041\n\t\"\\\/\u20ac\ud83d\ude00\u0000""#)
        #expect(value.string == "A\n\t\"\\/€😀\0")
        #expect(value.text() == #""A\n\t\"\\/€😀\u0000""#)
        #expect(JSONValue.string("\u{1f}\u{7f}\u{8}\u{c}\r").text() == "\"\\u001f\u{7f}\\b\\f\\r\"")
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "+1", ".5", "1.", "1e",
        "nul", "tru", "\"", "\"\\x\"", "\"\\u12g4\"", "[1] 2", "{} {}", "NaN", "Infinity", "'a'", "[1 2]", "\"\n\"",
        "-",
    ])
    func textThatIsNoJSONIsRefused(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func bytesThatAreNoUTF8AreRefused() {
        for bytes in [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]] as [[UInt8]] {
            #expect(throws: JSONError.self) { try JSON.parse(bytes) }
        }
    }

    @Test func errorsNameLineAndOffset() {
        do {
            _ = try parse("{\n  \"a\": 1,\n  \"b\": x\n}")
            Issue.record("accepted")
        } catch {
            #expect(error.line == 3)
            #expect((18...22).contains(error.offset))
            #expect(error.description.hasPrefix("line 3, offset "))
        }
    }

    @Test func duplicateNamesAreRefusedInSmallAndLargeObjects() throws {
        #expect(throws: JSONError.self) { try parse(#"{"a":1,"a":2}"#) }
        let many = (0..<40).map { "\"k\($0)\":\($0)" }
        #expect(try parse("{" + many.joined(separator: ",") + "}").members?.count == 40)
        do {
            _ = try parse("{" + (many + ["\"k30\":0"]).joined(separator: ",") + "}")
            Issue.record("accepted")
        } catch {
            #expect(error.reason == .duplicateName("k30"))
        }
        #expect(try parse(#"[{"a":1},{"a":2}]"#).array?.count == 2)
    }

    @Test func nestingIsLimited() throws {
        let most = String(repeating: "[", count: JSON.maxDepth) + String(repeating: "]", count: JSON.maxDepth)
        _ = try parse(most)
        do {
            _ = try parse(String(repeating: "[", count: 1_000_000))
            Issue.record("accepted")
        } catch {
            #expect(error.reason == .tooDeep)
        }
    }

    @Test func everyTruncationOfADocumentIsRefused() throws {
        let text = Array(#"{"a":[1,2.5,"x€"],"b":{"c":null}}"#.utf8)
        _ = try JSON.parse(text)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSON.parse(Array(text.prefix(length))) }
        }
    }

    @Test func indentedLayoutIsStable() throws {
        let value = JSONValue.object(["a": .integer(1), "b": .array([.bool(true), .array([])]), "c": .object([])])
        #expect(value.text(.indented) == "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    []\n  ],\n  \"c\": {}\n}")
        #expect(try parse(value.text(.indented)) == value)
    }

    @Test func manyElementsTakeLinearTime() throws {
        let text = "[" + String(repeating: "1,", count: 300_000) + "1]"
        #expect(try parse(text).array?.count == 300_001)
    }
}
