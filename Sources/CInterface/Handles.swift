import CSmelt

/// An object that a program in another language holds: a reference that it gives back by `free`.
protocol Handle: AnyObject {}

extension Handle {
    /// A reference for the other side.
    func handedOut() -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

    /// The object behind a reference that `handedOut` made and nobody gave back.
    static func behind(_ pointer: OpaquePointer) -> Self {
        Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    /// Takes a reference back.
    static func giveBack(_ pointer: OpaquePointer?) {
        guard let pointer else { return }
        Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).release()
    }
}

/// Bytes whose place stays the same as long as the object lives.
///
/// Sound to share: nobody writes them after they are made.
final class PinnedBytes: @unchecked Sendable {
    private let start: UnsafeMutablePointer<UInt8>
    private let count: Int

    /// With a zero behind them, so that text is a C string.
    init(_ bytes: some Collection<UInt8>) {
        count = bytes.count
        start = .allocate(capacity: count + 1)
        _ = UnsafeMutableBufferPointer(start: start, count: count).initialize(fromContentsOf: bytes)
        (start + count).initialize(to: 0)
    }

    convenience init(_ bytes: Span<UInt8>) {
        self.init(bytes.withUnsafeBufferPointer { Array($0) })
    }

    deinit { start.deallocate() }

    var borrowed: smelt_bytes { smelt_bytes(data: UnsafePointer(start), length: count) }
    var text: UnsafePointer<CChar> {
        UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self)
    }
}

extension smelt_bytes {
    /// A copy.
    var array: [UInt8] {
        guard let data, length > 0 else { return [] }
        // Sound: the caller vouches for `length` bytes until the call returns.
        return Array(UnsafeBufferPointer(start: data, count: length))
    }
}

/// Gives bytes to a callback for the time of its call.
func withBorrowed<R>(_ bytes: [UInt8], _ body: (smelt_bytes) -> R) -> R {
    bytes.withUnsafeBufferPointer { body(smelt_bytes(data: $0.baseAddress, length: $0.count)) }
}

/// What a callback hands out, or a function fills.
final class Buffer: Handle {
    private static let largest = 1 << 30
    private(set) var bytes: [UInt8] = []
    private var pinned: PinnedBytes?

    func set(_ more: [UInt8]) {
        bytes = more
        pinned = nil
    }

    func set(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
        guard count <= Self.largest, data != nil || count == 0 else { return false }
        set(smelt_bytes(data: data, length: count).array)
        return true
    }

    var borrowed: smelt_bytes {
        let known = pinned ?? PinnedBytes(bytes)
        pinned = known
        return known.borrowed
    }

    /// Runs `body` with a reference to a new buffer and gives what was put into it.
    static func filled(_ body: (OpaquePointer) -> Int32) -> (status: Int32, bytes: [UInt8]) {
        let buffer = Buffer()
        // Sound: alive until after the call, and nobody keeps a reference by the header's word.
        let status = withExtendedLifetime(buffer) {
            body(OpaquePointer(Unmanaged.passUnretained(buffer).toOpaque()))
        }
        return (status, buffer.bytes)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_buffer_new() -> OpaquePointer! { Buffer().handedOut() }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_buffer_set(_ buffer: OpaquePointer!, _ data: UnsafePointer<UInt8>!, _ length: Int) -> Int32 {
    guard let buffer, Buffer.behind(buffer).set(data, length) else { return SMELT_MISUSE.rawValue }
    return SMELT_OK.rawValue
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_buffer_bytes(_ buffer: OpaquePointer!) -> smelt_bytes {
    guard let buffer else { return smelt_bytes() }
    return Buffer.behind(buffer).borrowed
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_buffer_free(_ buffer: OpaquePointer!) { Buffer.giveBack(buffer) }
