import Primitives

/// The reference's scan for links when a write buffer is flushed. It reads heads only, so it accepts much that is no
/// DAG-CBOR: heads longer than needed, any tag, any simple value, bytes after the item and after a link's CID.
public enum LinkScan {
    /// The links in the first item of `block`, in order.
    public static func links(_ block: [UInt8]) throws(CborError) -> [Cid] {
        var found: [Cid] = []
        var offset = 0
        // Items still to be read. The reference lets the sum wrap at 2^64: a map that claims 2^63 entries ends the scan.
        var remaining: UInt64 = 1
        while remaining > 0 {
            let start = offset
            let (major, argument) = try head(block, &offset)
            remaining -= 1
            switch major {
            case 2, 3:
                guard argument <= UInt64(block.count - offset) else { throw CborError(.truncated, at: start) }
                offset += Int(argument)
            case 4: remaining &+= argument
            case 5: remaining &+= argument &* 2
            case 6 where argument == 42:
                let (inner, length) = try head(block, &offset)
                guard inner == 2 else { throw CborError(.badLink("no byte string under tag 42"), at: start) }
                guard length <= UInt64(block.count - offset) else { throw CborError(.truncated, at: start) }
                let content = block[offset..<offset + Int(length)]
                guard content.first == 0 else { throw CborError(.badLink("string does not start with 0"), at: start) }
                var position = 1
                do { found.append(try Cid.read(content.span, at: &position)) } catch {
                    throw CborError(.badLink(error.description), at: start)
                }
                offset += Int(length)
            case 6: remaining &+= 1
            default: break
            }
        }
        return found
    }

    private static func head(
        _ block: [UInt8], _ offset: inout Int
    ) throws(CborError) -> (major: UInt8, argument: UInt64) {
        let start = offset
        guard start < block.count else { throw CborError(.truncated, at: start) }
        let byte = block[start]
        let low = byte & 0x1f
        let width: Int
        switch low {
        case 0..<24:
            offset = start + 1
            return (byte >> 5, UInt64(low))
        case 24: width = 1
        case 25: width = 2
        case 26: width = 4
        case 27: width = 8
        default: throw CborError(.unexpected(expected: "head", head: byte), at: start)
        }
        guard block.count - start > width else { throw CborError(.truncated, at: start) }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(block[start + index]) }
        offset = start + 1 + width
        return (byte >> 5, value)
    }
}
