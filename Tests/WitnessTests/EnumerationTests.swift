import Testing

@testable import Witness

/// The part of the enumeration (`make witness`) that every test run repeats.
@Suite(.serialized) struct EnumerationTests {
    private func check(_ indices: [Int], _ way: EnumerationWay) throws {
        for failure in try SmallFunctionWitness().check(indices, way) { Issue.record("\(failure)") }
    }

    private func spread(_ count: Int, offset: Int) -> [Int] {
        let stride = Enumeration.coreCount / count
        return (0..<count).map { $0 * stride + offset % stride }
    }

    @Test func functionsFromAllKindsAgree() throws {
        try check(spread(1_200, offset: 7), .optimised)
        try check(spread(400, offset: 101), .baseline)
        try check(spread(400, offset: 293), .metered)
    }

    @Test func theFirstPartHasAMillionFunctionsAndAllOfThemTenMillion() {
        #expect(Enumeration.coreCount >= 1_000_000 && Enumeration.count >= 10_000_000)
        let kinds = Enumeration.kinds
        for (kind, next) in zip(kinds, kinds.dropFirst()) { #expect(kind.start + kind.count == next.start) }
    }

    @Test func numbersChooseDifferentFunctions() {
        let functions = spread(4_000, offset: 13).map(Enumeration.function)
        #expect(Set(functions).count > functions.count * 95 / 100)
    }

    /// `x` is 0 or -1 out of three paths. A fold over such values lost the sign of the remainder.
    private static func remainders(_ factors: [Int64]) -> [SmallFunction] {
        Vocabulary.all.flatMap { words -> [SmallFunction] in
            let name = words.width.name
            let dividends = [
                "\(name).const \(words.width.bits - 1) \(name).shl", "\(name).const \(words.width.minimum) \(name).mul",
            ]
            return dividends.flatMap { dividend in
                factors.map { factor in
                    SmallFunction(
                        width: words.width,
                        code: words.sources[Vocabulary.phiOfThree]
                            + SmallFunction.assemble(
                                "local.get 3 \(dividend) local.get 3 \(name).const \(factor) \(name).mul \(name).rem_s")
                    )
                }
            }
        }
    }

    @Test func remaindersOfPhisAreEnumerated() {
        let kinds = Enumeration.kinds.filter { $0.name.hasPrefix("pairs i") }
        let enumerated = Set(
            kinds.flatMap { kind in (kind.start..<(kind.start + kind.count)).map(Enumeration.function) })
        for function in Self.remainders([3]) { #expect(enumerated.contains(function)) }
    }

    @Test(arguments: [EnumerationWay.optimised, .baseline, .metered])
    func remaindersOfPhisAreRight(_ way: EnumerationWay) throws {
        let failures = try SmallFunctionWitness().check(Self.remainders([3, 5, 7, 11, 31]), way)
        #expect(failures.isEmpty, "\(failures.map(\.text))")
    }

    /// The witness of the witness: one operator of each function is another one in what the interpreter gets.
    @Test func anotherOperatorIsNoticed() throws {
        for words in Vocabulary.all {
            let functions = words.operators.map { operation in
                SmallFunction(
                    width: words.width,
                    code: words.sources[Vocabulary.phiOfThree] + words.pieces[0] + words.leaves[1] + operation)
            }
            let others = functions[1...] + functions[..<1]
            let failures = try SmallFunctionWitness().check(functions, .baseline, against: Array(others))
            #expect(failures.map(\.place) == Array(functions.indices))
        }
    }
}
