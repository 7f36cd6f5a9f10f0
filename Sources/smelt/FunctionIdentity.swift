import Crypto
import Primitives
import WasmFormat

/// What a function of a module is, apart from where it stands: for finding it again in another build.
///
/// Numbers of functions and types move when others come or go, so a call counts as a call to something of that type, or
/// to that import.
struct FunctionIdentity {
    /// Index in the module.
    let index: UInt32
    /// From the name section, without the hash a compiler ends it with, or the name of an export.
    let name: String?
    /// Bytes of the body.
    let bytes: Int
    /// Type, locals, instructions and all that stands in them.
    let whole: [UInt8]
    /// The same without constants and offsets: addresses of data move from build to build.
    let shape: [UInt8]

    /// All functions a module defines, in their order.
    static func all(of module: Module) -> [FunctionIdentity] {
        var exported: [UInt32: String] = [:]
        for export in module.exports where export.kind == .function { exported[export.index] = export.name.text }
        let space = Space(module)
        return module.bodies.indices.map { position in
            let index = UInt32(position + space.imported.count)
            let body = module.bodies[position]
            return FunctionIdentity(
                index: index, name: module.functionNames[index].map(withoutHash) ?? exported[index],
                bytes: Int(body.length), whole: digest(body, index, space, constants: true),
                shape: digest(body, index, space, constants: false))
        }
    }

    /// Rust ends the names of functions with a hash of the crate's build: `17h` and 16 digits, or `::h` and 16 digits.
    static func withoutHash(_ name: String) -> String {
        func isHash(_ text: Substring) -> Bool { text.count == 16 && text.allSatisfy { $0.isHexDigit } }
        let mangled = name.suffix(20)
        if mangled.hasPrefix("17h"), mangled.hasSuffix("E"), isHash(mangled.dropFirst(3).dropLast()) {
            return String(name.dropLast(20)) + "E"
        }
        let shown = name.suffix(19)
        return shown.hasPrefix("::h") && isHash(shown.dropFirst(3)) ? String(name.dropLast(19)) : name
    }

    private static func digest(
        _ body: FunctionBody, _ index: UInt32, _ space: Space, constants: Bool
    ) -> [UInt8] {
        var text = Text()
        let module = space.module
        text.add(space.type(index))
        for group in body.localGroups { text.add([UInt64(group.count), UInt64(group.type.rawValue)]) }
        for instruction in body.instructions {
            text.add([UInt64(instruction.opcode.rawValue)])
            switch instruction.opcode.row.immediates {
            case .none, .zeroByte: break
            case .function:
                if Int(instruction.index) < space.imported.count {
                    let entry = space.imported[Int(instruction.index)]
                    text.add(entry.module.bytes.map { UInt64($0) })
                    text.add(entry.name.bytes.map { UInt64($0) })
                }
                text.add(space.type(instruction.index))
            case .typeAndTable:
                text.add(module.type(instruction.index))
                text.add([UInt64(instruction.second)])
            case .blockType:
                if case .type(let type) = instruction.blockType { text.add(module.type(type)) }
                if case .value(let type) = instruction.blockType { text.add([UInt64(type.rawValue)]) }
            case .branchTable:
                let table = Int(instruction.index)
                if body.branchTables.indices.contains(table) { text.add(body.branchTables[table].map { UInt64($0) }) }
            case .memoryArgument:
                text.add([UInt64(instruction.index)] + (constants ? [instruction.bits] : []))
            case .i32, .i64, .f32, .f64: if constants { text.add([instruction.bits]) }
            default: text.add([UInt64(instruction.index), UInt64(instruction.second)])
            }
        }
        return Blake2b.hash160(text.bytes)
    }

    /// The function index space, looked up once.
    private struct Space {
        let module: Module
        let imported: [Import]
        private let types: [UInt32]

        init(_ module: Module) {
            self.module = module
            imported = module.imports.filter { if case .function = $0.kind { true } else { false } }
            types = module.functionTypeIndices
        }

        func type(_ index: UInt32) -> FunctionType? {
            Int(index) < types.count ? module.type(types[Int(index)]) : nil
        }
    }

    /// What a digest is made of: each item with its length in front.
    private struct Text {
        private(set) var bytes: [UInt8] = []

        mutating func add(_ numbers: [UInt64]) {
            Varint.append(UInt64(numbers.count), to: &bytes)
            for number in numbers { Varint.append(number, to: &bytes) }
        }

        mutating func add(_ type: FunctionType?) {
            add((type?.parameters ?? []).map { UInt64($0.rawValue) })
            add((type?.results ?? []).map { UInt64($0.rawValue) })
        }
    }
}

/// How the functions of two modules correspond.
struct FunctionDifference {
    var unchanged = 0
    /// Found in both, with another body.
    var changed: [(first: FunctionIdentity, second: FunctionIdentity)] = []
    /// Only in the second.
    var added: [FunctionIdentity] = []
    /// Only in the first.
    var removed: [FunctionIdentity] = []
    /// Whether functions were matched by the names both name sections have.
    let byName: Bool

    /// With name sections on both sides a function is the one of the same name. Without, it is one with the same body;
    /// of the rest one of the same shape is the same function, changed.
    init(_ first: Module, _ second: Module) {
        byName = !first.functionNames.isEmpty && !second.functionNames.isEmpty
        var (left, right) = (FunctionIdentity.all(of: first), FunctionIdentity.all(of: second))
        if byName {
            for (one, other) in Self.pairs(&left, &right, by: { $0.name.map { Array($0.utf8) } }) {
                if one.whole == other.whole { unchanged += 1 } else { changed.append((one, other)) }
            }
        }
        unchanged += Self.pairs(&left, &right, by: \.whole).count
        if !byName { changed += Self.pairs(&left, &right, by: \.shape) }
        removed = left
        added = right
    }

    /// Takes pairs of one key out of both lists, in their order; those without a key stay.
    private static func pairs(
        _ left: inout [FunctionIdentity], _ right: inout [FunctionIdentity], by key: (FunctionIdentity) -> [UInt8]?
    ) -> [(first: FunctionIdentity, second: FunctionIdentity)] {
        var waiting: [[UInt8]: [FunctionIdentity]] = [:]
        for function in right.reversed() { if let key = key(function) { waiting[key, default: []].append(function) } }
        var found: [(first: FunctionIdentity, second: FunctionIdentity)] = []
        var taken: Set<UInt32> = []
        left = left.filter { function in
            guard let key = key(function), let other = waiting[key]?.popLast() else { return true }
            found.append((function, other))
            taken.insert(other.index)
            return false
        }
        right = right.filter { !taken.contains($0.index) }
        return found
    }
}
