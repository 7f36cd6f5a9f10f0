import CActorRuntime
import CodeImage

/// A relocatable ELF object (System V ABI, AMD64 supplement) of text, constants and a line table, for the linker.
struct ObjectFile {
    /// A symbol that only this object sees, for people: a function.
    struct Function {
        var name: String
        var start: Int
        var end: Int
    }

    private struct Section {
        var name: String
        var type: UInt32
        var flags: UInt64 = 0
        var bytes: [UInt8] = []
        var link: UInt32 = 0
        var info: UInt32 = 0
        var alignment: UInt64 = 1
        var entrySize: UInt64 = 0
    }

    private struct Relocation {
        var place: Int
        /// The section whose start is added.
        var section: Int
        var addend: Int
    }

    // Their numbers; symbols of sections have the same.
    private static let text = 1
    private static let constants = 2
    private static let relocated = 3
    private static let lines = 4

    /// - Parameters:
    ///   - place: where code begins in the text.
    ///   - exported: the name of the item that other objects see.
    static func encode(
        text code: [UInt8], items: [DataItem], rows: [LineProgram.Row], functions: [Function], exported: String,
        place: (CodeSymbol) -> Int?
    ) -> [UInt8] {
        var constants: [UInt8] = []
        var relocated: [UInt8] = []
        var relocations: [Relocation] = []
        var places: [(section: Int, offset: Int)] = []
        var export: (offset: Int, size: Int) = (0, 0)
        for item in items {
            if item.isRelocated {
                align(&relocated, item.alignment)
                places.append((Self.relocated, relocated.count))
                if item.name == exported { export = (relocated.count, item.size) }
                for part in item.parts {
                    switch part {
                    case .bytes(let bytes): relocated += bytes
                    case .code(let symbol):
                        relocations.append(
                            Relocation(place: relocated.count, section: Self.text, addend: place(symbol) ?? 0))
                        relocated += [UInt8](repeating: 0, count: 8)
                    case .data(let number):
                        relocations.append(
                            Relocation(
                                place: relocated.count, section: places[number].section,
                                addend: places[number].offset))
                        relocated += [UInt8](repeating: 0, count: 8)
                    case .distance(let start, let end):
                        relocated += littleEndian(UInt64((place(end) ?? 0) - (place(start) ?? 0)))
                    }
                }
            } else {
                align(&constants, item.alignment)
                places.append((Self.constants, constants.count))
                for part in item.parts { if case .bytes(let bytes) = part { constants += bytes } }
            }
        }
        let table = LineProgram.encode(rows, textSize: code.count)
        let names = StringTable([SMELT_MODULE_SYMBOL] + functions.map(\.name))
        var symbols = [UInt8](repeating: 0, count: 24)
        for section in 1...4 { symbols += symbol(name: 0, info: 3, section: section, value: 0, size: 0) }
        for (number, function) in functions.enumerated() {
            symbols += symbol(
                name: names.offsets[number + 1], info: 2, section: Self.text, value: function.start,
                size: function.end - function.start)
        }
        let locals = symbols.count / 24
        symbols += symbol(
            name: names.offsets[0], info: 0x11, section: Self.relocated, value: export.offset, size: export.size)
        return file([
            Section(name: "", type: 0),
            Section(name: ".text", type: 1, flags: 6, bytes: code, alignment: 16),
            Section(name: ".rodata", type: 1, flags: 2, bytes: constants, alignment: 16),
            Section(name: ".data.rel.ro", type: 1, flags: 3, bytes: relocated, alignment: 16),
            Section(name: ".debug_line", type: 1, bytes: table.bytes),
            Section(
                name: ".rela.data.rel.ro", type: 4, flags: 0x40, bytes: encode(relocations), link: 7, info: 3,
                alignment: 8, entrySize: 24),
            Section(
                name: ".rela.debug_line", type: 4, flags: 0x40,
                bytes: encode([Relocation(place: table.addressPlace, section: Self.text, addend: 0)]), link: 7,
                info: 4, alignment: 8, entrySize: 24),
            Section(
                name: ".symtab", type: 2, bytes: symbols, link: 8, info: UInt32(locals), alignment: 8, entrySize: 24),
            Section(name: ".strtab", type: 3, bytes: names.bytes),
            Section(name: ".note.GNU-stack", type: 1),
        ])
    }

    private static func align(_ bytes: inout [UInt8], _ boundary: Int) {
        while bytes.count % boundary != 0 { bytes.append(0) }
    }

    private static func symbol(name: Int, info: UInt8, section: Int, value: Int, size: Int) -> [UInt8] {
        littleEndian(UInt32(name)) + [info, 0] + littleEndian(UInt16(section)) + littleEndian(UInt64(value))
            + littleEndian(UInt64(size))
    }

    /// R_X86_64_64 each: the address of a section's symbol plus the addend.
    private static func encode(_ relocations: [Relocation]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(relocations.count * 24)
        for relocation in relocations {
            bytes += littleEndian(UInt64(relocation.place))
            bytes += littleEndian(UInt64(relocation.section) << 32 | 1)
            bytes += littleEndian(UInt64(relocation.addend))
        }
        return bytes
    }

    /// Texts one behind the other, each ended by a zero.
    private struct StringTable {
        var bytes: [UInt8] = [0]
        var offsets: [Int] = []

        init(_ texts: [String]) {
            for text in texts {
                offsets.append(bytes.count)
                bytes += Array(text.utf8)
                bytes.append(0)
            }
        }
    }

    private static func file(_ sections: [Section]) -> [UInt8] {
        let names = StringTable(sections.map(\.name) + [".shstrtab"])
        let all = sections + [Section(name: ".shstrtab", type: 3, bytes: names.bytes)]
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes.reserveCapacity(all.reduce(64) { $0 + $1.bytes.count + 128 })
        var headers: [UInt8] = []
        for (number, section) in all.enumerated() {
            align(&bytes, Int(section.alignment))
            let offset = section.type == 0 ? 0 : bytes.count
            bytes += section.bytes
            headers += littleEndian(UInt32(section.type == 0 ? 0 : names.offsets[number]))
            headers += littleEndian(section.type) + littleEndian(section.flags) + littleEndian(UInt64(0))
            headers += littleEndian(UInt64(offset)) + littleEndian(UInt64(section.bytes.count))
            headers += littleEndian(section.link) + littleEndian(section.info)
            headers += littleEndian(section.type == 0 ? 0 : section.alignment) + littleEndian(section.entrySize)
        }
        align(&bytes, 8)
        let table = bytes.count
        bytes += headers
        // ELF64, little endian, version 1; relocatable, x86-64.
        var header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        header += littleEndian(UInt16(1)) + littleEndian(UInt16(62)) + littleEndian(UInt32(1))
        header += littleEndian(UInt64(0)) + littleEndian(UInt64(0)) + littleEndian(UInt64(table))
        header += littleEndian(UInt32(0)) + littleEndian(UInt16(64)) + littleEndian(UInt16(0)) + littleEndian(UInt16(0))
        header += littleEndian(UInt16(64)) + littleEndian(UInt16(all.count)) + littleEndian(UInt16(all.count - 1))
        bytes.replaceSubrange(0..<64, with: header)
        return bytes
    }
}
