import CommandTable
import Primitives
import Replay

/// Messages named on the command line, and the tipset they run in.
enum MessageInput {
    /// Those that `--message` names, in their order; `--implicit` says that they are the node's own.
    static func all(_ arguments: Parsed) throws(CommandFailure) -> [VectorMessage] {
        var messages: [VectorMessage] = []
        for path in arguments.all("message") {
            let bytes = try Files.read(path)
            do throws(VectorError) {
                messages.append(
                    try LotusMessage.read(bytes, file: path, kind: arguments.has("implicit") ? .implicit : .explicit))
            } catch { throw CommandFailure(.badInput, error.description) }
        }
        return messages
    }

    /// What options say of the tipset that messages run in.
    static func environment(_ arguments: Parsed) throws(CommandFailure) -> Vector.Environment {
        func amount(_ option: String, _ standard: TokenAmount) throws(CommandFailure) -> TokenAmount {
            guard let text = arguments.value(option) else { return standard }
            let amount: TokenAmount
            do throws(TokenAmountError) { amount = try TokenAmount(decimal: text) } catch {
                throw CommandFailure(.badInput, "--\(option) '\(text)': \(error)")
            }
            guard amount.u128 != nil else {
                throw CommandFailure(.badInput, "--\(option) '\(text)': not from 0 to 2^128 − 1")
            }
            return amount
        }
        return Vector.Environment(
            baseFee: try amount("base-fee", Vector.defaultBaseFee),
            circulatingSupply: try amount("circulating-supply", Vector.defaultCirculatingSupply),
            chainID: arguments.integer("chain-id") ?? GenesisCommand.chainID,
            timestamp: arguments.integer("timestamp"))
    }
}
