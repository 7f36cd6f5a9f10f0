import TestSupport
import WasmFormat

/// Widths of integers; every enumerated function takes and returns one of them.
enum Width: Int, Sendable, CaseIterable {
    case i32 = 32
    case i64 = 64

    var name: String { self == .i32 ? "i32" : "i64" }
    var type: ValueType { self == .i32 ? .i32 : .i64 }
    /// The float of this width.
    var float: String { self == .i32 ? "f32" : "f64" }
    var bits: Int { rawValue }
    /// The smallest signed number.
    var minimum: Int64 { self == .i32 ? Int64(Int32.min) : .min }
    /// The largest signed number.
    var maximum: Int64 { self == .i32 ? Int64(Int32.max) : .max }

    /// A number's bits in a slot.
    func slot(_ value: Int64) -> UInt64 {
        self == .i32 ? UInt64(UInt32(truncatingIfNeeded: value)) : UInt64(bitPattern: value)
    }
}

/// One function of the enumeration: `(x, y: T, s: i32) -> T`, T being i32 or i64.
///
/// Locals 3 and 4 are of type T, 5 is an i32, 6 and 7 are of the float type as wide as T. By convention local 3 holds
/// the value that the function is about.
struct SmallFunction: Sendable, Hashable {
    /// Of T.
    var width: Width
    /// Whether x and y are bits of floats.
    var takesFloats = false
    /// Instructions without the last `end`.
    var code: [UInt8]

    /// The text of `Assembler`, once for each thing that is assembled when the program starts.
    static func assemble(_ text: String) -> [UInt8] { Assembler.assemble(text) }

    var locals: [(count: Int, type: UInt8)] {
        [
            (2, width.type.rawValue), (1, ValueType.i32.rawValue),
            (2, (width == .i32 ? ValueType.f32 : .f64).rawValue),
        ]
    }

    /// Type index in a module of small functions: 0 for i32, 1 for i64.
    var typeIndex: Int { width == .i32 ? 0 : 1 }

    static let types = [
        WasmBytes.functionType([0x7F, 0x7F, 0x7F], [0x7F]), WasmBytes.functionType([0x7E, 0x7E, 0x7F], [0x7E]),
    ]
}

/// All functions of one kind: digits of a number with mixed radices choose one.
struct Family: Sendable {
    let name: String
    let radices: [Int]
    let make: @Sendable (_ digits: [Int]) -> SmallFunction

    var count: Int { radices.reduce(1, *) }

    /// The function of an index below `count`; the last digit changes fastest.
    func function(_ index: Int) -> SmallFunction {
        var digits = [Int](repeating: 0, count: radices.count)
        var rest = index
        for place in radices.indices.reversed() {
            digits[place] = rest % radices[place]
            rest /= radices[place]
        }
        return make(digits)
    }
}
