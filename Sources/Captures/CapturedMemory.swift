import Glibc
import WasmReference

/// A part of a memory, shared by all states in which it looks the same; two parts are the same when they are one object.
public final class MemoryPage: Sendable {
    public static let size = GuestWatch.pageSize
    public let bytes: [UInt8]

    /// Nothing was ever written to it.
    public static let zero = MemoryPage([UInt8](repeating: 0, count: size))

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether it has these bytes.
    func holds(_ other: Span<UInt8>) -> Bool {
        guard bytes.count == other.count else { return false }
        // Sound: both have that many bytes, for the time of the call.
        return bytes.withUnsafeBufferPointer { own in
            other.withUnsafeBufferPointer { other in
                guard let own = own.baseAddress, let start = other.baseAddress else { return true }
                return memcmp(own, start, other.count) == 0
            }
        }
    }
}

/// A memory as it once was.
public struct CapturedMemory: Sendable {
    /// Of `MemoryPage.size` bytes each.
    public let pages: [MemoryPage]

    public var byteCount: UInt64 { UInt64(pages.count * MemoryPage.size) }

    /// The word at an address, little-endian; nil when it is not inside.
    public func word(at address: UInt32) -> UInt32? {
        guard UInt64(address) + 4 <= byteCount else { return nil }
        var word: UInt32 = 0
        for index in 0..<4 {
            let place = Int(address) + index
            word |= UInt32(pages[place / MemoryPage.size].bytes[place % MemoryPage.size]) << (8 * index)
        }
        return word
    }
}

/// Finds what states have in common. Used on one thread.
public final class MemoryPool {
    private var byHash: [UInt64: [MemoryPage]] = [:]
    private var latest: [MemoryPage] = []
    /// Bytes of all different pages.
    public private(set) var byteCount = 0

    public init() {}

    /// A copy of a memory, whose size is a multiple of a page's.
    public func capture(_ memory: Span<UInt8>) -> CapturedMemory {
        var pages: [MemoryPage] = []
        pages.reserveCapacity(memory.count / MemoryPage.size)
        for index in 0..<memory.count / MemoryPage.size {
            let start = index * MemoryPage.size
            let bytes = memory.extracting(start..<start + MemoryPage.size)
            // Mostly little has changed since the last time.
            if index < latest.count, latest[index].holds(bytes) {
                pages.append(latest[index])
            } else {
                pages.append(page(bytes))
            }
        }
        latest = pages
        return CapturedMemory(pages: pages)
    }

    private func page(_ bytes: Span<UInt8>) -> MemoryPage {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
        if let known = byHash[hash]?.first(where: { $0.holds(bytes) }) { return known }
        let page = MemoryPage(
            [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
                // Sound: the buffer has room for that many bytes, and all of them are set.
                count = bytes.withUnsafeBufferPointer { buffer.initialize(fromContentsOf: $0) }
            })
        byHash[hash, default: []].append(page)
        byteCount += bytes.count
        return page
    }
}
