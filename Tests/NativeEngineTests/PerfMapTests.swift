import ArtifactFormat
import CActorRuntime
import Engine
import Foundation
import Testing

@testable import NativeEngine

private final class Handmade: ArtifactSource {
    func artifact(
        key: [UInt8], wasm: () -> [UInt8]?, better: @escaping @Sendable (LoadableObject) -> Void
    ) throws(EngineError) -> ArtifactAnswer? {
        (try? HandmadeObject.first.get()).map { .object($0) }
    }
}

struct PerfMapTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("smelt-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    @Test func functionsOfMappedModulesHaveLinesInOrder() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let map = try PerfMap(names: [[1]: "handmade"], directory: directory.path)
        let engine = NativeEngine(source: Handmade(), perfMap: map)
        guard case .module(let loaded)? = try engine.load(key: [1], wasm: { nil }),
            let module = loaded as? NativeModule
        else {
            Issue.record("no module")
            return
        }
        let lines = try String(contentsOfFile: map.path, encoding: .utf8).split(separator: "\n")
        var end = UInt(bitPattern: module.descriptor.pointee.text_start)
        var names: [Substring] = []
        for line in lines {
            let words = line.split(separator: " ")
            #expect(words.count == 3)
            let start = try #require(UInt(words[0], radix: 16))
            let size = try #require(UInt(words[1], radix: 16))
            #expect(start == end && size > 0)
            end = start + size
            names.append(words[2])
        }
        #expect(end == UInt(bitPattern: module.descriptor.pointee.text_end))
        // Functions of this object say where their code begins, and too short lengths.
        #expect(names.contains { $0.hasPrefix("handmade.f3") } && names.contains("handmade.thunk"))
        // Modules without a name are called by the end of their key.
        #expect(PerfMap.text(module, name: "x").contains(" x.f"))
        _ = try engine.load(key: [0, 1, 2, 0xAB, 3, 4], wasm: { nil })
        #expect(try String(contentsOfFile: map.path, encoding: .utf8).contains(" 02ab0304.f"))
    }

    @Test func placesAreFoundInMappedCode() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let map = CodeMap()
        #expect(map.function(at: 0x1000) == nil)
        let engine = NativeEngine(source: Handmade(), codeMap: map)
        guard case .module(let loaded)? = try engine.load(key: [1], wasm: { nil }),
            let module = loaded as? NativeModule
        else {
            Issue.record("no module")
            return
        }
        let descriptor = module.descriptor.pointee
        let (start, end) = (
            UInt64(UInt(bitPattern: descriptor.text_start)), UInt64(UInt(bitPattern: descriptor.text_end))
        )
        #expect(map.function(at: start - 1) == nil && map.function(at: end) == nil)
        let found = (start..<end).map { map.function(at: $0) }
        // Every byte of the text is of this module, functions among them.
        #expect(found.allSatisfy { $0?.key == [1] })
        #expect(Set(found.compactMap { $0?.function }).count > 1)
    }

    @Test func whatLiesInTheWayIsNotWrittenTo() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = "\(directory.path)/perf-\(getpid()).map"
        let victim = "\(directory.path)/victim"
        try Data("kept".utf8).write(to: URL(fileURLWithPath: victim))
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: victim)
        let map = try PerfMap(directory: directory.path)
        _ = try NativeEngine(source: Handmade(), perfMap: map).load(key: [1], wasm: { nil })
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "kept")
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains(".f"))
        #expect(throws: EngineError.self) { try PerfMap(directory: directory.path + "/missing") }
    }
}
