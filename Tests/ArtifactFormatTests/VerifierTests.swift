import CodeSettings
import Testing

@testable import ArtifactFormat

@Suite struct VerifierTests {
    private func resealed(_ change: (inout ArtifactInputs) -> Void) throws -> [UInt8] {
        var inputs = Sample.inputs
        change(&inputs)
        return try ArtifactFormat.seal(Sample.linked, inputs: inputs)
    }

    /// The linked object with a change, under a manifest that is right about it.
    private func relinked(_ change: (inout [UInt8], Int) -> Void) throws(ArtifactError) -> [UInt8] {
        var bytes = Sample.linked
        let policy = try ElfPolicy(checking: ElfFile(bytes))
        let offset = try ElfFile(bytes).fileOffset(ofAddress: policy.moduleAddress, size: 8) ?? 0
        change(&bytes, Int(offset))
        return try ArtifactFormat.seal(bytes, inputs: Sample.inputs)
    }

    private func rule(_ bytes: [UInt8], _ expectation: ArtifactExpectation = .runnable, processor: Int32 = 3)
        -> ArtifactError.Rule?
    {
        do {
            _ = try ArtifactFormat.verify(bytes, expecting: expectation, processor: processor)
            return nil
        } catch {
            return error.rule
        }
    }

    @Test func aSealedObjectVerifiesAndTellsItsInputs() throws {
        let manifest = try ArtifactFormat.verify(Sample.sealed, expecting: .key(Sample.inputs.key), processor: 3)
        #expect(manifest.inputs == Sample.inputs)
        #expect(manifest.segments.count == 3)
    }

    @Test func sealingTwiceGivesTheSameBytes() throws {
        #expect(try ArtifactFormat.seal(Sample.linked, inputs: Sample.inputs) == Sample.sealed)
    }

    @Test func anotherKeyIsRefused() {
        #expect(rule(Sample.sealed, .key(ArtifactKey(digest: Digest(of: [])))) == .unexpectedKey)
    }

    @Test func aLevelTheProcessorLacksIsRefusedByName() throws {
        let bytes = try resealed { $0.cpu = .v3 }
        #expect(rule(bytes, processor: 3) == nil)
        let error = #expect(throws: ArtifactError.self) {
            _ = try ArtifactFormat.verify(bytes, expecting: .runnable, processor: 2)
        }
        #expect(error?.rule == .cpuLevel)
        #expect(error?.description.contains("x86-64-v3") == true)
        #expect(rule(bytes, .sound, processor: 2) == nil)
    }

    @Test func anotherVersionIsRefused() throws {
        #expect(rule(try resealed { $0.formatVersion += 1 }) == .version)
        // The descriptor inside has the current interface version, so the manifest contradicts it.
        var inputs = Sample.inputs
        inputs.abiMajor += 1
        let error = #expect(throws: ArtifactError.self) {
            _ = try ArtifactFormat.seal(Sample.linked, inputs: inputs)
        }
        #expect(error?.rule == .version)
        let newer = try manifestReplaced { $0.inputs.abiMinor += 1 }
        #expect(rule(newer) == .version)
    }

    @Test func anotherTargetIsRefused() throws {
        #expect(rule(try resealed { $0.target = "aarch64-unknown-linux-gnu" }) == .target)
    }

    /// A sealed object whose manifest says something else, with a right checksum of its own.
    private func manifestReplaced(_ change: (inout Manifest) -> Void) throws -> [UInt8] {
        let file = try ElfFile(Sample.sealed)
        var (manifest, section) = try ArtifactFormat.manifest(of: file)
        change(&manifest)
        var bytes = Sample.sealed
        let encoded = manifest.encoded
        try #require(encoded.count == Int(section.size))
        bytes.replaceSubrange(Int(section.offset)..<Int(section.offset + section.size), with: encoded)
        return bytes
    }

    @Test func digestsInTheManifestMustMatch() throws {
        #expect(rule(try manifestReplaced { $0.file = Digest(of: [1]) }) == .digest)
        #expect(rule(try manifestReplaced { $0.segments[1].digest = Digest(of: [1]) }) == .digest)
        #expect(rule(try manifestReplaced { $0.segments[2].offset += 8 }) == .digest)
    }

    @Test func anObjectWithoutManifestIsRefused() {
        #expect(rule(Sample.linked) == .manifestMissing)
    }

    @Test func aDamagedManifestIsRefused() throws {
        let section = try ArtifactFormat.manifest(of: ElfFile(Sample.sealed)).1
        var bytes = Sample.sealed
        bytes[Int(section.offset) + 20] ^= 1
        #expect(rule(bytes) == .manifestMalformed)
    }

    @Test func aDescriptorThatLeavesTheObjectIsRefused() {
        let changes: [(Int, UInt64)] = [
            (0, 1),  // magic number
            (16, 4),  // size
            (48, 1 << 60),  // functions
            (64, 1 << 32),  // imports
            (80, 1 << 61),  // exports
            (96, 100_000),  // globals
            (112, 100_000),  // data
            (128, 100_000),  // elements
        ]
        for (field, value) in changes {
            let error = #expect(throws: ArtifactError.self, "field at \(field)") {
                _ = try relinked({ bytes, offset in
                    field == 16
                        ? bytes.store(UInt32(value), at: offset + field) : bytes.store(value, at: offset + field)
                })
            }
            #expect(error?.rule == .descriptor, "field at \(field): \(error?.description ?? "")")
        }
    }

    @Test func everyPrefixIsRefused() {
        for count in stride(from: 0, to: Sample.sealed.count, by: 7) {
            #expect(rule(Array(Sample.sealed[..<count])) != nil, "\(count) bytes")
        }
        #expect(rule(Sample.sealed + [0]) == .digest)
    }

    @Test func everyFlippedBitIsDetected() {
        var random = SplitMix(state: 0x5eed)
        var bytes = Sample.sealed
        let bits = bytes.count * 8
        let places = Array(0..<4_096) + (0..<30_000).map { _ in Int.random(in: 0..<bits, using: &random) }
        for bit in places {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if rule(bytes) == nil { Issue.record("bit \(bit) flipped without being noticed") }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }

    /// An attacker can make a right manifest for anything; then the rules alone must hold, and never crash.
    @Test func objectsWithDamageAndARightManifestAreCheckedWithoutACrash() {
        var random = SplitMix(state: 0xbad5eed)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = Sample.linked
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let near = Bool.random(using: &random)
                let place =
                    near ? Int.random(in: 0..<0x300, using: &random) : Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            do { _ = try ArtifactFormat.seal(bytes, inputs: Sample.inputs) } catch { refused += 1 }
        }
        #expect(refused > 5_000)
    }

    @Test func theReportNamesFunctionsAndSections() throws {
        let report = try ObjectReport(Sample.sealed)
        #expect(report.functions.map(\.name).contains("entry"))
        #expect(report.sections.contains { $0.name == Manifest.sectionName && !$0.isLoaded })
        #expect(report.manifest.inputs == Sample.inputs)
        #expect(report.relocationCount > 10)
    }

    @Test func theProcessorHasTheStandardLevelAtLeast() {
        #expect(CPULevel.processor >= CPULevel.standard.number)
    }
}
