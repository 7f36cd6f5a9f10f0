import CommandTable
import IPLD
import JSON
import Machine
import Primitives
import Replay
import StateTree

/// `smelt message make`: a message in Lotus's JSON.
enum MessageCommand {
    /// CreateExternal of the Ethereum address manager, and InvokeEVM of contracts (builtin-actors, `eam` and `evm`).
    private static let createExternal: UInt64 = 4
    private static let invokeEVM: UInt64 = 3_844_450_837

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard let from = arguments.value("from"), let nonce = arguments.integer("nonce") else {
            throw CommandFailure(.usage, "message make needs --from and --nonce")
        }
        let kinds = ["params", "deploy", "call"].filter(arguments.has)
        guard kinds.count <= 1 else {
            throw CommandFailure(.usage, "--\(kinds.joined(separator: " and --")) exclude each other")
        }
        var to = try arguments.value("to").map { (text) throws(CommandFailure) in try AddressText.parse(text) }
        var method = arguments.integer("method") ?? 0
        var params: [UInt8] = []
        if let text = arguments.value("params") { params = try hex(text, "--params") }
        if let path = arguments.value("deploy") {
            let code = try hex(String(decoding: try Files.read(path), as: UTF8.self), path)
            let tail = try arguments.value("arguments").map { (text) throws(CommandFailure) in
                try hex(text, "--arguments")
            }
            params = CborWriter.byteString(code + (tail ?? []))
            to = to ?? .id(Singleton.ethereumAddressManager)
            method = createExternal
        }
        if let text = arguments.value("call") {
            params = CborWriter.byteString(try hex(text, "--call"))
            method = invokeEVM
        }
        guard let to else { throw CommandFailure(.usage, "message make needs --to or --deploy") }
        let message = Message(
            to: to, from: try AddressText.parse(from), nonce: nonce, value: try fil(arguments.value("value") ?? "0"),
            gasLimit: arguments.integer("gas-limit") ?? 1_000_000_000, feeCap: try atto(arguments, "fee-cap", "1000"),
            premium: try atto(arguments, "premium", "0"), method: method, params: params)
        let made: VectorMessage
        do throws(MessageError) { made = try VectorMessage(message) } catch {
            throw CommandFailure(.badInput, error.description)
        }
        let text = LotusMessage.value(message, cid: made.cid).text(.indented) + "\n"
        guard let output = arguments.value("output"), output != "-" else {
            try Output.raw(Array(text.utf8))
            return .success
        }
        try Files.write(Array(text.utf8), to: output)
        return .success
    }

    /// Hexadecimal with or without `0x`, in either case, with spaces around it.
    private static func hex(_ text: String, _ what: String) throws(CommandFailure) -> [UInt8] {
        var digits = text.lowercased().filter { !$0.isWhitespace }
        if digits.hasPrefix("0x") { digits.removeFirst(2) }
        guard let bytes = Hex.decode(digits) else {
            throw CommandFailure(.badInput, "\(what): not bytes in hexadecimal")
        }
        return bytes
    }

    private static func fil(_ text: String) throws(CommandFailure) -> TokenAmount {
        do throws(TokenAmountError) { return try TokenAmount(fil: text) } catch {
            throw CommandFailure(.badInput, "--value '\(text)': \(error)")
        }
    }

    private static func atto(
        _ arguments: Parsed, _ option: String, _ standard: String
    ) throws(CommandFailure) -> TokenAmount {
        let text = arguments.value(option) ?? standard
        do throws(TokenAmountError) { return try TokenAmount(decimal: text) } catch {
            throw CommandFailure(.badInput, "--\(option) '\(text)': \(error)")
        }
    }
}
