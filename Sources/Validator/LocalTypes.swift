import WasmFormat

/// Types of a function's parameters and locals as runs, because 50,000 locals may stand in five bytes.
struct LocalTypes {
    /// Where each run ends, ascending.
    private var ends: [UInt64] = []
    private var types: [ValueType] = []

    var count: UInt64 { ends.last ?? 0 }

    mutating func reset() {
        ends.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
    }

    mutating func append(_ count: UInt32, _ type: ValueType) {
        guard count > 0 else { return }
        if types.last == type, let last = ends.indices.last {
            ends[last] += UInt64(count)
        } else {
            ends.append(self.count + UInt64(count))
            types.append(type)
        }
    }

    subscript(index: UInt32) -> ValueType? {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= UInt64(index) { low = middle + 1 } else { high = middle }
        }
        return low < types.count ? types[low] : nil
    }
}
