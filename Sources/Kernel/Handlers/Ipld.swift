import Crypto
import Engine
import GasSchedule
import IPLD
import Primitives

extension Kernel {
    // MARK: Opening

    /// Any block of the store.
    func ipldBlockOpenV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let cid = try arguments.cid(guest)
        try gas.charge(prices.onBlockOpenBase())
        let data = try storedBlock(cid)
        try gas.charge(prices.onBlockOpen(size: UInt64(data.count), links: 0))
        return try opened(Block(codec: cid.codec, data: data))
    }

    /// A block the actor can reach; what it links to can be reached afterwards.
    func ipldBlockOpenV4(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let cid = try arguments.cid(guest)
        try gas.charge(prices.onBlockOpenBase())
        try registry.requireReachable(cid)
        let data = try storedBlock(cid)
        calls.trace?.record(.ipld(.get, cid, size: UInt64(data.count)))
        let links = try scan(codec: cid.codec, data.span)
        try gas.charge(prices.onBlockOpen(size: UInt64(data.count), links: UInt64(links.count)))
        return try opened(Block(codec: cid.codec, data: data, links: links))
    }

    private func storedBlock(_ cid: Cid) throws(ExecutionError) -> [UInt8] {
        guard let data = try calls.readBlock(cid) else { throw .fatal("block \(cid.text) is not in the store") }
        return data
    }

    private func opened(_ block: Block) throws(ExecutionError) -> SyscallResult {
        let handle = try registry.insertReachable(block)
        return .value(.ipldOpen(codec: block.codec, handle: handle, size: block.data.count))
    }

    /// The links of a block, at the price of looking for them, which is taken also when the scan fails.
    private func scan(codec: UInt64, _ bytes: Span<UInt8>) throws(ExecutionError) -> [Cid] {
        let available = gas.available
        var scanner = LinkScanner(available: available, prices: prices)
        var failure: ExecutionError?
        do throws(ExecutionError) { try scanner.scan(codec: codec, bytes) } catch { failure = error }
        try gas.charge(prices.onScanIpldLinks(used: available - scanner.remaining))
        if let failure { throw failure }
        return scanner.links
    }

    // MARK: Creating

    /// The codec is looked at when the block has been paid for.
    func ipldBlockCreateV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let codec = try arguments.u64()
        let range = try blockToCreate(&arguments, guest)
        try gas.charge(prices.onBlockCreate(size: UInt64(range.length), links: 0))
        return .number(try registry.insertCreated(Block(codec: codec, data: guest.bytes(range))))
    }

    /// The codec is looked at first, and links must lead to what the actor can reach.
    func ipldBlockCreateV4(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let codec = try arguments.u64()
        let range = try blockToCreate(&arguments, guest)
        try BlockRegistry.checkCodec(codec)
        let links = try guest.withBytes(range) { (bytes) throws(ExecutionError) in
            try scan(codec: codec, bytes)
        }
        try gas.charge(prices.onBlockCreate(size: UInt64(range.length), links: UInt64(links.count)))
        return .number(try registry.insertCreated(Block(codec: codec, data: guest.bytes(range), links: links)))
    }

    private func blockToCreate(
        _ arguments: inout Arguments, _ guest: borrowing GuestContext
    ) throws(ExecutionError) -> GuestRange {
        let range = try arguments.input(guest)
        let limit = network.profile.limits.blockSize
        guard UInt64(range.length) <= limit else {
            throw .syscall(.limitExceeded, "a block of \(range.length) bytes, limit \(limit)")
        }
        return range
    }

    // MARK: Reading

    func ipldBlockRead(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let handle = try arguments.u32()
        let offset = UInt64(try arguments.u32())
        let buffer = try arguments.output(guest)
        let end = offset + UInt64(buffer.length)
        guard end <= UInt64(Int32.max) else {
            throw .syscall(.illegalArgument, "offset \(offset) + \(buffer.length) bytes exceed 2^31 − 1")
        }
        let block = try registry.block(handle)
        let size = UInt64(block.data.count)
        let count = min(size.subtractingSaturating(offset), UInt64(buffer.length))
        try gas.charge(prices.onBlockRead(size: count))
        if count > 0 {
            let start = Int(offset)
            guard guest.write(block.data.span.extracting(start..<start + Int(count)), offset: buffer.offset) else {
                throw .syscall(.illegalArgument, "the buffer at 0x\(hex(buffer.offset)) is not in memory")
            }
        }
        // Negative when the buffer reaches past the block.
        return .number(Int32(clamping: Int64(size) - Int64(end)))
    }

    func ipldBlockStat(_ arguments: inout Arguments) throws(ExecutionError) -> SyscallResult {
        let handle = try arguments.u32()
        try gas.charge(prices.onBlockStat())
        let block = try registry.block(handle)
        return .value(.ipldStat(codec: block.codec, size: block.data.count))
    }

    // MARK: Linking

    func ipldBlockLinkV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        try link(&arguments, &guest) { (_, _) in }
    }

    /// The new CID can be reached from now on.
    func ipldBlockLinkV4(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        try link(&arguments, &guest) { (cid, size) in
            registry.makeReachable(cid)
            calls.trace?.record(.ipld(.put, cid, size: UInt64(size)))
        }
    }

    private func link(
        _ arguments: inout Arguments, _ guest: inout GuestContext, _ stored: (_ cid: Cid, _ size: Int) -> Void
    ) throws(ExecutionError) -> SyscallResult {
        let handle = try arguments.u32()
        let code = try arguments.u64()
        let length = try arguments.u32()
        let buffer = try arguments.output(guest)
        guard code == HashFunction.blake2b256.rawValue, length == 32 else {
            throw .syscall(
                .illegalCid, "hash 0x\(String(code, radix: 16)) of \(length) bytes, only blake2b-256 of 32 links blocks"
            )
        }
        let block = try registry.block(handle)
        try gas.charge(prices.onBlockLink(.blake2b256, size: UInt64(block.data.count)))
        let cid = Cid.blake2b256(codec: block.codec, data: block.data)
        try calls.writeBlock(cid, block.data)
        stored(cid, block.data.count)
        return .number(try guest.write(cid.bytes, to: buffer, "the block's CID"))
    }
}
