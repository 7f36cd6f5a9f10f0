import TestSupport
import WasmFormat

/// A module that the generator made, and what can be called in it.
public struct GeneratedModule: Sendable {
    public struct Export: Sendable, Hashable {
        public var name: String
        public var type: FunctionType
    }

    public var bytes: [UInt8]
    /// Exported functions, without the getters.
    public var functions: [Export]
    /// Functions that return the value of a global, or a slot of the table called as a function without
    /// parameters: calling them all shows the state that is not memory.
    public var getters: [Export]
    /// Counted elements that a run of it may stack up.
    public var stackLimit: UInt32 = 2_048
}

/// Makes valid modules of the FVM's profile from seeds.
///
/// Floats pass the boundary in two ways: exported functions `f…` take and return them, `w…` take and return
/// their bits as integers, for hosts that cannot hold all NaNs.
public struct ModuleGenerator {
    private var random: FuzzRandom
    var shape = ModuleShape()
    var module = WasmModule()
    /// Whether imports may have floats.
    private let hostFloats: Bool

    public static func make(seed: UInt64) -> GeneratedModule {
        var generator = ModuleGenerator(seed: seed)
        return generator.make()
    }

    /// The module of a seed with variants `v0`, `v1`… of one of its functions: in each, another instruction comes
    /// right behind one that traps. nil when no function has a fitting length.
    public static func makeTrapping(seed: UInt64) -> GeneratedModule? {
        var generator = ModuleGenerator(seed: seed)
        var made = generator.make()
        return generator.addTraps(&made) ? made : nil
    }

    private init(seed: UInt64) {
        random = FuzzRandom(seed: seed)
        hostFloats = seed % 4 == 3
    }

    private mutating func make() -> GeneratedModule {
        makeShape()
        let budget = 20 + random.below(160)
        for function in shape.importCount..<shape.functions.count {
            var generator = BodyGenerator(
                shape: shape, function: function, budget: budget, random: FuzzRandom(seed: random.next()))
            module.functions.append(generator.body())
        }
        var made = GeneratedModule(bytes: [], functions: [], getters: [])
        exportFunctions(&made)
        makeGetters(&made)
        if random.chance(15) { makeStart() }
        module.types = shape.types.map(\.encoded)
        made.bytes = module.bytes
        if random.chance(25) { made.stackLimit = UInt32(random.pick([2, 5, 9, 14, 30, 100, 400]) ?? 9) }
        return made
    }

    // MARK: Shape

    private static let numbers: [ValueType] = [.i32, .i64, .f32, .f64]

    private mutating func makeShape() {
        if random.chance(90) {
            let minimum = random.below(3)
            shape.memory = (minimum, random.chance(70) ? minimum + random.below(4) : nil)
        }
        if random.chance(70) {
            let minimum = 1 + random.below(10)
            shape.table = (minimum, random.chance(60) ? minimum + random.below(8) : nil)
        }
        for _ in 0..<random.below(7) {
            let types = shape.table == nil ? Self.numbers : Self.numbers + [.funcref]
            shape.globals.append(.init(type: random.pick(types) ?? .i32, isMutable: random.chance(75)))
        }
        shape.importCount = random.below(3)
        for _ in 0..<shape.importCount { shape.functions.append(shape.typeIndex(importType())) }
        for _ in 0..<(3 + random.below(8)) { shape.functions.append(shape.typeIndex(functionType())) }
        for _ in 0..<(shape.memory == nil ? 0 : random.below(4)) { shape.dataSizes.append(random.below(40)) }
        for _ in 0..<(shape.table == nil ? 0 : random.below(4)) { shape.elementSizes.append(random.below(5)) }
        makeSections()
    }

    private mutating func importType() -> FunctionType {
        let types: [ValueType] = hostFloats ? Self.numbers : [.i32, .i64]
        let parameters = (0..<random.below(4)).map { _ in random.pick(types) ?? .i32 }
        return FunctionType(parameters: parameters, results: random.chance(60) ? [random.pick(types) ?? .i32] : [])
    }

    private mutating func functionType() -> FunctionType {
        if let known = random.pick(shape.types), random.chance(35) { return known }
        let types = shape.table != nil && random.chance(12) ? Self.numbers + [.funcref] : Self.numbers
        let count = random.chance(3) ? random.below(60) : random.below(5)
        let parameters = (0..<count).map { _ in random.pick(types) ?? .i32 }
        return FunctionType(parameters: parameters, results: random.chance(75) ? [random.pick(types) ?? .i32] : [])
    }

    private static func limits(_ limits: (minimum: Int, maximum: Int?)) -> [UInt8] {
        guard let maximum = limits.maximum else { return [0] + WasmBytes.unsigned(limits.minimum) }
        return [1] + WasmBytes.unsigned(limits.minimum) + WasmBytes.unsigned(maximum)
    }

