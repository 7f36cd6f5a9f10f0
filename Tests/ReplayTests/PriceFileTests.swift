import GasSchedule
import JSON
import Testing

@testable import Replay

/// Price lists as files.
@Suite struct PriceFileTests {
    private func read(_ value: JSONValue) throws(VectorError) -> PriceList {
        try PriceFile.read(Array(value.text(.indented).utf8), file: "p.json")
    }

    private func refusal(_ value: JSONValue) -> String? {
        do throws(VectorError) {
            _ = try read(value)
            return nil
        } catch { return error.description }
    }

    /// The value with the place `path` changed; nil takes the member away.
    private func changed(
        _ value: JSONValue, _ path: ArraySlice<String>, _ change: (JSONValue) -> JSONValue?
    ) -> JSONValue {
        guard let name = path.first else { return change(value) ?? .null }
        if let index = Int(name), var elements = value.array {
            elements[index] = changed(elements[index], path.dropFirst(), change)
            return .array(elements)
        }
        return .object(
            (value.members ?? []).compactMap { member in
                guard member.name == name else { return member }
                if path.count == 1 { return change(member.value).map { .init(name, $0) } }
                return .init(name, changed(member.value, path.dropFirst(), change))
            })
    }

    private func changed(_ list: PriceList, _ path: String, _ change: (JSONValue) -> JSONValue?) -> JSONValue {
        let parts = path.replacing("[", with: ".").replacing("]", with: "").split(separator: ".").map(String.init)
        return changed(PriceFile.json(list), parts[...], change)
    }

    /// The places of all amounts of a list.
    private func places(_ list: PriceList) throws -> [String] {
        var zero = list
        let text = PriceFile.json(list).text().replacing(#/:[0-9]+/#, with: ":77777")
            .replacing(#/"proof":77777/#, with: "\"proof\":8")
        zero = try PriceFile.read(Array(text.utf8), file: "p.json")
        return PriceFile.changes(list, zero).map(\.field).filter { !$0.hasSuffix("proof") }
    }

    @Test(arguments: PriceListID.allCases) func aListComesBackFromItsFile(_ id: PriceListID) throws {
        let list = PriceList.named(id)
        #expect(try read(PriceFile.json(list)) == list)
        #expect(PriceFile.changes(list, list).isEmpty)
    }

    /// A field added to a list and forgotten here would silently keep its price.
    @Test(arguments: PriceListID.allCases) func everyFieldIsInTheFile(_ id: PriceListID) throws {
        let list = PriceList.named(id)
        let file = PriceFile.json(list)
        func labels(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }
        #expect(Set(file.members?.map(\.name) ?? []) == labels(list))
        #expect(Set(file["wasm"]?.members?.map(\.name) ?? []) == labels(list.wasm))
    }

    /// Each amount is read into a place of its own.
    @Test(arguments: PriceListID.allCases) func everyAmountIsRead(_ id: PriceListID) throws {
        let list = PriceList.named(id)
        let places = try places(list)
        #expect(places.count > 80)
        for place in places {
            let other = try read(changed(list, place) { _ in .integer(77_777) })
            #expect(PriceFile.changes(list, other).map(\.field) == [place])
        }
    }

    @Test(arguments: [("actorLookup", "actorLookUp"), ("wasm.math", "maths"), ("onChainMessageCompute.flat", "flatt")])
    func aMisspelledFieldIsNamedAsItStands(_ path: String, _ wrong: String) {
        let parts = path.split(separator: ".").map(String.init)
        let text = PriceFile.json(.hygge).text().replacing(
            "\"\(parts.last ?? "")\":", with: "\"\(wrong)\":", maxReplacements: 1)
        let place = (parts.dropLast() + [wrong]).joined(separator: ".")
        #expect(throws: VectorError(file: "p.json", field: place, reason: "price list hygge has no such field")) {
            try PriceFile.read(Array(text.utf8), file: "p.json")
        }
    }

    @Test func whatIsWrongIsNamedWithItsPlace() {
        let list = PriceList.hygge
        #expect(
            refusal(changed(list, "wasm.math") { _ in .number("-4") })
                == "p.json: wasm.math: -4 is not an integer in 0...18446744073709551615")
        #expect(
            refusal(changed(list, "randomness.seed") { _ in .number("2.5") })?.hasPrefix("p.json: randomness.seed: 2.5")
                == true)
        #expect(refusal(changed(list, "hostCall") { _ in nil }) == "p.json: field \"hostCall\" is missing")
        #expect(
            refusal(changed(list, "sha2256.scale") { _ in nil }) == "p.json: sha2256: field \"scale\" is missing")
        let more = changed(list, "verifyAggregateSeal[1].steps[2]") { step in
            .object((step.members ?? []) + [.init("extra", .number("1"))])
        }
        #expect(refusal(more) == "p.json: verifyAggregateSeal[1].steps[2].extra: price list hygge has no such field")
        let another = JSONValue.object((PriceFile.json(list).members ?? []) + [.init("moth", .number("1"))])
        #expect(refusal(another) == "p.json: moth: price list hygge has no such field")
        #expect(
            refusal(changed(list, "id") { _ in .string("x") })?.contains("there are hygge, watermelon, teep") == true)
        #expect(
            refusal(changed(list, "blockOpenForm") { _ in .string("x") })
                == "p.json: blockOpenForm: one of perByte, withLinks is expected")
        #expect(refusal(changed(list, "verifyAggregateSeal[0].proof") { _ in .number("7") })?.contains("proof") == true)
        #expect(
            refusal(changed(list, "verifyAggregateSeal") { _ in .array([]) })?.contains("at least one element") == true)
        #expect(refusal(.array([]))?.hasPrefix("p.json: expected an object") == true)
        // A list of one generation of syscalls has not the form of the other's prices.
        let foreign = changed(PriceList.teep, "id") { _ in .string("hygge") }
        #expect(refusal(foreign) == "p.json: tipsetCid.flat: price list hygge has no such field")
    }

    /// Rows of proofs may be fewer than the list has.
    @Test func rowsOfProofsMayBeFewer() throws {
        let one = changed(PriceList.teep, "verifyAggregateSeal") { rows in .array(Array((rows.array ?? []).prefix(1))) }
        #expect(try read(one).verifyAggregateSeal == Array(PriceList.teep.verifyAggregateSeal.prefix(1)))
    }
}
