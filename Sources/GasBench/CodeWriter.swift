import GasSchedule
import Metering
import WasmFormat

/// Writes instructions of a function body and adds up, from the price list alone, what each is expected to cost. The
/// sum never looks at a metering plan, so that gas counted at run time proves how often instructions ran.
struct CodeWriter {
    private(set) var bytes: [UInt8] = []
    /// The instructions written on the path that runs, in order.
    private(set) var path: [Opcode] = []
    /// Milligas of the path.
    private(set) var milligas: UInt64 = 0
    private var isOnPath = true
    let prices: WasmPrices

    init(prices: WasmPrices) { self.prices = prices }

    /// Writes an instruction with the encoded immediates.
    mutating func op(_ opcode: Opcode, _ immediates: [UInt8] = []) {
        bytes += opcode.encoded + immediates
        guard isOnPath else { return }
        path.append(opcode)
        milligas += prices.base(of: opcode) ?? 0
    }

    /// An instruction with an index behind it: of a local, a global, a label, a segment.
    mutating func op(_ opcode: Opcode, _ index: Int) { op(opcode, WasmBytes.unsigned(index)) }

    mutating func i32(_ value: Int32) { op(.i32Const, WasmBytes.signed(Int64(value))) }

    mutating func i64(_ value: Int64) { op(.i64Const, WasmBytes.signed(value)) }

    /// A load or store at a static offset, without a promise about alignment.
    mutating func access(_ opcode: Opcode, offset: UInt32) { op(opcode, [0] + WasmBytes.unsigned(Int(offset))) }

    /// `block`, `loop` or `if` without results.
    mutating func open(_ opcode: Opcode) { op(opcode, [0x40]) }

    /// A call of a function that the module defines, and what the callee's body costs.
    mutating func call(_ function: Int, callee: UInt64) {
        let before = milligas
        op(.call, function)
        milligas = before + prices.guardedCall + callee
    }

    /// What runs beside what was written: units of a linear price, a callee's body.
    mutating func add(milligas more: UInt64) { milligas += more }

    /// Writes what another path takes that costs the same as the one written.
    mutating func otherPath(_ write: (inout CodeWriter) -> Void) {
        let before = isOnPath
        isOnPath = false
        write(&self)
        isOnPath = before
    }
}
