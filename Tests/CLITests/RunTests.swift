import Foundation
import JSON
import Testing

/// `smelt run` on every type, with every kind of wrong argument.
@Suite struct RunTests {
    private let folder: TemporaryFolder
    private let module: String

    init() throws {
        folder = try TemporaryFolder()
        let text = """
            (module (memory (export "memory") 1)
              (global $started (mut i32) (i32.const 0))
              (start $start) (func $start (global.set $started (i32.const 42)))
              (func (export "started") (result i32) global.get $started)
              (func (export "i32") (param i32) (result i32) local.get 0)
              (func (export "i64") (param i64) (result i64) local.get 0)
              (func (export "f32") (param f32) (result f32) local.get 0)
              (func (export "f64") (param f64) (result f64) local.get 0)
              (func (export "last") (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 f64 f64 f64)
                (result f64) local.get 18)
              (func (export "name with spaces") (result i32) i32.const 1)
              (func (export "") (result i32) i32.const 2)
              (func (export "--json") (result i32) i32.const 3)
              (func (export "\\1b[31m") (result i32) i32.const 4)
              (func (export "outside") (result i32) (i32.load (i32.const 65536)))
              (func $deep (export "deep") call $deep)
              (func (export "forever") (loop br 0)))
            """
        module = folder.path("types.wasm")
        try assemble(text, module)
    }

    private func assemble(_ text: String, _ path: String) throws {
        let source = try folder.write(text, "module.wat")
        let run = try Tool.run("/usr/bin/wat2wasm", ["--no-check", source, "-o", path])
        #expect(run.status == 0, "\(run.errors)")
    }

    private func call(_ arguments: [String], on path: String? = nil) throws -> Tool.Run {
        try Tool.run(Tool.binary, ["run", "--store", folder.path("store"), path ?? module] + arguments)
    }

    @Test func valuesOfEveryTypeComeBackAsTheyWere() throws {
        let cases = [
            ("i32", "-1", "-1"), ("i32", "4294967295", "-1"), ("i32", "0xffffffff", "-1"),
            ("i32", "-0x80000000", "-2147483648"), ("i32", "+5", "5"), ("i64", "18446744073709551615", "-1"),
            ("i64", "-0x8000000000000000", "-9223372036854775808"), ("f32", "nan", "nan"), ("f32", "-nan", "-nan"),
            ("f32", "nan:0x1", "nan:0x1"), ("f32", "0x1.8p3", "12.0"), ("f32", "-0x1p-149", "-1e-45"),
            ("f32", "0.1", "0.1"), ("f64", "-0", "-0.0"), ("f64", "-nan:0xdead", "-nan:0xdead"),
            ("f64", "infinity", "inf"), ("f64", "-inf", "-inf"), ("f64", ".5", "0.5"), ("f64", "1e-400", "0.0"),
            ("f64", "0x1.fffffffffffffp1023", "1.7976931348623157e+308"),
        ]
        for (type, given, shown) in cases {
            #expect(try call([type, given]).lines.first == "\(type) \(shown)", "\(type) \(given)")
        }
        #expect(try call(["last"] + (1...18).map(String.init) + ["24.5"]).lines.first == "f64 24.5")
        #expect(try call(["started"]).lines.first == "i32 42")
    }

    @Test(arguments: [
        ["i32", "4294967296"], ["i32", "-2147483649"], ["i32", "0x"], ["i32", "1.5"], ["i64", "18446744073709551616"],
        ["f32", "1e39"], ["f32", "nan:0x800000"], ["f64", "1e400"], ["f64", "abc"], ["f64", "nan:0x0"],
    ])
    func whatIsNoValueOfItsTypeIsSaid(arguments: [String]) throws {
        let run = try call(arguments)
        #expect(run.status == 64 && run.errors.contains("'\(arguments[1])' is not an \(arguments[0])"), "\(run.errors)")
    }

    @Test func wrongCountsAndNamesAreSaidWithWhatWouldBeRight() throws {
        #expect(try call(["i32"]).errors.contains("i32 is (i32) -> i32: it takes 1 argument, not 0"))
        let typo = try call(["i23", "1"])
        #expect(typo.status == 64 && typo.errors.contains("did you mean 'i32'?"), "\(typo.errors)")
        let listed = try call(["nosuchfunction"])
        #expect(listed.errors.contains("there are started, i32") && listed.errors.contains("\\x1b[31m"))
        #expect(try call(["memory"]).status == 64)
    }

    @Test func anyNameCanBeCalled() throws {
        #expect(try call(["name with spaces"]).lines.first == "i32 1")
        #expect(try call([""]).lines.first == "i32 2")
        #expect(try call(["--", "--json"]).lines.first == "i32 3")
        #expect(try call(["\u{1B}[31m"]).lines.first == "i32 4")
    }

    @Test func trapsAreObjectsInJson() throws {
        let run = try call(["outside", "--json"])
        let report = try JSON.parse(Array(run.output.utf8))
        #expect(run.status == 1 && report["trap"]?["kind"]?.string == "out of bounds memory access")
        #expect(report["trap"]?["name"]?.string == "outside" && report["trap"]?["offset"]?.integer(Int.self) != nil)
        #expect(try call(["deep"]).errors.contains("stack height limit exceeded in function 12 (deep)"))
        #expect(try call(["forever", "--gas", "1000"]).errors.contains("out of gas in function 13 (forever)"))
    }

    @Test func whatTheFVMDoesNotLinkIsRefused() throws {
        let cases = [
            ("(module (import \"env\" \"memory\" (memory 1)) (func (export \"f\")))", "imports a memory"),
            (
                "(module (import \"env\" \"now\" (func)) (memory (export \"memory\") 1) (func (export \"f\")))",
                "env::now"
            ),
            ("(module (func (export \"f\") (result i32 i32) (i32.const 1) (i32.const 2)))", "refused: validate"),
        ]
        for (index, (text, reason)) in cases.enumerated() {
            let path = folder.path("refused\(index).wasm")
            try assemble(text, path)
            let run = try call(["f"], on: path)
            #expect(run.status == 2 && run.errors.contains(reason), "\(run.errors)")
        }
    }
}
