import CommandTable
import Replay

/// Messages named on the command line.
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
}
