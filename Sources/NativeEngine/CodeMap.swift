import CActorRuntime
import Synchronization

/// Which function an instruction of mapped code belongs to.
public final class CodeMap: Sendable {
    /// A function's code, or what lies between functions.
    private struct Piece {
        var start: UInt64
        var end: UInt64
        var key: [UInt8]
        /// Of the index space; nil for thunks.
        var function: Int?
    }

    private let pieces = Mutex<[Piece]>([])

    public init() {}

    func add(_ module: NativeModule, key: [UInt8]) {
        let descriptor = module.descriptor.pointee
        // Sound: as many rows as the descriptor says, which was checked when it was loaded.
        let rows = UnsafeBufferPointer(start: descriptor.functions, count: Int(descriptor.function_count))
        var fresh: [Piece] = []
        for (index, row) in rows.enumerated() {
            guard let code = row.code, row.code_length > 0 else { continue }
            let start = UInt64(UInt(bitPattern: code))
            fresh.append(Piece(start: start, end: start + UInt64(row.code_length), key: key, function: index))
        }
        let text = (UInt64(UInt(bitPattern: descriptor.text_start)), UInt64(UInt(bitPattern: descriptor.text_end)))
        fresh.sort { $0.start < $1.start }
        var end = text.0
        var between: [Piece] = []
        for piece in fresh {
            if piece.start > end { between.append(Piece(start: end, end: piece.start, key: key, function: nil)) }
            end = max(end, piece.end)
        }
        if text.1 > end { between.append(Piece(start: end, end: text.1, key: key, function: nil)) }
        pieces.withLock { pieces in
            // A module that was unmapped since may have lain where this one lies.
            pieces.removeAll { $0.start < text.1 && $0.end > text.0 }
            pieces += fresh + between
            pieces.sort { $0.start < $1.start }
        }
    }

    /// The code's key and the function of the index space, nil for what lies between functions; nil when no mapped
    /// module has code there.
    public func function(at place: UInt64) -> (key: [UInt8], function: Int?)? {
        pieces.withLock { pieces in
            var low = 0
            var high = pieces.count
            while low < high {
                let middle = (low + high) / 2
                if pieces[middle].end <= place { low = middle + 1 } else { high = middle }
            }
            guard low < pieces.count, pieces[low].start <= place else { return nil }
            return (pieces[low].key, pieces[low].function)
        }
    }
}
