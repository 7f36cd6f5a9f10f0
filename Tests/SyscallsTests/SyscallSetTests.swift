import Syscalls
import Testing
import WasmFormat

struct SyscallSetTests {
    private let i32 = ValueType.i32.rawValue
    private let i64 = ValueType.i64.rawValue

    private func link(
        _ set: SyscallSet, _ module: String, _ name: String, _ signature: [UInt8]
    ) throws(LinkError) -> SyscallRow {
        try set.link(module: Array(module.utf8), name: Array(name.utf8), signature: signature)
    }

    @Test func v3LinksFortySyscallsAndV4OneMore() {
        #expect(SyscallSet.v3.rows.count == 40)
        #expect(SyscallSet.v4.rows.count == 41)
        #expect(SyscallSet.v3.row(.cryptoVerifyBlsAggregate) == nil)
        #expect(SyscallSet.v4.row(.cryptoVerifyBlsAggregate) != nil)
        for syscall in Syscall.allCases {
            let rows = [SyscallSet.v3, .v4].compactMap { $0.row(syscall) }
            #expect(!rows.isEmpty && rows.allSatisfy { $0.syscall == syscall })
        }
    }

    @Test func whatMeansOneThingInEachGenerationHasACaseForEach() {
        let v3 = Dictionary(uniqueKeysWithValues: SyscallSet.v3.rows.map { ($0.title, $0.syscall) })
        let different = SyscallSet.v4.rows.filter { v3[$0.title] != nil && v3[$0.title] != $0.syscall }
        #expect(different.count == 11)
        #expect(SyscallSet.v4.rows.filter { v3[$0.title] == nil }.map(\.syscall) == [.cryptoVerifyBlsAggregate])
    }

    @Test func kindsAndLayoutsSayTheTypes() {
        for row in SyscallSet.v3.rows + SyscallSet.v4.rows {
            #expect(row.parameters.count <= 8)
            for case .fixed(_, let bytes) in row.parameters { #expect((16...255).contains(bytes)) }
            #expect((row.result == .none) == (row.resultSize == 0))
        }
    }

    @Test func fourSignaturesDifferBetweenGenerations() {
        let v4 = Dictionary(uniqueKeysWithValues: SyscallSet.v4.rows.map { ($0.title, $0.signature) })
        let different = SyscallSet.v3.rows.filter { v4[$0.title] != $0.signature }
        #expect(
            Set(different.map(\.title)) == [
                "event::emit_event", "rand::get_chain_randomness", "rand::get_beacon_randomness",
                "self::self_destruct",
            ])
    }

    @Test func everySyscallReturnsOneI32AndTakesAtMostNineParameters() {
        for row in SyscallSet.v3.rows + SyscallSet.v4.rows {
            #expect(row.type.results == [.i32])
            #expect(row.type.parameters.count <= 9)
            if row.resultSize > 0 { #expect(row.type.parameters.first == .i32) }
            #expect(row.signature.count == 2 + row.type.parameters.count + 1)
        }
    }

    @Test func signaturesAreThoseOfTheReference() throws {
        _ = try link(.v3, "ipld", "block_open", [2, 1, i32, i32, i32])
        _ = try link(.v3, "vm", "exit", [4, 1, i32, i32, i32, i32, i32])
        _ = try link(.v3, "send", "send", [9, 1, i32, i32, i32, i64, i32, i64, i64, i64, i64, i32])
        _ = try link(.v3, "rand", "get_chain_randomness", [5, 1, i32, i64, i64, i32, i32, i32])
        _ = try link(.v4, "rand", "get_chain_randomness", [2, 1, i32, i64, i32])
        _ = try link(.v3, "crypto", "verify_signature", [8, 1, i32, i32, i32, i32, i32, i32, i32, i32, i32])
        _ = try link(.v4, "crypto", "verify_bls_aggregate", [6, 1, i32, i32, i32, i32, i32, i32, i32])
        _ = try link(.v3, "gas", "available", [1, 1, i32, i32])
        _ = try link(.v3, "gas", "charge", [3, 1, i32, i32, i64, i32])
    }

    @Test func anotherTypeIsRefusedWithBothTypesNamed() {
        #expect(throws: LinkError.self) { try link(.v3, "gas", "available", [1, 1, i64, i32]) }
        do throws(LinkError) {
            _ = try link(.v3, "gas", "available", [0, 0])
            Issue.record("linked")
        } catch {
            #expect(error.description == "import gas::available: type () -> (), expected (i32) -> i32")
        }
    }

    @Test func unknownNamesAreRefused() {
        #expect(throws: LinkError.self) { try link(.v3, "env", "memory", [0, 0]) }
        #expect(throws: LinkError.self) { try link(.v3, "actor", "upgrade_actor", [3, 1, i32, i32, i32, i32]) }
        #expect(throws: LinkError.self) { try link(.v4, "actor", "install_actor", [1, 1, i32, i32]) }
        #expect(throws: LinkError.self) { try link(.v3, "", "", [0, 0]) }
        #expect(throws: LinkError.self) { try link(.v3, "ipld", "block_open", []) }
    }

    @Test func modulesThatImportAnythingElseAreRefused() throws {
        var module = Module()
        module.types = [FunctionType(parameters: [.i32], results: [.i32])]
        module.imports = [
            Import(module: Name("gas"), name: Name("available"), kind: .function(typeIndex: 0))
        ]
        try SyscallSet.v3.check(module)
        module.imports.append(
            Import(
                module: Name("gas"), name: Name("gas_counter"),
                kind: .global(GlobalType(value: .i64, isMutable: true))))
        #expect(throws: LinkError.self) { try SyscallSet.v3.check(module) }
        module.imports[1].kind = .function(typeIndex: 7)
        #expect(throws: LinkError.self) { try SyscallSet.v3.check(module) }
    }
}
