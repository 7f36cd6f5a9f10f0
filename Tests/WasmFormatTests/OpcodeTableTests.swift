import Testing

@testable import WasmFormat

@Suite struct OpcodeTableTests {
    @Test func everyOpcodeHasItsOwnRow() {
        #expect(OpcodeRow.table.count == Opcode.allCases.count)
        for opcode in Opcode.allCases {
            #expect(opcode.row.opcode == opcode)
            #expect(opcode.immediates == opcode.row.immediates)
        }
    }

    @Test func aTableThatIsNotOneRowForEachOpcodeIsAFault() throws {
        #expect(try Opcode.bySlot(OpcodeRow.table).count == 0x200)
        #expect(throws: OpcodeTableFault.missing(.tableFill)) { try Opcode.bySlot(OpcodeRow.table.dropLast()) }
        #expect(throws: OpcodeTableFault.repeated(.nop)) {
            try Opcode.bySlot(OpcodeRow.table + [OpcodeRow.table[1]])
        }
    }

    @Test func briefRowsEqualTheRows() {
        for opcode in Opcode.allCases {
            let row = opcode.row
            let brief = opcode.brief
            #expect(brief.gas == row.gas && brief.effect == row.effect)
            #expect(brief.isRefused == (row.refusedBy != nil) && brief.hasTypes == (row.types != nil))
            #expect(brief.result == row.types?.results.first)
            #expect(row.types?.operands == row.types?.operands.indices.map(brief.operand))
        }
    }

    /// Only what depends on the types of functions and constructs has no fixed effect on the stack.
    @Test func allButControlAndCallsHaveAnEffect() {
        for opcode in Opcode.allCases {
            let without: [Opcode] = [
                .unreachable, .block, .loop, .if, .else, .end, .br, .brIf, .brTable, .return, .call, .callIndirect,
            ]
            #expect((opcode.row.effect == nil) == without.contains(opcode), "\(opcode)")
        }
    }

    /// Rows with the same recipe, types, width, sign and text name are one instruction.
    @Test func noTwoInstructionsDoTheSame() {
        var seen: Set<String> = []
        for opcode in Opcode.allCases {
            let row = opcode.row
            let types = row.types.map { "\($0.operands) \($0.results)" } ?? opcode.name + "\(row.immediates)"
            #expect(seen.insert("\(row.recipe) \(types) \(row.accessWidth) \(row.extendsSign)").inserted, "\(opcode)")
        }
    }

    @Test func everyCodeHasExactlyOneVerdict() {
        var accepted = 0
        var refused = 0
        for code in UInt8.min...UInt8.max where code != 0xFC {
            let isOpcode = Opcode(rawValue: UInt16(code)) != nil
            let isRefused = RefusedCodes.feature(ofCode: code) != nil
            #expect(!(isOpcode && isRefused), "0x\(String(code, radix: 16))")
            accepted += isOpcode ? 1 : 0
            refused += isRefused ? 1 : 0
        }
        // 13 of control, 3 parametric, 7 of variables and tables, 25 of memory, 4 constants, 123 numeric, 5 sign
        // extensions, 3 references.
        #expect(accepted == 183)
        #expect(refused == 26)
        for number in UInt16(0)...17 { #expect(Opcode(rawValue: 0xFC00 | number) != nil) }
        for number in UInt16(18)...255 { #expect(Opcode(rawValue: 0xFC00 | number) == nil) }
    }

    @Test func namesAreUniqueButForSelect() {
        var seen: [String: Int] = [:]
        for opcode in Opcode.allCases { seen[opcode.name, default: 0] += 1 }
        #expect(seen.filter { $0.value > 1 } == ["select": 2])
    }

    @Test func onlyInstructionsWithoutPriceAreRefusedInCode() {
        for opcode in Opcode.allCases {
            let refused = opcode.row.refusedBy == .stackLimiter
            #expect(refused == [.refNull, .refIsNull, .refFunc, .selectTyped].contains(opcode), "\(opcode)")
            if opcode.row.gas == .refused { #expect(refused) }
        }
    }

    @Test func accessWidthsMatchTheNames() {
        for opcode in Opcode.allCases where opcode.row.immediates == .memoryArgument {
            let name = opcode.name
            let digits = name.split(separator: ".")[1].filter(\.isNumber)
            let bits = digits.isEmpty ? String(name.dropFirst().prefix(2)) : digits
            #expect(opcode.row.accessWidth == UInt32(bits).map { $0 / 8 }, "\(name)")
            #expect(opcode.row.extendsSign == name.hasSuffix("_s"), "\(name)")
        }
    }

    @Test func theTopmostOperandOfLinearInstructionsIsAnI32() {
        let linear: [GasClass] = [.memoryGrow, .memoryFill, .memoryCopy, .tableFill, .tableCopy]
        let found = Opcode.allCases.filter { linear.contains($0.row.gas) }
        #expect(found.count == 8)
        for opcode in found {
            // `table.grow` and `table.fill` are typed by rule: reference below, count on top.
            if let types = opcode.row.types { #expect(types.operands.last == .i32) }
        }
    }
}
