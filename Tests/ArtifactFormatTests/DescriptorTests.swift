import Testing

@testable import ArtifactFormat

/// Relocations and words of the descriptor's tables, changed under a right manifest.
@Suite struct DescriptorTests {
    /// The linked object with access to its relocations and the file offsets of their places.
    struct Linked {
        var bytes = Sample.linked
        let file: ElfFile
        let policy: ElfPolicy
        let table: Int

        init() throws {
            file = try ElfFile(Sample.linked)
            policy = try ElfPolicy(checking: file)
            table = Int(try DynamicSection(file).relocations)
        }

        mutating func setPlace(_ index: Int, _ place: UInt64) { bytes.store(place, at: table + 24 * index) }
        mutating func setValue(_ index: Int, _ value: UInt64) { bytes.store(value, at: table + 24 * index + 16) }
        mutating func setWord(at address: UInt64, _ value: UInt64) {
            bytes.store(value, at: Int(file.fileOffset(ofAddress: address, size: 8) ?? 0))
        }

        /// What the whole check says under a right manifest.
        var rule: ArtifactError.Rule? {
            do {
                _ = try ArtifactFormat.seal(bytes, inputs: Sample.inputs)
                return nil
            } catch { return error.rule }
        }
    }

    @Test func aRelocationOverANumberIsRefused() throws {
        let linked = try Linked()
        let places = linked.policy.relocations.map(\.place)
        var moved = 0
        for (index, place) in places.enumerated() where index + 1 == places.count || places[index + 1] > place + 8 {
            var changed = linked
            changed.setPlace(index, place + 8)
            #expect(changed.rule != nil, "relocation \(index)")
            moved += 1
        }
        #expect(moved > 8)
    }

    @Test func aRelocationOverANumberBesideAllPointersIsRefused() throws {
        // Nothing is missing for it: the pointer that loses its relocation may be null.
        var linked = try Linked()
        let rows = linked.policy.relocations
        // The last relocation is the export's typed entry or the like; a null `start` stays null meanwhile.
        for (index, row) in rows.enumerated() where index + 1 < rows.count && rows[index + 1].place > row.place + 16 {
            var changed = linked
            changed.setPlace(index, row.place + 16)
            #expect(changed.rule != nil, "relocation \(index)")
        }
        linked.setPlace(rows.count - 1, rows[rows.count - 1].place + 8)
        #expect(linked.rule != nil)
    }

    @Test func aRawValueWhereAPointerIsExpectedIsRefused() throws {
        let linked = try Linked()
        for (index, row) in linked.policy.relocations.enumerated() {
            var changed = linked
            changed.setWord(at: row.place, row.value)
            #expect(changed.rule == .descriptor, "relocation \(index)")
        }
        // `start`, the only null pointer of the descriptor.
        var changed = linked
        changed.setWord(at: linked.policy.moduleAddress + 160, 0x1000)
        #expect(changed.rule == .descriptor)
    }

    @Test func codePointersLeadToTheText() throws {
        let linked = try Linked()
        let code = try #require(linked.file.loads.first { $0.flags & Elf.SegmentFlag.execute != 0 })
        for (index, row) in linked.policy.relocations.enumerated() {
            let isCode = row.value >= code.address && row.value < code.address + code.memorySize
            var changed = linked
            // Into data where it led to code, into code where it led to data.
            changed.setValue(index, isCode ? 0x40 : code.address)
            #expect(changed.rule == .descriptor, "relocation \(index)")
        }
    }

    @Test func tablesDoNotOverlap() throws {
        let linked = try Linked()
        let base = linked.policy.moduleAddress
        // functions, imports, exports, globals, data, elements: each pointing at each other one.
        let fields: [UInt64] = [40, 56, 72, 88, 104, 120]
        for field in fields {
            let index = try #require(linked.policy.relocations.firstIndex { $0.place == base + field })
            for other in fields where other != field {
                let target = try #require(linked.policy.relocations.first { $0.place == base + other })
                var changed = linked
                changed.setValue(index, target.value)
                #expect(changed.rule != nil, "\(field) to \(other)")
            }
        }
    }

    @Test func numbersTheRuntimeUsesAsIndexesAreKnown() throws {
        let linked = try Linked()
        func value(_ field: UInt64) throws -> UInt64 {
            try #require(linked.policy.relocations.first { $0.place == linked.policy.moduleAddress + field }).value
        }
        let changes: [(UInt64, Int, UInt32, String)] = [
            (try value(72), 12, 9, "export of unknown kind"), (try value(72), 16, 2, "export of no function"),
            (try value(72), 20, 1, "reserved word of an export"), (try value(56), 24, 4, "import of unknown kind"),
            (try value(88), 8, 1, "constant from a global"), (try value(104), 20, 9, "data at no global"),
            (try value(104), 24, 2, "declarative data"), (try value(120), 24, 3, "elements of unknown mode"),
            (try value(56), 28, 1, "reserved word of an import"),
        ]
        for (row, offset, number, what) in changes {
            var changed = linked
            let place = Int(try #require(linked.file.fileOffset(ofAddress: row, size: 8))) + offset
            changed.bytes.store(number, at: place)
            #expect(changed.rule == .descriptor, "\(what)")
        }
    }
}
