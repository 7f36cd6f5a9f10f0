// Counts primes, in Embedded Swift: plenty of memory and arithmetic, few syscalls.
//
// Method 2 reads a little-endian 32-bit bound from the parameters (4 raw bytes) and returns the number of
// primes below it in the same form. Any other method ends with exit code 22, wrong parameters with 16.

@_extern(wasm, module: "vm", name: "message_context") @_extern(c)
func messageContext(_ out: UnsafeMutableRawPointer) -> UInt32
@_extern(wasm, module: "vm", name: "exit") @_extern(c)
func exitActor(_ code: UInt32, _ block: UInt32, _ text: UnsafeRawPointer?, _ length: UInt32) -> UInt32
@_extern(wasm, module: "ipld", name: "block_create") @_extern(c)
func blockCreate(_ out: UnsafeMutableRawPointer, _ codec: UInt64, _ data: UnsafeRawPointer, _ length: UInt32) -> UInt32
@_extern(wasm, module: "ipld", name: "block_read") @_extern(c)
func blockRead(
    _ out: UnsafeMutableRawPointer, _ id: UInt32, _ offset: UInt32, _ to: UnsafeMutableRawPointer, _ length: UInt32
) -> UInt32

/// Bounds above this are refused with exit code 16; the sieve is one byte a number.
let largestBound: UInt32 = 1_000_000

/// The primes below `bound`, counted with the sieve of Eratosthenes.
func countPrimes(below bound: UInt32) -> UInt32 {
    guard bound > 2 else { return 0 }
    let composite = UnsafeMutablePointer<Bool>.allocate(capacity: Int(bound))
    composite.initialize(repeating: false, count: Int(bound))
    var count: UInt32 = 0
    var candidate: UInt32 = 2
    while candidate < bound {
        if !composite[Int(candidate)] {
            count &+= 1
            var multiple = UInt64(candidate) &* UInt64(candidate)
            while multiple < UInt64(bound) {
                composite[Int(multiple)] = true
                multiple &+= UInt64(candidate)
            }
        }
        candidate &+= 1
    }
    composite.deallocate()
    return count
}

@_cdecl("invoke")
@_expose(wasm, "invoke")
public func invoke(_ parameters: UInt32) -> UInt32 {
    return withUnsafeTemporaryAllocation(byteCount: 96, alignment: 8) { scratch in
        let base = scratch.baseAddress!
        _ = messageContext(base)
        guard base.load(fromByteOffset: 32, as: UInt64.self) == 2 else {
            _ = exitActor(22, 0, nil, 0)
            return 0
        }
        // block_read answers how many bytes the block is longer than the buffer: 0 means exactly 4.
        let failed = parameters == 0 || blockRead(base + 80, parameters, 0, base + 88, 4) != 0
        let bound = base.load(fromByteOffset: 88, as: UInt32.self)
        guard !failed, base.load(fromByteOffset: 80, as: Int32.self) == 0, bound <= largestBound else {
            _ = exitActor(16, 0, nil, 0)
            return 0
        }
        base.storeBytes(of: countPrimes(below: bound), toByteOffset: 88, as: UInt32.self)
        _ = blockCreate(base + 80, 0x55, base + 88, 4)
        return base.load(fromByteOffset: 80, as: UInt32.self)
    }
}
