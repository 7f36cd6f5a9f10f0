extension FunctionType {
    /// The type as module descriptors (`smeltrt.h`) and facts of modules hold it: both counts in unsigned LEB128, then the type bytes.
    public var signature: [UInt8] {
        func count(_ value: Int) -> [UInt8] {
            var rest = UInt64(value)
            var bytes: [UInt8] = []
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(truncatingIfNeeded: rest)]
        }
        return count(parameters.count) + count(results.count) + (parameters + results).map(\.rawValue)
    }

    /// Reads a signature byte by byte, as far as its counts say.
    ///
    /// - Parameter next: gives one byte after the other; nil or an error ends the reading.
    /// - Returns: nil when `next` gave nil, or the bytes are not what `signature` writes for some type.
    public init?<E: Error>(signature next: () throws(E) -> UInt8?) throws(E) {
        func count() throws(E) -> Int? {
            var value: UInt32 = 0
            for shift in stride(from: UInt32(0), to: 28, by: 7) {
                guard let byte = try next() else { return nil }
                value |= UInt32(byte & 0x7F) << shift
                // A last byte of zero would be a second way to write the same number.
                if byte < 0x80 { return byte == 0 && shift > 0 ? nil : Int(value) }
            }
            return nil
        }
        func types(_ count: Int) throws(E) -> [ValueType]? {
            var types: [ValueType] = []
            for _ in 0..<count {
                guard let byte = try next(), let type = ValueType(rawValue: byte) else { return nil }
                types.append(type)
            }
            return types
        }
        guard let parameterCount = try count(), let resultCount = try count(),
            let parameters = try types(parameterCount), let results = try types(resultCount)
        else { return nil }
        self.init(parameters: parameters, results: results)
    }
}
