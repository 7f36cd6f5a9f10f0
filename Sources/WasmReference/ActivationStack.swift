import Engine
import Glibc
import Metering

/// Memory from the C heap, zeroed, whose exhaustion is an error and not a crash.
enum ZeroedBytes {
    static func allocate(_ size: UInt64) throws(EngineError) -> UnsafeMutablePointer<UInt8> {
        guard let pointer = calloc(max(1, Int(clamping: size)), 1) else {
            throw .outOfMemory("interpreter: \(size) bytes")
        }
        return pointer.assumingMemoryBound(to: UInt8.self)
    }

    /// Grows `bytes`, which may move, and zeroes what is new.
    static func extend(
        _ bytes: UnsafeMutablePointer<UInt8>, from old: UInt64, to new: UInt64
    ) throws(EngineError) -> UnsafeMutablePointer<UInt8> {
        guard let pointer = realloc(bytes, Int(clamping: new)) else {
            throw .outOfMemory("interpreter: \(new) bytes")
        }
        memset(pointer + Int(old), 0, Int(new - old))
        return pointer.assumingMemoryBound(to: UInt8.self)
    }

    static func free(_ bytes: UnsafeMutablePointer<UInt8>) { Glibc.free(bytes) }
}

/// What a return goes back to.
struct Frame {
    var pc: UnsafePointer<Op>
    var locals: UnsafeMutablePointer<UInt64>
    var context: UnsafeMutablePointer<InstanceContext>
    /// By how much the stack height was raised for the call.
    var cost: UInt32
    /// The callee's reserve.
    var reserve: UInt32
    /// The callee's number by `EntryCounts`; 0 where nobody counts.
    var entry: UInt32
}

/// Values and frames of all activations of a store: guest recursion never uses the host's stack. There is room for
/// whatever reserves allow: a function's reserve has eight bytes for each slot of its frame, and no less than
/// `leastReserve` in all.
final class ActivationStack {
    let values: UnsafeMutablePointer<UInt64>
    let valuesEnd: UnsafeMutablePointer<UInt64>
    private let mappedBytes: Int
    let frames: UnsafeMutablePointer<Frame>
    let framesEnd: UnsafeMutablePointer<Frame>
    /// Where the next entry from the host begins; above zero while a host function runs.
    var valueTop: UnsafeMutablePointer<UInt64>
    var frameTop: UnsafeMutablePointer<Frame>
    /// What the outermost frame returns to.
    let halt: UnsafeMutablePointer<Op>

    private static let leastReserve: UInt64 = 256

    init() throws(EngineError) {
        // And once more: arguments of entries, and entries from host functions.
        let slots = 2 * Int(StackReserve.budget) / MemoryLayout<UInt64>.stride
        let frameCount = 2 * Int(StackReserve.budget / Self.leastReserve)
        // Mapped, not from the heap: up to 1,024 stacks live at once, and only what is used may take memory.
        // Sound: fresh pages, aligned for any type.
        let bytes = slots * MemoryLayout<UInt64>.stride
        guard let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            mapped != MAP_FAILED
        else { throw .outOfMemory("interpreter: \(bytes) bytes") }
        mappedBytes = bytes
        values = mapped.bindMemory(to: UInt64.self, capacity: slots)
        valuesEnd = values + slots
        frames = .allocate(capacity: frameCount)
        framesEnd = frames + frameCount
        valueTop = values
        frameTop = frames
        halt = .allocate(capacity: 1)
        halt.initialize(to: Op(.halt))
    }

    deinit {
        munmap(values, mappedBytes)
        frames.deallocate()
        halt.deallocate()
    }
}
