import Chain
import IPLD
import Machine
import Primitives

/// The receipts of a tipset as its child's headers name them (FVM chain layer 1.3).
public enum ReceiptList {
    /// `[exit code, return data, gas used, events root or null]`, as from network version 18 on.
    static func encode(_ receipt: Receipt) -> [UInt8] {
        var writer = CborWriter()
        writer.array(4)
        writer.unsigned(receipt.exitCode.rawValue)
        writer.byteString(receipt.returnData)
        writer.unsigned(receipt.gasUsed)
        if let root = receipt.eventsRoot { writer.link(root) } else { writer.null() }
        return writer.bytes
    }

    /// The list's root and blocks, the root's last.
    public static func list(_ receipts: [Receipt]) -> (root: Cid, blocks: [Car.Block]) {
        AmtVersion0.encode(receipts.map(encode))
    }

    /// Reads a list, where a file has it.
    public static func read(_ root: Cid, in store: any Blockstore) throws(ChainError) -> [Receipt] {
        var receipts: [Receipt] = []
        try AmtVersion0.forEach(root, in: store, what: "receipts") { (index, value) throws(ChainError) in
            guard index == UInt64(receipts.count) else {
                throw .malformed("receipts \(root): nothing has index \(receipts.count)")
            }
            do {
                var reader = CborReader(value)
                try reader.tuple(4)
                let code: UInt32 = try reader.unsigned()
                let data = try reader.byteString()
                let gas: UInt64 = try reader.unsigned()
                let events = try reader.null() ? nil : try reader.link()
                try reader.finish()
                receipts.append(
                    Receipt(exitCode: ExitCode(rawValue: code), returnData: data, gasUsed: gas, eventsRoot: events))
            } catch { throw .malformed("receipts \(root), index \(index): \(error)") }
        }
        return receipts
    }
}
