import ArtifactFormat
import Crypto
import Primitives
import TestSupport
import Testing

@testable import ArtifactStore

/// Objects of several compilers for one WASM binary: which are found, which are kept.
@Suite struct OriginTests {
    let fixture = StoreFixture()
    private let wasm = StoreFixture.inputs.wasm

    private func publish(build: UInt8, _ origin: StoreOrigin = .compiled) throws {
        try fixture.open().publish(
            StoreFixture.seal(7, build: build), StoreFixture.makeInputs(7, build: build), origin: origin)
    }

    /// The build of the compiler whose object is found.
    private func found(_ accept: (ArtifactInputs, StoreOrigin) -> Bool = { _, _ in true }) -> Digest? {
        guard case .object(let object)? = fixture.open().find(wasm: wasm, accept: accept) else { return nil }
        return object.manifest.inputs.compilerBuild
    }

    private func objectPath(build: UInt8) -> String {
        StoreLayout(root: fixture.directory).object(StoreFixture.makeInputs(7, build: build))
    }

    @Test func ofSeveralCompilersObjectsTheLastThatCameIsFound() throws {
        #expect(found() == nil)
        for build in [2, 3, 1] as [UInt8] { try publish(build: build) }
        #expect(found() == Digest(of: [1]))
        #expect(found { inputs, _ in inputs.compilerBuild != Digest(of: [1]) } == Digest(of: [3]))
        #expect(found { _, origin in origin == .imported } == nil)
        try publish(build: 2, .imported)
        #expect(found { _, origin in origin == .imported } == Digest(of: [2]))
        #expect(fixture.open().find(wasm: StoreFixture.otherInputs.wasm) { _, _ in true } == nil)
        #expect(fixture.warnings.all.isEmpty)
    }

    @Test func aDamagedObjectGivesWayToAnotherCompilers() throws {
        for build in [2, 3] as [UInt8] { try publish(build: build) }
        var bytes = StoreFixture.seal(7, build: 3)
        bytes[100] ^= 1
        #expect(writeFile(bytes, objectPath(build: 3)))
        #expect(found() == Digest(of: [2]))
        #expect(fixture.warnings.all.first?.contains("authentication code") == true)
        #expect(fileBytes(objectPath(build: 3)) == nil)
    }

    @Test func theOriginAndTheTimeAreAuthenticated() throws {
        for change in [
            "s/^origin compiled/origin imported/", "s/^time ./time 9/", "s/^compiler-version 1/compiler-version 2/",
        ] {
            try publish(build: 1)
            let entry = StoreLayout(root: fixture.directory).entry(ofObject: fixture.objectPath)
            #expect(shell("sed -i '\(change)' '\(entry)'"))
            #expect(fixture.open().find(StoreFixture.inputs) == nil, "\(change)")
        }
    }

    @Test func anEntryOfAnotherObjectIsNotTaken() throws {
        for build in [1, 2] as [UInt8] { try publish(build: build) }
        let layout = StoreLayout(root: fixture.directory)
        let (one, two) = (layout.entry(ofObject: objectPath(build: 1)), layout.entry(ofObject: objectPath(build: 2)))
        #expect(shell("cp '\(two)' '\(one)'"))
        #expect(fixture.open().find(StoreFixture.inputs) == nil)
    }

    @Test func refusalsOfOtherCompilersAreFound() throws {
        try fixture.open().publishRefusal("validate: a rule", StoreFixture.makeInputs(7, build: 2))
        guard case .refused("validate: a rule")? = fixture.open().find(wasm: wasm, accept: { _, _ in true }) else {
            Issue.record("not found")
            return
        }
        #expect(fixture.open().find(StoreFixture.inputs) == nil)
    }

    @Test func pruningKeepsWhatWasImported() throws {
        try publish(build: 2, .imported)
        try publish(build: 3)
        try publish(build: 1)
        let store = fixture.open()
        #expect(try store.prune(all: false, compiler: StoreFixture.inputs.compiler).files == 2)
        #expect(Set(try store.entries().map(\.path)) == [objectPath(build: 1), objectPath(build: 2)])
    }

    @Test func importingAnotherObjectOfAKnownKeyIsRefused() throws {
        let foreign = fixture.folder.path + "/foreign"
        #expect(shell("mkdir -p '\(foreign)'"))
        // Same inputs, other code: what a compiler that is not reproducible, or a liar, would hand over.
        let linked = try #require(linkedFixture(variant: 9))
        let other = try ArtifactFormat.seal(linked, inputs: StoreFixture.inputs)
        #expect(other != StoreFixture.object)
        try publish(build: 1)
        #expect(writeFile(other, foreign + "/a.so"))
        guard case .refused(let reason)? = try fixture.open().importObjects(from: foreign).first?.outcome else {
            Issue.record("taken")
            return
        }
        #expect(reason.contains("same key"))
        #expect(fixture.open().foundBytes() == StoreFixture.object)
    }

