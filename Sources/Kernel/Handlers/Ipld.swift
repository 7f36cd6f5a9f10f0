import Crypto
import Engine
import GasSchedule
import Primitives

extension Kernel {
    func ipldBlockOpen(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let cid = try guest.cid(arguments, 0)
        try gas.charge(prices.onBlockOpenBase())
        guard let data = try calls.readBlock(cid) else { throw .fatal("block \(cid.text) is not in the store") }
        try gas.charge(prices.onBlockOpen(size: UInt64(data.count), links: 0))
        let handle = try registry.insert(Block(codec: cid.codec, data: data))
        var result = ResultBytes()
        result.append(cid.codec)
        result.append(handle)
        result.append(UInt32(clamping: data.count))
        return .value(result)
    }

    func ipldBlockCreate(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult
    {
        let range = try guest.range(arguments, 1)
        let limit = network.profile.limits.blockSize
        guard UInt64(range.length) <= limit else {
            throw .syscall(.limitExceeded, "a block of \(range.length) bytes, limit \(limit)")
        }
        try gas.charge(prices.onBlockCreate(size: UInt64(range.length), links: 0))
        return .number(try registry.insert(Block(codec: arguments[0], data: guest.bytes(range))))
    }

    func ipldBlockRead(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let offset = UInt64(arguments.u32(1))
        let buffer = try guest.range(arguments, 2)
        let end = offset + UInt64(buffer.length)
        guard end <= UInt64(Int32.max) else {
            throw .syscall(.illegalArgument, "offset \(offset) + \(buffer.length) bytes exceed 2^31 − 1")
        }
        let block = try registry.block(arguments.u32(0))
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

    func ipldBlockStat(_ arguments: Span<UInt64>) throws(ExecutionError) -> SyscallResult {
        try gas.charge(prices.onBlockStat())
        let block = try registry.block(arguments.u32(0))
        var result = ResultBytes()
        result.append(block.codec)
        result.append(UInt32(clamping: block.data.count))
        return .value(result)
    }

    func ipldBlockLink(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let code = arguments[1]
        let length = arguments.u32(2)
        let buffer = try guest.range(arguments, 3)
        guard code == HashFunction.blake2b256.rawValue, length == 32 else {
            throw .syscall(
                .illegalCid, "hash 0x\(String(code, radix: 16)) of \(length) bytes, only blake2b-256 of 32 links blocks"
            )
        }
        let block = try registry.block(arguments.u32(0))
        try gas.charge(prices.onBlockLink(.blake2b256, size: UInt64(block.data.count)))
        let cid = Cid.blake2b256(codec: block.codec, data: block.data)
        try calls.writeBlock(cid, block.data)
        return .number(try guest.write(cid.bytes, to: buffer, "the block's CID"))
    }
}
