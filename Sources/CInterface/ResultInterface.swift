import CSmelt
import IPLD
import Kernel
import Machine
import Primitives

/// What came of one message, in bytes that stay where they are.
final class ResultHandle: Handle {
    let receipt: smelt_receipt
    let failure: PinnedBytes
    let events: PinnedBytes
    let trace: PinnedBytes
    private let returned: PinnedBytes
    private let eventsRoot: PinnedBytes

    init(_ result: ApplyResult, trace: [UInt8]) throws(Failure) {
        failure = PinnedBytes((result.failure?.description ?? "").utf8)
        events = PinnedBytes(result.events.isEmpty ? [] : EventsRoot.list(result.events))
        self.trace = PinnedBytes(trace)
        returned = PinnedBytes(result.receipt.returnData)
        eventsRoot = PinnedBytes(result.receipt.eventsRoot?.bytes ?? [])
        let gas = result.gas
        receipt = smelt_receipt(
            size: MemoryLayout<smelt_receipt>.size, exit_code: result.receipt.exitCode.rawValue,
            gas_used: result.receipt.gasUsed, return_data: returned.borrowed, return_codec: result.returnCodec ?? 0,
            events_root: eventsRoot.borrowed, gas_refund: gas.gasRefund, gas_burned: gas.gasBurned,
            penalty: try smelt_amount(gas.minerPenalty, "penalty"),
            miner_tip: try smelt_amount(gas.minerTip, "miner tip"),
            base_fee_burn: try smelt_amount(gas.baseFeeBurn, "base fee burn"),
            over_estimation_burn: try smelt_amount(gas.overEstimationBurn, "overestimation burn"),
            refund: try smelt_amount(gas.refund, "refund"))
    }
}

extension smelt_amount {
    /// - Throws: for an amount that is negative or takes more than 128 bits, which no amount of FIL there is does.
    init(_ amount: TokenAmount, _ name: String) throws(Failure) {
        // A sign, then the magnitude in big-endian order; nothing for zero.
        guard !amount.isNegative, let bytes = try? amount.cborBytes, bytes.count <= 17 else {
            throw Failure(SMELT_HOST_FAULT, "\(name) of \(amount.decimal) attoFIL does not fit 128 bits")
        }
        var value: UInt128 = 0
        for byte in bytes.dropFirst() { value = value << 8 | UInt128(byte) }
        self.init(low: UInt64(truncatingIfNeeded: value), high: UInt64(truncatingIfNeeded: value >> 64))
    }

    var amount: TokenAmount { TokenAmount(hi: high, lo: low) }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_result_receipt(_ result: OpaquePointer!, _ receipt: UnsafeMutablePointer<smelt_receipt>!) -> Int32 {
    guard let result, let receipt else { return SMELT_MISUSE.rawValue }
    let size = receipt.withMemoryRebound(to: Int.self, capacity: 1) { $0.pointee }
    guard size >= MemoryLayout<Int>.size else { return SMELT_MISUSE.rawValue }
    var whole = ResultHandle.behind(result).receipt
    whole.size = size
    withUnsafeBytes(of: &whole) { bytes in
        // Sound: the caller says how large the structure is that he has.
        UnsafeMutableRawPointer(receipt).copyMemory(from: bytes.baseAddress!, byteCount: min(size, bytes.count))
    }
    return SMELT_OK.rawValue
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_result_failure(_ result: OpaquePointer!) -> smelt_bytes {
    result.map { ResultHandle.behind($0).failure.borrowed } ?? smelt_bytes()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_result_events(_ result: OpaquePointer!) -> smelt_bytes {
    result.map { ResultHandle.behind($0).events.borrowed } ?? smelt_bytes()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_result_trace(_ result: OpaquePointer!) -> smelt_bytes {
    result.map { ResultHandle.behind($0).trace.borrowed } ?? smelt_bytes()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_result_free(_ result: OpaquePointer!) { ResultHandle.giveBack(result) }
