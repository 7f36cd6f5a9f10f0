import GasSchedule
import Metering
import WasmFormat

/// The module `spectest` that scripts import from (test/core/README of the specification): print functions that
/// print nothing, globals, a table and a memory. A module like any other, so that every executor runs it.
enum Spectest {
    static let name = Name("spectest")

    /// Makes and registers it.
    static func define(in executor: any SuiteExecutor) throws(SuiteFailure) {
        let module: AnalyzedModule
        do throws(Refusal) {
            module = try FrontEnd.analyze(bytes, profile: .suite, prices: .fvm)
        } catch { throw SuiteFailure("spectest: \(error.diagnostic)") }
        guard case .instance(let instance) = executor.instantiate(module, bytes: bytes) else {
            throw SuiteFailure("\(executor.name): spectest is not instantiated")
        }
        executor.register(name, instance: instance)
    }

    private static let functions: [(name: String, parameters: [ValueType])] = [
        ("print", []), ("print_i32", [.i32]), ("print_i64", [.i64]), ("print_f32", [.f32]), ("print_f64", [.f64]),
        ("print_i32_f32", [.i32, .f32]), ("print_f64_f64", [.f64, .f64]),
    ]

    /// Name, type, and the constant instruction that is its value (666, and 666.6 for floats).
    private static let globals: [(name: String, type: ValueType, constant: [UInt8])] = [
        ("global_i32", .i32, [0x41, 0x9A, 0x05]), ("global_i64", .i64, [0x42, 0x9A, 0x05]),
        ("global_f32", .f32, [0x43] + littleEndian(UInt64(Float(666.6).bitPattern), 4)),
        ("global_f64", .f64, [0x44] + littleEndian(Double(666.6).bitPattern, 8)),
    ]

    static let bytes: [UInt8] = {
        let indices = functions.indices.map { UInt8($0) }
        let exports =
            functions.enumerated().map { export($1.name, 0, $0) } + [export("table", 1, 0), export("memory", 2, 0)]
            + globals.enumerated().map { export($1.name, 3, $0) }
        return [0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0]
            + section(
                1, functions.map { [0x60, UInt8($0.parameters.count)] + $0.parameters.map(\.rawValue) + [0] })
            + section(3, indices.map { [$0] })
            + section(4, [[0x70, 1, 10, 20]])
            + section(5, [[1, 1, 2]])
            + section(6, globals.map { [$0.type.rawValue, 0] + $0.constant + [0x0B] })
            + section(7, exports)
            + section(10, indices.map { _ in [2, 0, 0x0B] })
    }()

    private static func export(_ name: String, _ kind: UInt8, _ index: Int) -> [UInt8] {
        [UInt8(name.utf8.count)] + Array(name.utf8) + [kind, UInt8(index)]
    }

    /// A section whose entries are fewer than 128.
    private static func section(_ id: UInt8, _ entries: [[UInt8]]) -> [UInt8] {
        let content = [UInt8(entries.count)] + entries.flatMap { $0 }
        return [id, UInt8(content.count & 0x7F | 0x80), UInt8(content.count >> 7)] + content
    }

    private static func littleEndian(_ bits: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
    }
}
