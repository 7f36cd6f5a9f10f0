/// Codes that belong to a proposal the FVM's engine has switched off or was built without (ref-fvm
/// `engine/mod.rs`). A code that is neither here nor an `Opcode` does not exist: the binary is malformed.
enum RefusedCodes {
    /// The feature a code belongs to, or nil when no such instruction exists.
    static func feature(ofCode code: UInt8) -> StaticString? {
        switch code {
        case 0x06...0x0A, 0x18, 0x19, 0x1F: "exceptions"
        case 0x12, 0x13: "tail calls"
        case 0x14, 0x15, 0xD4...0xD6: "typed function references"
        case 0xD3, 0xFB: "garbage collection"
        case 0xE0...0xE6: "stack switching"
        case 0xFD: "SIMD"
        case 0xFE: "threads"
        default: nil
        }
    }

    /// The same for the number after a 0xFC prefix.
    static func feature(ofNumber number: UInt32) -> StaticString? {
        switch number {
        case 0x12: "memory control"
        case 0x13...0x16: "wide arithmetic"
        default: nil
        }
    }

    /// The same for a value type's byte.
    static func feature(ofType byte: UInt8) -> StaticString? {
        switch byte {
        case 0x7B: "SIMD"
        case 0x6F: "externref"
        case 0x63, 0x64: "typed function references"
        case 0x69, 0x74: "exceptions"
        case 0x6A...0x6E, 0x71...0x73: "garbage collection"
        case 0x68, 0x75: "stack switching"
        default: nil
        }
    }
}
