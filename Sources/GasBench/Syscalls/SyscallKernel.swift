import Crypto
import GasSchedule
import IPLD
import Primitives
import Syscalls
import WasmFormat

/// A loop of one syscall with one class of arguments, in an actor that messages run.
struct SyscallKernel: Sendable {
    /// The syscall under test.
    let row: SyscallRow
    /// The class of arguments, such as `1024 bytes`; empty where there is one only.
    let operands: String
    /// Which actor runs it.
    let receiver: UInt64
    /// Most calls that one message may make: handles, memory and blocks end somewhere.
    let most: UInt64
    /// Written once, in front of the loop; syscalls may be made.
    let before: @Sendable (inout SyscallCode) -> Void
    /// Writes one call; the number that says how it ended is left on the stack.
    let step: @Sendable (inout SyscallCode) -> Void

    /// `crypto::hash, blake2b-256, 1024 bytes`
    var title: String { row.title + (operands.isEmpty ? "" : ", \(operands)") }

    init(
        _ row: SyscallRow, _ operands: String = "", receiver: UInt64 = SyscallState.actor, most: UInt64 = 4_096,
        before: @escaping @Sendable (inout SyscallCode) -> Void = { _ in },
        step: @escaping @Sendable (inout SyscallCode) -> Void
    ) {
        self.row = row
        self.operands = operands
        self.receiver = receiver
        self.most = most
        self.before = before
        self.step = step
    }
}

/// Writes a function of the actor: instructions, and calls of syscalls by name.
struct SyscallCode {
    var code = CodeWriter(prices: .fvm)
    let syscalls: SyscallSet
    let imports: [SyscallRow]

    /// Locals of a kernel's function: calls that are left, a number that differs in each.
    static let count = 0
    static let number = 1

    /// Calls a syscall whose arguments are on the stack.
    mutating func call(_ row: SyscallRow) {
        code.op(.call, imports.firstIndex(of: row) ?? 0)
    }

    /// The address of what a syscall returns, then constant arguments.
    mutating func arguments(_ row: SyscallRow, _ values: [Int64]) {
        if row.result != .none { code.i32(SyscallMemory.result) }
        for (type, value) in zip(row.parameters.flatMap(\.types), values) {
            if type == .i64 { code.i64(value) } else { code.i32(Int32(truncatingIfNeeded: value)) }
        }
    }

    mutating func load(_ address: Int32) {
        code.i32(address)
        code.access(.i32Load, offset: 0)
    }
}

/// Where things lie in the actor's memory.
enum SyscallMemory {
    static let result: Int32 = 0
    /// Where syscalls write.
    static let output: Int32 = 0x1000
    /// A handle that was opened before a loop.
    static let handle: Int32 = 0x0F00
    /// Constants, from here on.
    static let constants: Int32 = 0x2000
    /// Bytes to hash, to keep and to log.
    static let payload: Int32 = 0x20_0000
    static let pages = 64
}

/// The syscalls of a generation with classes of arguments.
struct SyscallTable {
    let kernels: [SyscallKernel]
    /// Syscalls without a row, and why.
    let unmeasured: [(syscall: String, reason: String)]

    private static let answered = "the node's proof verifier answers, not the machine"
    private static let reasons: [String: String] = [
        "vm::exit": "ends the invocation; stands in the rows of send::send",
        "self::self_destruct": "deletes the actor that calls it",
        "crypto::verify_post": answered, "crypto::verify_aggregate_seals": answered,
        "crypto::verify_replica_update": answered, "crypto::batch_verify_seals": answered,
        "crypto::verify_consensus_fault": "the node answers, not the machine",
    ]

    init(_ syscalls: SyscallSet, _ state: SyscallState) {
        let kernels = syscalls.rows.flatMap { SyscallTable.kernels($0, state) }
        self.kernels = kernels
        unmeasured = syscalls.rows.filter { row in !kernels.contains { $0.row == row } }.map {
            ($0.title, SyscallTable.reasons[$0.title] ?? "no kernel")
        }
    }

    private static let sizes = [0, 64, 1_024, 65_536, 1_048_576]
    private static let outputSize: Int64 = 128

