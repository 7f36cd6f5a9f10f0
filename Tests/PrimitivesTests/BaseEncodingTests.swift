import Primitives
import Testing

@Suite struct BaseEncodingTests {
    // RFC 4648 section 10, in lower case and without padding.
    @Test(arguments: [
        ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb"),
        ("foobar", "mzxw6ytboi"),
    ])
    func base32MatchesTheStandardsExamples(plain: String, text: String) {
        #expect(Base32.encode(Array(plain.utf8)) == text)
        #expect(Base32.decode(text.utf8) == Array(plain.utf8))
    }

    @Test(arguments: ["MY", "my======", "m1", "m", "mzx", "mz", "mzxw6z", "my "])
    func base32RefusesWhatIsNotCanonical(text: String) {
        #expect(Base32.decode(text.utf8) == nil)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64MatchesTheStandardsExamples(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zm9v\n", "Zm-v", "Z=9v", "Zg==Zg=="])
    func base64RefusesWhatIsNotCanonical(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func base64CoversEveryByte() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        #expect(Base64.encode([0xfb, 0xff, 0xbf]) == "+/+/")
    }

    @Test func base58KeepsLeadingZerosAndRefusesItsGaps() {
        #expect(Base58.encode([0, 0, 1]) == "112")
        #expect(Base58.decode("112".utf8) == [0, 0, 1])
        #expect(Base58.encode(Array("Hello World!".utf8)) == "2NEpo7TZRRrLZSi2U")
        #expect(Base58.decode("2NEpo7TZRRrLZSi2U".utf8) == Array("Hello World!".utf8))
        for text in ["0", "O", "I", "l", String(repeating: "z", count: 129)] {
            #expect(Base58.decode(text.utf8) == nil)
        }
    }

    @Test func hexRefusesOddLengthsAndOtherCharacters() {
        #expect(Hex.encode([0, 0xab, 0xff]) == "00abff")
        #expect(Hex.decode("00ABff") == [0, 0xab, 0xff])
        #expect(Hex.decode("") == [])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }
}
