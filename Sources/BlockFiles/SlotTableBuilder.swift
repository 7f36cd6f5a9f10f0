/// Sorts a table's entries, of any number, in bounded memory: sorted runs go to a file without a name.
final class SlotTableBuilder {
    private struct Entry: Comparable {
        var hash: UInt64
        var value: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.hash != right.hash ? left.hash < right.hash : left.value < right.value
        }
    }

    /// Entries in memory at most; 16 bytes each.
    private let most: Int
    private let directory: String
    private var entries: [Entry] = []
    private var runs: Spill?
    private(set) var count = 0

    /// - Parameter directory: where runs go when there are more than `most` entries.
    init(directory: String, most: Int = 1 << 22) {
        self.directory = directory
        self.most = most
    }

    func add(_ hash: UInt64, _ value: UInt64) throws(BlockFileError) {
        entries.append(Entry(hash: hash, value: value))
        count += 1
        if entries.count == most { try spill() }
    }

    private func spill() throws(BlockFileError) {
        entries.sort()
        if runs == nil { runs = try Spill(directory: directory) }
        guard let runs else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * SlotTable.slotSize)
        for entry in entries { bytes += SlotTable.bytes(entry.hash) + SlotTable.bytes(entry.value) }
        try runs.append(bytes)
        entries.removeAll(keepingCapacity: true)
    }

    /// Bytes of the table. Counts slots: up to the last entry's, the buckets, and one that is empty.
    func size() throws(BlockFileError) -> Int {
        SlotTable.Header.size + (try layout().slots) * SlotTable.slotSize
    }

    private func layout() throws(BlockFileError) -> (header: SlotTable.Header, slots: Int) {
        entries.sort()
        // As Forest sizes its tables: four fifths are in use.
        let buckets = UInt64(max(1, max(count, count * 5 / 4)))
        var header = SlotTable.Header(longestDistance: 0, collisions: 0, buckets: buckets)
        var last: UInt64?
        var next = 0
        try merge { (entry) throws(BlockFileError) in
            let ideal = SlotTable.ideal(entry.hash, buckets: buckets)
            next = max(next, ideal)
            header.longestDistance = max(header.longestDistance, UInt64(next - ideal))
            if last == entry.hash { header.collisions += 1 }
            last = entry.hash
            next += 1
        }
        return (header, max(next, Int(buckets)) + 1)
    }

    /// Writes the table, its header first. The entries are gone through twice: the header holds what only the second
    /// time would tell.
    func write(_ sink: ([UInt8]) throws(BlockFileError) -> Void) throws(BlockFileError) {
        let (header, slots) = try layout()
        let buckets = header.buckets
        var out = header.bytes
        let empty = [UInt8](repeating: 0xFF, count: SlotTable.slotSize)
        var next = 0
        try merge { (entry) throws(BlockFileError) in
            let ideal = SlotTable.ideal(entry.hash, buckets: buckets)
            while next < ideal {
                out += empty
                next += 1
            }
            out += SlotTable.bytes(entry.hash) + SlotTable.bytes(entry.value)
            next += 1
            if out.count >= 1 << 18 {
                try sink(out)
                out.removeAll(keepingCapacity: true)
            }
        }
        // An empty slot ends every search.
        while next < slots {
            out += empty
            next += 1
        }
        try sink(out)
    }

    /// Calls `body` with all entries in order.
    private func merge(_ body: (Entry) throws(BlockFileError) -> Void) throws(BlockFileError) {
        guard let runs else {
            for entry in entries { try body(entry) }
            return
        }
        var heads: [Run] = []
        for range in runs.ranges { heads.append(Run(spill: runs, range: range)) }
        var inMemory = entries[...]
        for index in heads.indices { try heads[index].fill() }
        while true {
            var best: (entry: Entry, run: Int)?
            if let first = inMemory.first { best = (first, -1) }
            for (index, run) in heads.enumerated() {
                guard let entry = run.first, best.map({ entry < $0.entry }) ?? true else { continue }
                best = (entry, index)
            }
            guard let best else { return }
            try body(best.entry)
            if best.run < 0 { inMemory = inMemory.dropFirst() } else { try heads[best.run].advance() }
        }
    }

    /// A sorted run that is read piece by piece.
    private struct Run {
        let spill: Spill
        var range: Range<Int>
        private var piece: [UInt8] = []
        private var position = 0

        init(spill: Spill, range: Range<Int>) {
            self.spill = spill
            self.range = range
        }

        var first: Entry? {
            guard position < piece.count else { return nil }
            return Entry(hash: SlotTable.number(piece, position), value: SlotTable.number(piece, position + 8))
        }

        mutating func fill() throws(BlockFileError) {
            let count = min(range.count, 1 << 16)
            piece = try spill.read(at: range.lowerBound, count: count)
            range = range.lowerBound + count..<range.upperBound
            position = 0
        }

        mutating func advance() throws(BlockFileError) {
            position += SlotTable.slotSize
            if position == piece.count, !range.isEmpty { try fill() }
        }
    }
}
