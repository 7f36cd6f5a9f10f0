import TestSupport
import Testing

@testable import ArtifactFormat

@Suite struct LineTableTests {
    private func fixture() throws -> [UInt8] {
        try #require(linkedFixture(compilerFlags: "-gdwarf-5 -O0"))
    }

    /// The lines of the fixture's source that hold a text, counted from 1.
    private func lines(holding text: String) throws -> [UInt32] {
        let source = try #require(fileBytes(packageRoot + "/Tests/Fixtures/artifact/module.c"))
        let lines = String(decoding: source, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().filter { $0.element.contains(text) }.map { UInt32($0.offset + 1) }
    }

    @Test func aTableWrittenByTheSystemsCompilerIsReadRight() throws {
        let bytes = try fixture()
        let file = try ElfFile(bytes)
        let module = try ElfPolicy(checking: file).moduleAddress
        let table = try LineTable(LineTableSection(LoadableObject(checking: bytes)))
        for function in try ObjectReport.functions(of: file) {
            let distance = Int64(function.address) - Int64(module)
            let definition = try #require(try lines(holding: " \(function.name)(").first, "\(function.name)")
            #expect(table.wasmOffset(distanceFromModule: distance) == definition, "\(function.name)")
            if function.name == "entry" {
                // Its last instruction returns: the line of the closing brace, four lines on.
                let last = distance + Int64(function.size) - 1
                #expect(table.wasmOffset(distanceFromModule: last) == definition + 4)
            }
        }
    }

    @Test func addressesOutsideOfTheCodeHaveNoPlace() throws {
        let table = try LineTable(LineTableSection(LoadableObject(checking: fixture())))
        #expect(table.wasmOffset(distanceFromModule: 0) == nil)
        #expect(table.wasmOffset(distanceFromModule: .min) == nil)
        #expect(table.wasmOffset(distanceFromModule: .max) == nil)
        #expect(
            try LineTable(LineTableSection(LoadableObject(checking: Sample.linked))).wasmOffset(
                distanceFromModule: -0x1000) == nil)
    }

    @Test func damagedTablesEndInAnErrorOrInPlacesButNeverInACrash() throws {
        let bytes = try fixture()
        let section = try #require(ElfFile(bytes).sections.first { $0.name == ".debug_line" })
        var random = SplitMix(state: 77)
        var errors = 0
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int(section.offset) + Int.random(in: 0..<Int(section.size), using: &random)
                damaged[place] = UInt8.random(in: 0...255, using: &random)
            }
            do throws(ArtifactError) {
                _ = try LineTable(LineTableSection(LoadableObject(checking: damaged))).wasmOffset(
                    distanceFromModule: -0x1000)
            } catch {
                #expect(error.rule == .truncated)
                errors += 1
            }
        }
        #expect(errors > 100)
    }
}
