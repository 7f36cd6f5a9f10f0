import Foundation
import JSON
import Testing

/// Vectors that `smelt replay` writes.
@Suite struct VectorFileTests {
    private let folder: TemporaryFolder
    private let store: String

    init() throws {
        folder = try TemporaryFolder()
        store = folder.path("store")
    }

    private func open(_ name: String) throws -> String {
        let vector = try Tool.vector("counter")
        let members = (vector.members ?? []).filter { $0.name != "postconditions" }
        return try folder.write(JSONValue.object(members).text(), name)
    }

    @Test func aVectorWithoutPostconditionsRunsAndIsWrittenWithThem() throws {
        let path = try open("open.json")
        let blessed = folder.path("blessed.json")
        let run = try Tool.smelt("replay", path, "--bless", blessed, "--store", store)
        #expect(
            run.status == 0 && run.lines.last == "1 ran, 0 passed, 0 failed, 0 skipped", "\(run.output)\(run.errors)")
        let again = try Tool.smelt("replay", blessed, "--store", store)
        #expect(again.status == 0 && again.lines.last == "1 passed, 0 failed, 0 skipped", "\(again.output)")
        let then = try Tool.vector("counter")["postconditions"]?["state_tree"]
        #expect(try JSON.parse(try bytes(ofFile: blessed))["postconditions"]?["state_tree"] == then)
    }

    @Test func messagesAreExtractedAndPassAlone() throws {
        let run = try Tool.smelt(
            "replay", Tool.vectors + "/counter.json", "--extract", folder.path("out"), "--store", store)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let count = try #require(try Tool.vector("counter")["apply_messages"]?.array?.count)
        let again = try Tool.smelt("replay", folder.path("out"), "--store", store)
        #expect(again.status == 0 && again.lines.last == "\(count) passed, 0 failed, 0 skipped", "\(again.output)")
    }

    @Test func theInputIsNeverTheOutput() throws {
        let path = try open("open.json")
        let before = try bytes(ofFile: path)
        for target in [path, folder.root] {
            let run = try Tool.smelt("replay", path, "--bless", target, "--store", store)
            #expect(run.status == 64 && run.errors.contains("--bless: \(target)"), "\(run.status) \(run.errors)")
        }
        #expect(try bytes(ofFile: path) == before)
    }

    @Test func aPlaceThatCannotBeWrittenIsAFailureOfThisMachine() throws {
        let path = try open("open.json")
        let file = try folder.write("", "file")
        #expect(try Tool.smelt("replay", path, "--bless", file + "/x.json", "--store", store).status == 75)
        #expect(try Tool.smelt("replay", path, "--extract", file, "--store", store).status == 75)
    }
}
