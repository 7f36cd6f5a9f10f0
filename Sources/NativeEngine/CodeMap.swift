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
        let text = module.textRange
        let fresh = module.codePieces.map { Piece(start: $0.start, end: $0.end, key: key, function: $0.function) }
        pieces.withLock { pieces in
            // A module that was unmapped since may have lain where this one lies.
            pieces.removeAll { $0.start < text.upperBound && $0.end > text.lowerBound }
            pieces += fresh
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

extension NativeModule {
    /// Addresses of the compiled code.
    var textRange: Range<UInt64> {
        let descriptor = descriptor.pointee
        return UInt64(UInt(bitPattern: descriptor.text_start))..<UInt64(UInt(bitPattern: descriptor.text_end))
    }

    /// All of the compiled code, ascending: functions by index, and with nil what lies between them.
    var codePieces: [(start: UInt64, end: UInt64, function: Int?)] {
        let descriptor = descriptor.pointee
        // Sound: as many rows as the descriptor says, which was checked when it was loaded.
        let rows = UnsafeBufferPointer(start: descriptor.functions, count: Int(descriptor.function_count))
        var functions: [(start: UInt64, end: UInt64, function: Int?)] = []
        for (index, row) in rows.enumerated() {
            guard let code = row.code, row.code_length > 0 else { continue }
            let start = UInt64(UInt(bitPattern: code))
            functions.append((start, start + UInt64(row.code_length), index))
        }
        functions.sort { $0.start < $1.start }
        let text = textRange
        var pieces: [(start: UInt64, end: UInt64, function: Int?)] = []
        var end = text.lowerBound
        for piece in functions {
            if piece.start > end { pieces.append((end, piece.start, nil)) }
            pieces.append(piece)
            end = max(end, piece.end)
        }
        if text.upperBound > end { pieces.append((end, text.upperBound, nil)) }
        return pieces
    }
}
