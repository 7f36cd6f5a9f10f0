import JSON
import Primitives
import TestSupport
import Testing

private func amount(_ text: String) throws -> TokenAmount { try TokenAmount(decimal: text) }

/// Values around every place where the representation changes.
private let edges = [
    "0", "1", "-1", "127", "128", "255", "256", "-255", "-256", "18446744073709551615", "18446744073709551616",
    "2000000000000000000000000000", "170141183460469231731687303715884105727",
    "170141183460469231731687303715884105728", "-170141183460469231731687303715884105728",
    "-170141183460469231731687303715884105729", "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211456", "-340282366920938463463374607431768211456",
    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
]

@Suite struct TokenAmountTests {
    @Test(arguments: edges) func decimalAndEncodingReadBack(text: String) throws {
        let value = try amount(text)
        #expect(value.decimal == text)
        let back = try TokenAmount(cborBytes: try value.cborBytes)
        #expect(back == value && back.hashValue == value.hashValue)
        #expect(value.isNegative == text.hasPrefix("-"))
        #expect(value.isZero == (text == "0"))
    }

    @Test func sumsAndDifferencesInvertEachOtherAcrossTheEdges() throws {
        for left in edges {
            for right in edges {
                let a = try amount(left)
                let b = try amount(right)
                #expect(a + b - b == a)
                #expect(a - b + b == a)
                #expect(a + b == b + a)
                #expect((a - b).isNegative == (a < b))
                #expect(a * b == b * a)
                #expect((a + b) * a == a * a + b * a)
                #expect(-a + a == .zero)
            }
        }
    }

    @Test func productsBeyond128BitsAreExact() throws {
        let a = try amount("170141183460469231731687303715884105727")
        #expect((a * a).decimal == "28948022309329048855892746252171976962977213799489202546401021394546514198529")
        #expect((a * a - a * a).isZero)
        #expect((a + TokenAmount(1)).decimal == "170141183460469231731687303715884105728")
        #expect(TokenAmount(.max) * .max == TokenAmount(.max) * TokenAmount(.max))
    }

    @Test func orderIsThatOfNumbers() throws {
        let sorted = try edges.map(amount).sorted().map(\.decimal)
        #expect(sorted.first == "-340282366920938463463374607431768211456")
        #expect(sorted[4] == "-256" || sorted.contains("-256"))
        for (a, b) in zip(sorted, sorted.dropFirst()) { #expect(try amount(a) < (try amount(b))) }
    }

    @Test func halvesOf128Bits() throws {
        #expect(TokenAmount(hi: 0, lo: 7) == TokenAmount(7))
        let top = TokenAmount(hi: .max, lo: .max)
        #expect(top.decimal == "340282366920938463463374607431768211455")
        let halves: [(UInt64, UInt64)] = [(0, 0), (0, .max), (1, 0), (1 << 63 - 1, 5), (1 << 63, 5), (.max, .max)]
        for (hi, lo) in halves {
            let back = try #require(TokenAmount(hi: hi, lo: lo).u128)
            #expect(back.hi == hi && back.lo == lo)
        }
        #expect((top + TokenAmount(1)).u128 == nil)
        #expect(try amount("-1").u128 == nil)
        #expect(try amount("-340282366920938463463374607431768211456").u128 == nil)
    }

    @Test(arguments: ["", "-", "+1", " 1", "1 ", "1e3", "0x10", "1.0", "--1", "١", String(repeating: "9", count: 401)])
    func textThatIsNoNumberIsRefused(text: String) {
        #expect(throws: TokenAmountError.notDecimal) { try TokenAmount(decimal: text) }
    }

    @Test func encodingIsLimitedTo128Bytes() throws {
        let longest = [UInt8](repeating: 0xff, count: 127)
        let value = try TokenAmount(cborBytes: [0] + longest)
        #expect(try value.cborBytes == [0] + longest)
        #expect(throws: TokenAmountError.tooLong(129)) { try (value + TokenAmount(1)).cborBytes }
        #expect(throws: TokenAmountError.tooLong(129)) { try TokenAmount(cborBytes: [0, 0] + longest) }
    }

    @Test func lenientEncodingsKeepTheirValueAndBecomeCanonical() throws {
        #expect(try TokenAmount(cborBytes: [0]) == .zero)
        #expect(try TokenAmount(cborBytes: [1]) == .zero)
        #expect(try TokenAmount(cborBytes: [1, 0, 0]) == .zero)
        #expect(try TokenAmount(cborBytes: [1, 0, 5]).cborBytes == [1, 5])
        let padded = try TokenAmount(cborBytes: [0] + [UInt8](repeating: 0, count: 100) + [9])
        #expect(padded == TokenAmount(9) && padded.hashValue == TokenAmount(9).hashValue)
        #expect(throws: TokenAmountError.signByte(2)) { try TokenAmount(cborBytes: [2]) }
    }

    @Test func sharedFixturesReadWriteAndRefuse() throws {
        guard let file = sharedBytes("fvm/selfcheck/bigints.json") else { return }
        let fixture = try JSON.parse(file)
        let valid = try fixture.list("valid")
        #expect(valid.count >= 15)
        for row in valid {
            let bytes = try row.hex("bytes")
            let value = try amount(try row.text("value"))
            #expect(try TokenAmount(cborBytes: bytes) == value)
            #expect(try value.cborBytes == bytes)
            #expect(value.decimal == row["value"]?.string)
        }
        for row in try fixture.list("decodes_but_not_canonical") {
            let bytes = try row.hex("bytes")
            #expect(try TokenAmount(cborBytes: bytes).decimal == row["value"]?.string)
        }
        for row in try fixture.list("invalid") {
            let bytes = try row.hex("bytes")
            #expect(throws: TokenAmountError.self) { try TokenAmount(cborBytes: bytes) }
        }
    }
}

@Suite struct FilTests {
    @Test(arguments: [
        ("0", "0"), ("1", "1000000000000000000"), ("12.5", "12500000000000000000"),
        ("0.000000000000000001", "1"), ("2000000000", "2000000000000000000000000000"),
    ])
    func filIsAmountsExactly(_ fil: String, _ atto: String) throws {
        #expect(try TokenAmount(fil: fil) == amount(atto))
        #expect(try amount(atto).fil == fil)
    }

    @Test func zerosThatSayNothingAreNotWritten() throws {
        #expect(try TokenAmount(fil: "007.50").fil == "7.5")
        #expect((-(try TokenAmount(fil: "0.25"))).fil == "-0.25")
    }

    @Test(arguments: ["", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000000000000000001", "1.2.3", " 1", "1 FIL", "٣"])
    func whatIsNoAmountOfFilIsRefused(_ text: String) {
        #expect(throws: TokenAmountError.notFil) { try TokenAmount(fil: text) }
    }
}
