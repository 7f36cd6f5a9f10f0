/// RFC 4648 base32, lower case and without padding: the text of addresses and CIDs.
public enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    /// The text of `bytes`.
    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count * 8 + 4) / 5)
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = (buffer << 8 | UInt32(byte)) & 0xffff
            bits += 8
            while bits >= 5 {
                bits -= 5
                out.append(alphabet[Int(buffer >> bits & 31)])
            }
        }
        if bits > 0 { out.append(alphabet[Int(buffer << (5 - bits) & 31)]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes of `text`, or nil: a character outside the alphabet (upper case and padding too), a length no
    /// number of bytes has, or unused trailing bits that are not zero.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count * 5 / 8)
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for character in text {
            let digit: UInt32
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = UInt32(character - UInt8(ascii: "a"))
            case UInt8(ascii: "2")...UInt8(ascii: "7"): digit = UInt32(character - UInt8(ascii: "2")) + 26
            default: return nil
            }
            buffer = (buffer << 5 | digit) & 0xfff
            bits += 5
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
        }
        guard bits < 5, buffer & (1 << bits - 1) == 0 else { return nil }
        return out
    }
}

/// Base58 with the Bitcoin alphabet: the text of version 0 CIDs.
public enum Base58 {
    private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
    /// Work grows with the square of the length, so longer text is refused; a version 0 CID has 46 characters.
    public static let maxTextLength = 128

    /// The text of `bytes`.
    public static func encode(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        for byte in bytes {
            var carry = UInt32(byte)
            for index in digits.indices {
                carry += UInt32(digits[index]) << 8
                digits[index] = UInt8(carry % 58)
                carry /= 58
            }
            while carry > 0 {
                digits.append(UInt8(carry % 58))
                carry /= 58
            }
        }
        let zeros = bytes.prefix { $0 == 0 }.count
        let text = Array(repeating: alphabet[0], count: zeros) + digits.reversed().map { alphabet[Int($0)] }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text`, or nil for a character outside the alphabet or text above `maxTextLength`.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count <= maxTextLength else { return nil }
        var bytes: [UInt8] = []
        for character in text {
            guard let digit = alphabet.firstIndex(of: character) else { return nil }
            var carry = UInt32(digit)
            for index in bytes.indices {
                carry += UInt32(bytes[index]) * 58
                bytes[index] = UInt8(carry & 0xff)
                carry >>= 8
            }
            while carry > 0 {
                bytes.append(UInt8(carry & 0xff))
                carry >>= 8
            }
        }
        let zeros = text.prefix { $0 == alphabet[0] }.count
        return Array(repeating: 0, count: zeros) + bytes.reversed()
    }
}

/// RFC 4648 base64 with padding: binary fields of conformance vectors.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xff, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    /// The text of `bytes`.
    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let first = UInt32(bytes[index])
            let second = left > 1 ? UInt32(bytes[index + 1]) : 0
            let third = left > 2 ? UInt32(bytes[index + 2]) : 0
            let group = first << 16 | second << 8 | third
            out.append(alphabet[Int(group >> 18)])
            out.append(alphabet[Int(group >> 12 & 63)])
            out.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            out.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            index += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes of `text`, or nil: a character outside the alphabet (white space too), missing or misplaced
    /// padding, or unused bits that are not zero.
    public static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { (input: UnsafeBufferPointer<UInt8>) -> [UInt8]? in
            let count = input.count
            guard count % 4 == 0 else { return nil }
            guard count > 0 else { return [] }
            let padding = input[count - 1] != UInt8(ascii: "=") ? 0 : input[count - 2] != UInt8(ascii: "=") ? 1 : 2
            // Values of characters have six bits: higher ones are those of a character that is none.
            var seen: UInt32 = 0
            let table = values
            func value(_ index: Int) -> UInt32 {
                let value = UInt32(table[Int(input[index])])
                seen |= value
                return value
            }
            let groups = padding == 0 ? count / 4 : count / 4 - 1
            var left: UInt32 = 0
            let out = [UInt8](unsafeUninitializedCapacity: count / 4 * 3 - padding) { room, filled in
                // Sound: each group has four characters in the text and three bytes in the room; the last, when it is
                // padded, as many bytes less as there are paddings. All that is counted as filled was written.
                for index in 0..<groups {
                    let group =
                        value(4 * index) << 18 | value(4 * index + 1) << 12 | value(4 * index + 2) << 6
                        | value(4 * index + 3)
                    room[3 * index] = UInt8(truncatingIfNeeded: group >> 16)
                    room[3 * index + 1] = UInt8(truncatingIfNeeded: group >> 8)
                    room[3 * index + 2] = UInt8(truncatingIfNeeded: group)
                }
                if padding > 0 {
                    let third = padding == 1 ? value(4 * groups + 2) : 0
                    let group = value(4 * groups) << 18 | value(4 * groups + 1) << 12 | third << 6
                    room[3 * groups] = UInt8(truncatingIfNeeded: group >> 16)
                    if padding == 1 { room[3 * groups + 1] = UInt8(truncatingIfNeeded: group >> 8) }
                    left = padding == 1 ? group & 0xff : group & 0xffff
                }
                filled = count / 4 * 3 - padding
            }
            return seen < 64 && left == 0 ? out : nil
        }
    }
}

/// Lower-case hexadecimal text.
public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The text of `bytes`, two digits each.
    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes of `text` (either case), or nil for an odd length or another character.
    public static func decode(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                out.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? out : nil
    }
}
