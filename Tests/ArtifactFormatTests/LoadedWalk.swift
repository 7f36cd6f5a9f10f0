import CActorRuntime
import CodeSettings

@testable import ArtifactFormat

/// What a loader makes of an object, and a walk through the tables as the runtime will read them. It repeats none of
/// the checks in `DescriptorCheck`: it knows the layout only from the C structures, reads from loaded bytes, and asks
/// of each word whether loading changed it.
struct LoadedWalk {
    struct Breach: Error { var text: String }

    private var image: [UInt8] = []
    /// The relocated words.
    private var pointers: Set<UInt64> = []
    private let loads: [ElfFile.Segment]
    private let module: UInt64
    private var reached: Set<UInt64> = []

    init(_ bytes: [UInt8]) throws {
        let file = try ElfFile(bytes)
        loads = file.loads
        image = [UInt8](repeating: 0, count: Int(loads.map { $0.address + $0.memorySize }.max() ?? 0))
        for load in loads {
            guard load.flags & 3 != 3 else { throw Breach(text: "writable code") }
            for index in 0..<Int(load.fileSize) { image[Int(load.address) + index] = bytes[Int(load.offset) + index] }
        }
        let policy = try ElfPolicy(checking: file)
        module = policy.moduleAddress
        for relocation in policy.relocations {
            guard pointers.insert(relocation.place).inserted else { throw Breach(text: "two relocations of a word") }
            // Loaded at an address that no file knows, so that relocated words cannot pass for others.
            image.store(relocation.value + LoadedWalk.base, at: Int(relocation.place))
        }
    }

    private static let base: UInt64 = 0x7f12_3456_7000

    private func word(_ address: UInt64) throws -> UInt64 {
        guard address % 8 == 0, address + 8 <= UInt64(image.count) else { throw Breach(text: "word outside") }
        return try image.load(at: address, "image")
    }

    /// A pointer's target from the load address; nil when null.
    private mutating func pointer<Root, T>(_ row: UInt64, _ field: KeyPath<Root, T>) throws -> UInt64? {
        let place = row + UInt64(MemoryLayout<Root>.offset(of: field) ?? 0)
        let value = try word(place)
        if value == 0 && !pointers.contains(place) { return nil }
        guard pointers.contains(place), value >= LoadedWalk.base, reached.insert(place).inserted else {
            throw Breach(text: "\(Root.self) at \(place): no pointer, or one of two structures")
        }
        return value - LoadedWalk.base
    }

    private func number<Root, T: FixedWidthInteger & UnsignedInteger>(
        _ row: UInt64, _ field: KeyPath<Root, T>
    ) throws -> UInt64 {
        let place = row + UInt64(MemoryLayout<Root>.offset(of: field) ?? 0)
        guard !pointers.contains(place / 8 * 8) else { throw Breach(text: "\(Root.self) at \(place): moved number") }
        return UInt64(try image.load(at: place, "image", as: T.self))
    }

    private func data(_ start: UInt64?, _ size: UInt64, _ what: String) throws {
        guard size > 0 else { return }
        guard let start, let load = loads.last(where: { $0.address <= start }), load.flags & 1 == 0,
            size <= load.address + load.memorySize - start
        else { throw Breach(text: "\(what): outside of the data") }
        for address in stride(from: start / 8 * 8, to: start + size, by: 8) where pointers.contains(address) {
            throw Breach(text: "\(what): holds an address")
        }
    }

    private func code(_ start: UInt64?, _ size: UInt64 = 1) throws {
        let text = try (word(module + 24) - LoadedWalk.base, word(module + 32) - LoadedWalk.base)
        guard let start, start >= text.0, start < text.1, size <= text.1 - start,
            loads.contains(where: { $0.flags & 1 != 0 && $0.address <= text.0 && text.1 <= $0.address + $0.memorySize })
        else { throw Breach(text: "code outside of the text") }
    }

    private func signature(_ start: UInt64?) throws {
        guard let start else { throw Breach(text: "no signature") }
        guard start + 2 <= UInt64(image.count), image[Int(start)] < 0x80, image[Int(start) + 1] < 0x80 else {
            // Longer counts are rare enough; their bytes are data at least.
            return try data(start, 4, "signature")
        }
        try data(start, 2 + UInt64(image[Int(start)]) + UInt64(image[Int(start) + 1]), "signature")
    }

    /// Goes everywhere the runtime and the engine go.
    mutating func run() throws {
        typealias Module = smelt_module_descriptor
        typealias Export = smelt_rt_export
        typealias Import = smelt_rt_import
        typealias Elements = smelt_rt_element_segment
        _ = (try pointer(module, \Module.text_start), try pointer(module, \Module.text_end))
        func rows<Row>(_ start: UInt64?, _ count: UInt64, _ type: Row.Type) throws -> [UInt64] {
            guard count > 0 else { return [] }
            let stride = UInt64(MemoryLayout<Row>.stride)
            guard let start, count < 1 << 20, start % 8 == 0, start + count * stride <= UInt64(image.count) else {
                throw Breach(text: "\(Row.self): table outside")
            }
            return (0..<count).map { start + $0 * stride }
        }
        let functions = try number(module, \Module.function_count)
        let globals = try number(module, \Module.global_count)
        for row in try rows(try pointer(module, \Module.functions), functions, smelt_rt_function.self) {
            try code(try pointer(row, \smelt_rt_function.table_entry))
            let length = try number(row, \smelt_rt_function.code_length)
            if let start = try pointer(row, \smelt_rt_function.code) { try code(start, length) }
        }
        for row in try rows(try pointer(module, \Module.imports), try number(module, \Module.import_count), Import.self)
        {
            try data(try pointer(row, \Import.module), try number(row, \Import.module_length), "import")
            try data(try pointer(row, \Import.name), try number(row, \Import.name_length), "import")
            let type = try pointer(row, \Import.signature)
            if try number(row, \Import.kind) == SMELT_RT_FUNCTION.rawValue { try signature(type) }
        }
        for row in try rows(try pointer(module, \Module.exports), try number(module, \Module.export_count), Export.self)
        {
            try data(try pointer(row, \Export.name), try number(row, \Export.name_length), "export")
            let parts = (
                try pointer(row, \Export.signature), try pointer(row, \Export.entry), try pointer(row, \Export.typed)
            )
            guard try number(row, \Export.kind) == SMELT_RT_FUNCTION.rawValue else { continue }
            try signature(parts.0)
            try code(parts.1)
            try code(parts.2)
            guard try number(row, \Export.index) < functions else { throw Breach(text: "export of no function") }
        }
        for row in try rows(try pointer(module, \Module.globals), globals, smelt_rt_global.self) {
            try data(row, UInt64(MemoryLayout<smelt_rt_global>.stride), "global")
        }
        for row in try rows(
            try pointer(module, \Module.data), try number(module, \Module.data_count), smelt_rt_data_segment.self)
        {
            let start = try pointer(row, \smelt_rt_data_segment.bytes)
            try data(start, try number(row, \smelt_rt_data_segment.length), "data segment")
            guard try number(row, \smelt_rt_data_segment.offset_global) <= globals else {
                throw Breach(text: "data at no global")
            }
        }
        for row in try rows(
            try pointer(module, \Module.elements), try number(module, \Module.element_count), Elements.self)
        {
            let start = try pointer(row, \Elements.functions)
            try data(start, 4 * (try number(row, \Elements.length)), "element segment")
        }
        if let start = try pointer(module, \Module.start) { try code(start) }
        guard reached == pointers else { throw Breach(text: "a relocation of no pointer") }
    }
}
