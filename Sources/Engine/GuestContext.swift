/// A guest seen from inside an import handler: its memory and its gas counter, for the time of that call.
///
/// Not copyable, so that no view outlives the call: memory may grow or go away afterwards.
public struct GuestContext: ~Copyable {
    private let base: UnsafeMutablePointer<UInt8>?
    /// Bytes of linear memory.
    public let memorySize: UInt64
    private let counter: UnsafeMutablePointer<Int64>

    /// - Parameters: `base` addresses `memorySize` bytes that stay valid and unaliased by Swift code for the
    ///   time of the call; `counter` addresses the gas counter of the instance. Only engines make these.
    public init(base: UnsafeMutablePointer<UInt8>?, memorySize: UInt64, counter: UnsafeMutablePointer<Int64>) {
        self.base = base
        self.memorySize = base == nil ? 0 : memorySize
        self.counter = counter
    }

    /// The gas counter W in milligas.
    public var gasCounter: Int64 {
        get { counter.pointee }
        set { counter.pointee = newValue }
    }

    /// Whether `count` bytes at `offset` lie inside the memory (`offset == memorySize` with 0 bytes does).
    public func contains(offset: UInt32, count: UInt64) -> Bool {
        UInt64(offset) + count <= memorySize
    }

    /// The bytes at `offset`, copied, or nil when they are not all inside.
    public func read(offset: UInt32, count: UInt32) -> [UInt8]? {
        guard contains(offset: offset, count: UInt64(count)) else { return nil }
        // Sound: the range was just checked against the memory that `base` addresses.
        guard let base, count > 0 else { return [] }
        return Array(UnsafeBufferPointer(start: base + Int(offset), count: Int(count)))
    }

    /// Gives the bytes at `offset` to `body` without copying, or returns nil when they are not all inside.
    public func withBytes<R, E: Error>(
        offset: UInt32, count: UInt32, _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R? {
        guard contains(offset: offset, count: UInt64(count)) else { return nil }
        // Sound: the range was checked, and the span cannot leave `body`.
        let bytes = UnsafeBufferPointer(start: base.map { $0 + Int(offset) }, count: base == nil ? 0 : Int(count))
        return try body(bytes.span)
    }

    /// Copies `bytes` to `offset`; false, with nothing written, when they do not fit.
    public mutating func write(_ bytes: Span<UInt8>, offset: UInt32) -> Bool {
        guard contains(offset: offset, count: UInt64(bytes.count)) else { return false }
        guard let base, bytes.count > 0 else { return true }
        // Sound: the range was just checked; a span never overlaps guest memory outside `withBytes`.
        bytes.withUnsafeBufferPointer { (base + Int(offset)).update(from: $0.baseAddress!, count: $0.count) }
        return true
    }
}
