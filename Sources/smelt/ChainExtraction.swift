import BlockFiles
import CommandTable
import Replay
import Tipsets

/// `--extract` and `--extract-tipsets`: parts of a chain that stand alone.
struct ChainExtraction {
    private let input: ChainReplayInput
    private let messages: String?
    private let tipsets: String?
    /// How many could not be written.
    private(set) var failed = 0

    var wantsMessages: Bool { messages != nil }

    init(_ arguments: Parsed, _ input: ChainReplayInput) throws(CommandFailure) {
        self.input = input
        messages = arguments.value("extract")
        tipsets = arguments.value("extract-tipsets")
        for directory in [messages, tipsets].compactMap({ $0 }) { try Files.makeDirectory(directory) }
    }

    /// Writes what is wanted of a tipset that was just executed; without a result there is nothing to write.
    ///
    /// - Parameter message: the only one; nil is all.
    mutating func write(_ report: ChainReplay.Report, _ index: Int, message: Int?) throws(CommandFailure) {
        guard report.height > 0, case .success(let check) = report.result else { return }
        let (replay, file) = (input.replay, input.path)
        if let tipsets, let archive = made({ () throws(ExtractionFailure) in try replay.archive(index, check) }) {
            let path = "\(tipsets)/\(archive.name)"
            if let own = input.archives.first(where: { Files.isSame($0.path, path) }) {
                throw CommandFailure(.usage, "--extract-tipsets: \(path) is the input \(own.path)")
            }
            do throws(BlockFileError) { try archive.write(to: path) } catch { throw CommandFailure(error) }
        }
        guard let messages else { return }
        for number in check.outcome.applied.indices where message.map({ $0 == number }) ?? true {
            let name = "\(replay.execution.network.fileName)_\(report.height)__\(number)"
            let vector = made { () throws(ExtractionFailure) in
                try replay.message(number, of: check, file: file).vector(named: name)
            }
            do throws(VectorWriteError) { try vector?.write(to: "\(messages)/\(name).json") } catch {
                throw CommandFailure(.failure, error.description)
            }
        }
    }

    /// What cannot be made is said, and counted.
    private mutating func made<Made>(_ body: () throws(ExtractionFailure) -> Made) -> Made? {
        do throws(ExtractionFailure) { return try body() } catch {
            failed += 1
            Output.note("smelt: not extracted: \(error)")
            return nil
        }
    }
}