    @Test func digestsOfFilesAreRememberedUnderTheUsersKey() throws {
        let stamp = FileStamp(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
        let other = FileStamp(device: 1, inode: 2, size: 3, modified: 4, changed: 6)
        #expect(fixture.open().knownDigests().isEmpty)
        try fixture.open().remember([stamp: Digest(of: [1])])
        try fixture.open().remember([other: Digest(of: [2])])
        #expect(fixture.open().knownDigests() == [stamp: Digest(of: [1]), other: Digest(of: [2])])
        let path = StoreLayout(root: fixture.directory).digests
        #expect(shell("sed -i 's/^digest 1 2 3 4 5/digest 1 2 3 4 7/' '\(path)'"))
        #expect(fixture.open().knownDigests().isEmpty && fixture.warnings.all.count == 1)
        // It was moved away, and a new one takes its place.
        try fixture.open().remember([stamp: Digest(of: [1])])
        #expect(fixture.open().knownDigests() == [stamp: Digest(of: [1])])
        #expect(stamp.isSettled(now: 3_000_000_000) && !stamp.isSettled(now: 1_000_000_000))
        #expect(FileStamp(text: stamp.text) == stamp && FileStamp(text: "1 2 3 4 05") == nil)
    }

    @Test func compilersAreRememberedUnderTheUsersKey() throws {
        let file = fixture.folder.path + "/worker program"
        #expect(writeFile([1], file) && fixture.open().knownCompilers().isEmpty)
        func compiler(_ build: UInt8, _ environment: String) throws -> KnownCompiler {
            KnownCompiler(
                files: [try #require(PlacedFile(path: file))], environment: [environment],
                identity: CompilerIdentity(
                    version: "1", build: Digest(of: [build]), llvmVersion: "19", llvmBuild: Digest(of: [2]),
                    linkerVersion: "LLD 19", linkerBuild: Digest(of: [3])))
        }
        let first = try compiler(1, "PATH=/a b:/c")
        let elsewhere = try compiler(1, "PATH=/c")
        let newer = try compiler(9, "PATH=/c")
        for one in [first, elsewhere, newer, first] { try fixture.open().remember(one) }
        #expect(fixture.open().knownCompilers() == [newer, first])
        #expect(first.isInstalled(at: file, environment: ["PATH=/a b:/c"]))
        #expect(!first.isInstalled(at: file, environment: ["PATH=/c"]))
        #expect(!first.isInstalled(at: file + "2", environment: ["PATH=/a b:/c"]))
        for index in 0..<20 { try fixture.open().remember(try compiler(1, "PATH=/\(index)")) }
        #expect(fixture.open().knownCompilers().map(\.environment).prefix(2) == [["PATH=/19"], ["PATH=/18"]])
        #expect(fixture.open().knownCompilers().count == 8)
        let path = StoreLayout(root: fixture.directory).compilers
        #expect(shell("sed -i 's/^version 1/version 2/' '\(path)'"))
        #expect(fixture.open().knownCompilers().isEmpty && fixture.warnings.all.count == 1)
        try fixture.open().remember(first)
        #expect(fixture.open().knownCompilers() == [first])
        #expect(writeFile([1, 2], file) && !first.isInstalled(at: file, environment: first.environment))
    }

    @Test func whatAnotherFormatLeftIsNoDamageAndIsPruned() throws {
        try publish(build: 1)
        let layout = StoreLayout(root: fixture.directory)
        #expect(shell("mkdir -p '\(layout.objects)/1' && echo old > '\(layout.objects)/1/a.so'"))
        #expect(shell("cp '\(layout.objects)/1/a.so' '\(layout.objects)/1/a.entry'"))
        #expect(try fixture.open().verify().unsound.isEmpty)
        #expect(try fixture.open().prune(all: false, compiler: nil).files == 2)
    }

    @Test func whatAStoppedWriterLeftIsNoDamageAndIsPruned() throws {
        let store = fixture.open()
        let layout = StoreLayout(root: fixture.directory)
        for build in [1, 2, 3] as [UInt8] { try publish(build: build) }
        #expect(shell("rm '\(layout.entry(ofObject: objectPath(build: 2)))' '\(objectPath(build: 3))'"))
        let result = try store.verify()
        #expect(result.checked == 1 && result.unsound.isEmpty)
        #expect(try store.prune(all: false, compiler: nil).files == 2)
        #expect(found() == Digest(of: [1]))
    }

    @Test func verifyNoticesDamagedRefusalsAndMisplacedObjects() throws {
        let store = fixture.open()
        let layout = StoreLayout(root: fixture.directory)
        try publish(build: 1)
        try store.publishRefusal("validate: a rule", StoreFixture.otherInputs)
        #expect(try store.verify().unsound.isEmpty)
        #expect(shell("sed -i 's/a rule/b rule/' '\(layout.refusal(StoreFixture.otherInputs))'"))
        let (from, to) = (objectPath(build: 1), objectPath(build: 2))
        #expect(shell("mv '\(from)' '\(to)' && mv '\(layout.entry(ofObject: from))' '\(layout.entry(ofObject: to))'"))
        let result = try store.verify()
        #expect(result.checked == 2 && result.unsound.count == 2, "\(result)")
    }
}
