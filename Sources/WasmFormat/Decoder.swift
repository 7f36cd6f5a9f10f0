/// Decodes a binary section by section (core spec chapter 5).
///
/// What is malformed is refused with stage `decode`. A feature that is off is refused with stage `validate`,
/// as the reference's validator does, but here, because nothing represents it.
struct Decoder: ~Escapable {
    var reader: Reader
    var module = Module()
    /// Whether a body uses `memory.init` or `data.drop`, and where first: then the data count must be there.
    var firstDataUse: Refusal?

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        reader = Reader(bytes)
    }

    /// Section ids in the order in which the sections stand.
    private static let order: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]

    mutating func decode() throws(Refusal) {
        for expected: UInt8 in [0x00, 0x61, 0x73, 0x6D] {
            guard try reader.byte() == expected else {
                throw Refusal(stage: .decode, offset: 0, rule: "magic header not detected")
            }
        }
        for expected: UInt8 in [1, 0, 0, 0] {
            guard try reader.byte() == expected else {
                throw Refusal(stage: .decode, offset: 4, rule: "unknown binary version")
            }
        }
        var place = 0
        while !reader.isAtEnd {
            let start = reader.offset
            let id = try reader.byte()
            if id != 0 {
                guard let found = Self.order.firstIndex(of: id) else {
                    throw Refusal(stage: id == 13 ? .validate : .decode, offset: start, rule: "unknown section \(id)")
                }
                guard found >= place else {
                    throw Refusal(stage: .decode, offset: start, rule: "section \(id) is repeated or out of order")
                }
                place = found + 1
            }
            let outer = try reader.enter(size: try reader.u32(), "section")
            try section(id)
            try reader.leave(to: outer, "section")
        }
        guard module.functions.count == module.bodies.count else {
            throw reader.malformed(
                "\(module.functions.count) functions are declared, the code section has \(module.bodies.count)")
        }
        if let count = module.dataCount, Int(count) != module.data.count {
            throw reader.malformed("data count is \(count), the data section has \(module.data.count) segments")
        }
        if module.dataCount == nil, let firstDataUse { throw firstDataUse }
    }

    private mutating func section(_ id: UInt8) throws(Refusal) {
        switch id {
        case 0: try customSection()
        case 1: try typeSection()
        case 2: try importSection()
        case 3: try functionSection()
        case 4:
            for _ in 0..<(try reader.count("tables")) { module.tables.append(try tableType()) }
        case 5:
            for _ in 0..<(try reader.count("memories")) { module.memories.append(try memoryType()) }
        case 6:
            for _ in 0..<(try reader.count("globals")) {
                let type = try globalType()
                module.globals.append(Global(type: type, initializer: try constantExpression()))
            }
        case 7: try exportSection()
        case 8: module.start = try reader.u32()
        case 9:
            for _ in 0..<(try reader.count("element segments")) { module.elements.append(try elementSegment()) }
        case 10: try codeSection()
        case 11:
            for _ in 0..<(try reader.count("data segments")) { module.data.append(try dataSegment()) }
        default: module.dataCount = try reader.u32()
        }
    }

    // MARK: - Types

    mutating func valueType() throws(Refusal) -> ValueType {
        let start = reader.offset
        let byte = try reader.byte()
        if let type = ValueType(rawValue: byte) { return type }
        throw Self.refusedType(byte, at: start)
    }

    static func refusedType(_ byte: UInt8, at offset: UInt32) -> Refusal {
        guard let feature = RefusedCodes.feature(ofType: byte) else {
            return Refusal(stage: .decode, offset: offset, rule: "malformed value type 0x\(String(byte, radix: 16))")
        }
        return Refusal(
            stage: .validate, offset: offset, rule: "type 0x\(String(byte, radix: 16)) (\(feature)) is not enabled")
    }

    mutating func referenceType() throws(Refusal) -> ValueType {
        let start = reader.offset
        let type = try valueType()
        guard type == .funcref else {
            throw Refusal(stage: .decode, offset: start, rule: "malformed reference type")
        }
        return type
    }

    private mutating func typeSection() throws(Refusal) {
        let count = try reader.count("types")
        module.types.reserveCapacity(count)
        for _ in 0..<count {
            let start = reader.offset
            let form = try reader.byte()
            guard form == 0x60 else {
                let stage: RefusalStage = (0x4D...0x5F).contains(form) ? .validate : .decode
                throw Refusal(
                    stage: stage, offset: start, rule: "type form 0x\(String(form, radix: 16)) is no function")
            }
            let parameters = try valueTypes("parameters")
            module.types.append(FunctionType(parameters: parameters, results: try valueTypes("results")))
        }
    }

    private mutating func valueTypes(_ what: StaticString) throws(Refusal) -> [ValueType] {
        let count = try reader.count(what)
        var types: [ValueType] = []
        types.reserveCapacity(count)
        for _ in 0..<count { types.append(try valueType()) }
        return types
    }

    private mutating func sizeLimits(_ what: StaticString, hasPageSizes: Bool) throws(Refusal) -> SizeLimits {
        let start = reader.offset
        let flags = try reader.byte()
        guard flags <= 1 else {
            let feature: StaticString
            switch flags {
            case 2, 3: feature = "threads"
            case 4...7: feature = "memory64"
            case 8...15 where hasPageSizes: feature = "custom page sizes"
            default: throw Refusal(stage: .decode, offset: start, rule: "malformed \(what) limits flags")
            }
            throw Refusal(
                stage: .validate, offset: start, rule: "\(what) limits flags \(flags) (\(feature)) are not enabled")
        }
        let minimum = try reader.u32()
        return SizeLimits(minimum: minimum, maximum: flags == 1 ? try reader.u32() : nil)
    }

    mutating func memoryType() throws(Refusal) -> SizeLimits {
        try sizeLimits("memory", hasPageSizes: true)
    }

    mutating func tableType() throws(Refusal) -> TableType {
        let element = try referenceType()
        return TableType(element: element, limits: try sizeLimits("table", hasPageSizes: false))
    }

    mutating func globalType() throws(Refusal) -> GlobalType {
        let value = try valueType()
        let start = reader.offset
        let mutability = try reader.byte()
        guard mutability <= 1 else {
            throw Refusal(stage: .decode, offset: start, rule: "malformed mutability \(mutability)")
        }
        return GlobalType(value: value, isMutable: mutability == 1)
    }

    // MARK: - Sections of names and indices

    private mutating func importSection() throws(Refusal) {
        let count = try reader.count("imports")
        module.imports.reserveCapacity(count)
        for _ in 0..<count {
            let library = try reader.name()
            let name = try reader.name()
            module.imports.append(Import(module: library, name: name, kind: try importKind()))
        }
    }

    private mutating func importKind() throws(Refusal) -> Import.Kind {
        let start = reader.offset
        let kind = try reader.byte()
        switch kind {
        case 0: return .function(typeIndex: try reader.u32())
        case 1: return .table(try tableType())
        case 2: return .memory(try memoryType())
        case 3: return .global(try globalType())
        default:
            throw Refusal(
                stage: kind == 4 ? .validate : .decode, offset: start, rule: "malformed import kind \(kind)")
        }
    }

    private mutating func functionSection() throws(Refusal) {
        module.hasFunctionSection = true
        let count = try reader.count("functions")
        module.functions.reserveCapacity(count)
        for _ in 0..<count { module.functions.append(try reader.u32()) }
    }

    private mutating func exportSection() throws(Refusal) {
        let count = try reader.count("exports")
        module.exports.reserveCapacity(count)
        for _ in 0..<count {
            let name = try reader.name()
            let start = reader.offset
            let byte = try reader.byte()
            guard let kind = Export.Kind(rawValue: byte) else {
                throw Refusal(
                    stage: byte == 4 ? .validate : .decode, offset: start, rule: "malformed export kind \(byte)")
            }
            module.exports.append(Export(name: name, kind: kind, index: try reader.u32()))
        }
    }

    private mutating func customSection() throws(Refusal) {
        let name = try reader.name()
        let bytes = try reader.take(UInt32(truncatingIfNeeded: reader.remaining))
        if name == Name("name") {
            for (function, text) in NameSection.functionNames(bytes) { module.functionNames[function] = text }
        }
        module.customSections.append(CustomSection(name: name, bytes: bytes))
    }

    // MARK: - Segments

    private mutating func elementSegment() throws(Refusal) -> ElementSegment {
        let start = reader.offset
        let flags = try reader.u32()
        guard flags < 8 else { throw Refusal(stage: .decode, offset: start, rule: "malformed element segment flags") }
        let mode: ElementSegment.Mode
        switch flags & 3 {
        case 0: mode = .active(table: 0, offset: try constantExpression())
        case 1: mode = .passive
        case 2:
            let table = try reader.u32()
            mode = .active(table: table, offset: try constantExpression())
        default: mode = .declarative
        }
        let hasExpressions = flags & 4 != 0
        var type = ValueType.funcref
        if flags & 3 != 0 {
            if hasExpressions {
                type = try referenceType()
            } else {
                let kindOffset = reader.offset
                guard try reader.byte() == 0 else {
                    throw Refusal(stage: .decode, offset: kindOffset, rule: "malformed element kind")
                }
            }
        }
        let count = try reader.count("elements")
        if hasExpressions {
            var items: [ConstantExpression] = []
            for _ in 0..<count { items.append(try constantExpression()) }
            return ElementSegment(mode: mode, type: type, items: .expressions(items))
        }
        var items: [UInt32] = []
        items.reserveCapacity(count)
        for _ in 0..<count { items.append(try reader.u32()) }
        return ElementSegment(mode: mode, type: type, items: .functions(items))
    }

    private mutating func dataSegment() throws(Refusal) -> DataSegment {
        let start = reader.offset
        let mode: DataSegment.Mode
        switch try reader.u32() {
        case 0: mode = .active(memory: 0, offset: try constantExpression())
        case 1: mode = .passive
        case 2:
            let memory = try reader.u32()
            mode = .active(memory: memory, offset: try constantExpression())
        default: throw Refusal(stage: .decode, offset: start, rule: "malformed data segment flags")
        }
        return DataSegment(mode: mode, bytes: try reader.take(try reader.u32()))
    }
}

extension Module {
    /// Decodes a binary (core spec chapter 5). The profile has no say here: both have the same features.
    public static func decode(_ bytes: [UInt8], profile: AcceptanceProfile) throws(Refusal) -> Module {
        guard UInt64(bytes.count) <= Limits.moduleBytes else {
            throw Refusal(stage: .decode, rule: "module of \(bytes.count) bytes, limit \(Limits.moduleBytes)")
        }
        var decoder = Decoder(bytes.span)
        try decoder.decode()
        return decoder.module
    }
}