    private mutating func makeSections() {
        for (number, function) in shape.functions.prefix(shape.importCount).enumerated() {
            module.imports.append(WasmModule.importedFunction("host", "h\(number)", type: function))
        }
        if let memory = shape.memory {
            module.memories = [Self.limits(memory)]
            module.exports.append(("memory", 2, 0))
        }
        if let table = shape.table { module.tables = [[0x70] + Self.limits(table)] }
        for global in shape.globals { module.globals.append(initialised(global)) }
        for size in shape.dataSizes {
            let bytes = WasmBytes.sized((0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            if random.chance(50) {
                // Segments that do not fit trap when the module is instantiated.
                let place = random.chance(95) ? random.below(max(1, shape.memoryBytes - size)) : shape.memoryBytes
                module.data.append([0, 0x41] + WasmBytes.signed(Int64(place)) + [0x0B] + bytes)
            } else {
                module.data.append([1] + bytes)
            }
        }
        if !shape.dataSizes.isEmpty { module.dataCount = shape.dataSizes.count }
        for size in shape.elementSizes { module.elements.append(elements(size)) }
    }

    private mutating func initialised(_ global: ModuleShape.Global) -> [UInt8] {
        let head: [UInt8] = [global.type.rawValue, global.isMutable ? 1 : 0]
        let bits = Interesting.bits(global.type, &random)
        switch global.type {
        case .i32: return head + [0x41] + WasmBytes.signed(Int64(Int32(truncatingIfNeeded: bits))) + [0x0B]
        case .i64: return head + [0x42] + WasmBytes.signed(Int64(bitPattern: bits)) + [0x0B]
        case .f32: return head + [0x43] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) } + [0x0B]
        case .f64: return head + [0x44] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) } + [0x0B]
        case .funcref:
            if random.chance(30) { return head + [0xD0, 0x70, 0x0B] }
            return head + [0xD2] + WasmBytes.unsigned(random.below(shape.functions.count)) + [0x0B]
        }
    }

    /// An element segment of plain function indices: active, passive or declared.
    private mutating func elements(_ size: Int) -> [UInt8] {
        let functions = (0..<size).map { _ in random.below(shape.functions.count) }
        let items = WasmBytes.vector(functions.map(WasmBytes.unsigned))
        switch random.below(5) {
        case 0: return [1, 0] + items
        case 1: return [3, 0] + items
        default:
            let minimum = shape.table?.minimum ?? 0
            let isOutside = random.chance(4)
            let place = isOutside ? minimum : random.below(max(1, minimum - size + 1))
            if !isOutside, place + size <= minimum {
                for (index, function) in functions.enumerated() { shape.slots[place + index] = function }
            }
            let offset: [UInt8] = [0x41] + WasmBytes.signed(Int64(place)) + [0x0B]
            return random.chance(50) ? [0] + offset + items : [2, 0] + offset + [0] + items
        }
    }

    // MARK: What is called

    private mutating func exportFunctions(_ made: inout GeneratedModule) {
        for function in shape.importCount..<shape.functions.count {
            let type = shape.type(of: function)
            guard type.isNumeric else { continue }
            let name = "f\(function)"
            module.exports.append((name, 0, function))
            made.functions.append(.init(name: name, type: type))
        }
        for (function, type) in made.functions.map({ (Int($0.name.dropFirst()) ?? 0, $0.type) }) where type.hasFloats {
            addWrapper(function, type, &made)
        }
    }

    /// Adds and exports a function, of the same module, that no other function calls.
    private mutating func add(
        _ name: String, _ type: FunctionType, _ code: [UInt8]
    ) -> GeneratedModule.Export {
        module.exports.append((name, 0, shape.importCount + module.functions.count))
        module.functions.append(WasmModule.Function(type: shape.typeIndex(type), code: code))
        return .init(name: name, type: type)
    }

    private mutating func addWrapper(_ function: Int, _ type: FunctionType, _ made: inout GeneratedModule) {
        func bits(_ type: ValueType) -> ValueType { type == .f32 ? .i32 : type == .f64 ? .i64 : type }
        var code: [UInt8] = []
        for (index, parameter) in type.parameters.enumerated() {
            code += [0x20] + WasmBytes.unsigned(index)
            if parameter == .f32 { code += Opcode.f32ReinterpretI32.encoded }
            if parameter == .f64 { code += Opcode.f64ReinterpretI64.encoded }
        }
        code += [0x10] + WasmBytes.unsigned(function)
        if type.results == [.f32] { code += Opcode.i32ReinterpretF32.encoded }
        if type.results == [.f64] { code += Opcode.i64ReinterpretF64.encoded }
        let wrapped = FunctionType(parameters: type.parameters.map(bits), results: type.results.map(bits))
        made.functions.append(add("w\(function)", wrapped, code))
    }

    private mutating func makeGetters(_ made: inout GeneratedModule) {
        for (index, global) in shape.globals.enumerated() {
            var code: [UInt8] = [0x23] + WasmBytes.unsigned(index)
            var type = global.type
            switch type {
            case .f32:
                code += Opcode.i32ReinterpretF32.encoded
                type = .i32
            case .f64:
                code += Opcode.i64ReinterpretF64.encoded
                type = .i64
            case .funcref:
                // What it refers to shows when it is called.
                guard shape.table != nil else { continue }
                code = [0x41, 0] + code + [0x26, 0, 0x41, 0, 0x11] + WasmBytes.unsigned(shape.functions[0]) + [0]
                let callee = shape.types[shape.functions[0]]
                guard callee.parameters.isEmpty, callee.isNumeric, !callee.hasFloats else { continue }
                made.getters.append(add("g\(index)", FunctionType(parameters: [], results: callee.results), code))
                continue
            default: break
            }
            made.getters.append(add("g\(index)", FunctionType(parameters: [], results: [type]), code))
        }
        if let table = shape.table {
            let callee = shape.typeIndex(FunctionType(parameters: [], results: []))
            for slot in 0..<min(4, table.minimum) {
                let code = [0x41, UInt8(slot), 0x11] + WasmBytes.unsigned(callee) + [0]
                made.getters.append(add("t\(slot)", FunctionType(parameters: [], results: []), code))
            }
            made.getters.append(
                add("ts", FunctionType(parameters: [], results: [.i32]), Opcode.tableSize.encoded + [0]))
        }
    }

    private mutating func makeStart() {
        let candidates = shape.functions.indices.dropFirst(shape.importCount).filter {
            shape.type(of: $0).parameters.isEmpty && shape.type(of: $0).results.isEmpty
        }
        module.start = random.pick(Array(candidates))
    }
}