    private static func kernels(_ row: SyscallRow, _ state: SyscallState) -> [SyscallKernel] {
        let out = Int64(SyscallMemory.output)
        let opensRoot: @Sendable (inout SyscallCode) -> Void = { opened(&$0, state.root) }
        /// One row whose arguments are constants.
        func plain(_ operands: String = "", most: UInt64 = 4_096, with values: [Int64]) -> SyscallKernel {
            SyscallKernel(row, operands, most: most) { code in
                code.arguments(row, values)
                code.call(row)
            }
        }
        @Sendable func place(_ name: SyscallState.Constant) -> (at: Int64, size: Int64) { state.place(name) }
        let payload = Int64(SyscallMemory.payload)
        /// One row for each size of a payload.
        func sized(_ sizes: [Int] = sizes, _ values: (Int64) -> [Int64]) -> [SyscallKernel] {
            sizes.map { size in
                plain(
                    "\(size) bytes", most: UInt64(max(8, min(4_096, 16_777_216 / (size + 1)))),
                    with: values(Int64(size)))
            }
        }
        switch row.title {
        case "vm::message_context", "network::context", "network::total_fil_circ_supply", "self::current_balance",
            "gas::available", "debug::enabled":
            return [plain(with: [])]
        case "network::tipset_cid":
            return [plain("answered", with: [SyscallState.epoch - 1, out, outputSize])]
        case "rand::get_chain_randomness", "rand::get_beacon_randomness":
            let values =
                row.parameters.count == 1 ? [SyscallState.epoch - 1] : [1, SyscallState.epoch - 1, payload, 32]
            return [plain("answered", with: values)]
        case "ipld::block_open":
            return state.blocks.enumerated().map { index, block in
                SyscallKernel(row, "\(block.size) bytes", most: 256, before: { opened(&$0, state.root) }) { code in
                    code.arguments(row, [place(.block(index)).at])
                    code.call(row)
                }
            }
        case "ipld::block_create":
            return sized { [Int64(Cid.raw), payload, $0] }
        case "ipld::block_read":
            return state.blocks.enumerated().map { index, block in
                SyscallKernel(
                    row, "\(block.size) bytes", most: 1_024,
                    before: {
                        opened(&$0, state.root)
                        opened(&$0, place(.block(index)).at)
                    }
                ) { code in
                    code.code.i32(SyscallMemory.result)
                    code.load(SyscallMemory.handle)
                    code.code.i32(0)
                    code.code.i32(SyscallMemory.payload)
                    code.code.i32(Int32(block.size))
                    code.call(row)
                }
            }
        case "ipld::block_stat":
            return [
                SyscallKernel(row, before: opensRoot) { code in
                    code.code.i32(SyscallMemory.result)
                    code.load(SyscallMemory.handle)
                    code.call(row)
                }
            ]
        case "ipld::block_link":
            return [0, 64, 1_024, 65_536].map { size in
                SyscallKernel(row, "\(size) bytes, created by it", most: 128) { code in
                    // A block of its own for each link, told apart by its first bytes.
                    guard let create = code.syscalls.rows.first(where: { $0.title == "ipld::block_create" }) else {
                        return
                    }
                    code.code.i32(SyscallMemory.payload)
                    code.code.op(.localGet, SyscallCode.number)
                    code.code.access(.i32Store, offset: 0)
                    code.arguments(create, [Int64(Cid.raw), payload, Int64(size)])
                    code.call(create)
                    code.code.i32(SyscallMemory.output + 256)
                    code.load(SyscallMemory.result)
                    code.code.i64(0xB220)
                    code.code.i32(32)
                    code.code.i32(SyscallMemory.output)
                    code.code.i32(Int32(outputSize))
                    code.call(row)
                    code.code.op(.i32Or)
                }
            }
        case "self::root": return [plain(with: [out, outputSize])]
        case "self::set_root":
            return [
                SyscallKernel(row, before: opensRoot) { code in
                    code.arguments(row, [place(.root).at])
                    code.call(row)
                }
            ]
        case "actor::resolve_address":
            return [
                plain("id", with: [place(.idAddress).at, place(.idAddress).size]),
                plain("key", with: [place(.keyAddress).at, place(.keyAddress).size]),
            ]
        case "actor::lookup_delegated_address", "actor::get_actor_code_cid":
            return [plain(with: [Int64(SyscallState.delegated), out, outputSize])]
        case "actor::balance_of": return [plain(with: [Int64(SyscallState.delegated)])]
        case "actor::next_actor_address": return [plain(with: [out, outputSize])]
        case "actor::create_actor":
            return [
                SyscallKernel(row, receiver: SyscallState.initActor) { code in
                    code.code.op(.localGet, SyscallCode.number)
                    code.code.op(.i64ExtendI32U)
                    code.code.i64(1 << 32)
                    code.code.op(.i64Add)
                    code.code.i32(Int32(place(.builtin).at))
                    code.code.i32(0)
                    code.code.i32(0)
                    code.call(row)
                }
            ]
        case "actor::get_builtin_actor_type": return [plain(with: [place(.builtin).at])]
        case "actor::get_code_cid_for_type": return [plain(with: [1, out, outputSize])]
        case "crypto::verify_signature":
            let (key, signature) = (place(.keyAddress), place(.signature))
            let (blsKey, blsSignature) = (place(.blsAddress), place(.blsSignature))
            let text = place(.text)
            return [
                plain(
                    "secp256k1", most: 64,
                    with: [1, signature.at, signature.size, key.at, key.size, text.at, text.size]),
                plain(
                    "BLS, wrong signature", most: 8,
                    with: [2, blsSignature.at, blsSignature.size, blsKey.at, blsKey.size, text.at, text.size]),
            ]
        case "crypto::recover_secp_public_key":
            return [plain(most: 64, with: [place(.digest).at, place(.signature).at])]
        case "crypto::hash":
            return SyscallTable.hashes.flatMap { name, code in
                sized { [code, payload, $0, out, outputSize] }.map { kernel in
                    SyscallKernel(row, "\(name), \(kernel.operands)", most: kernel.most, step: kernel.step)
                }
            }
        case "crypto::compute_unsealed_sector_cid":
            return [
                plain(
                    "no pieces, 32 GiB", most: 64,
                    with: [8, place(.noPieces).at, place(.noPieces).size, out, outputSize])
            ]
        case "crypto::verify_bls_aggregate":
            let (key, signature, text, length) = (
                place(.blsKey), place(.blsSignature), place(.text), place(.textLength)
            )
            return [plain("1 key, wrong signature", most: 8, with: [1, signature.at, key.at, text.at, length.at])]
        case "event::emit_event":
            guard row.parameters.count == 3 else {
                return [plain(most: 256, with: [place(.eventV3).at, place(.eventV3).size])]
            }
            return [
                plain("no entries", most: 256, with: [place(.entries).at, 0, place(.text).at, 0, payload, 0]),
                plain(
                    "1 entry, 8192 bytes", most: 256, with: [place(.entries).at, 1, place(.text).at, 4, payload, 8_192]),
            ]
        case "gas::charge": return [plain(with: [place(.text).at, 4, 0])]
        case "debug::log": return [plain("debugging off", with: [place(.text).at, 4])]
        case "debug::store_artifact":
            return [plain("debugging off", with: [place(.text).at, 4, payload, 64])]
        case "send::send":
            let (receiver, funds) = (place(.idAddress), place(.otherAddress))
            return [
                plain("no value", most: 512, with: [receiver.at, receiver.size, 0, 0, 0, 0, -1, 0]),
                plain("value", most: 512, with: [funds.at, funds.size, 0, 0, 0, 1, -1, 0]),
                plain(
                    "an actor that returns at once", most: 512,
                    with: [funds.at, funds.size, Int64(SyscallModule.returnsAtOnce), 0, 0, 0, -1, 0]),
            ]
        default: return []
        }
    }

    /// Asks for the root, which is what an actor can reach, then opens a block and keeps its handle.
    private static func opened(_ code: inout SyscallCode, _ cid: Int64) {
        if let root = code.syscalls.rows.first(where: { $0.title == "self::root" }) {
            code.arguments(root, [Int64(SyscallMemory.output), outputSize])
            code.call(root)
            code.code.op(.drop)
        }
        guard let open = code.syscalls.rows.first(where: { $0.title == "ipld::block_open" }) else { return }
        code.arguments(open, [cid])
        code.call(open)
        code.code.op(.drop)
        code.code.i32(SyscallMemory.handle)
        // Codec, handle, size.
        code.load(SyscallMemory.result + 8)
        code.code.access(.i32Store, offset: 0)
    }

    private static let hashes: [(name: String, code: Int64)] = [
        ("sha2-256", 0x12), ("blake2b-256", 0xB220), ("keccak-256", 0x1B), ("blake2b-512", 0xB240),
        ("ripemd-160", 0x1053),
    ]
}
