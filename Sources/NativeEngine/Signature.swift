import WasmFormat

extension FunctionType {
    /// The type a descriptor's signature says: two counts in unsigned LEB128, then the type bytes.
    ///
    /// Sound to read: the verifier and the loader checked that a descriptor's signatures lie in the object.
    init(signature start: UnsafePointer<UInt8>) {
        var next = start
        func count() -> Int {
            var value: UInt32 = 0
            for shift in stride(from: UInt32(0), to: 32, by: 7) {
                let byte = next.pointee
                next += 1
                value |= UInt32(byte & 0x7F) << shift
                if byte < 0x80 { break }
            }
            return Int(value)
        }
        let parameters = count()
        let results = count()
        func types(_ count: Int) -> [ValueType] {
            defer { next += count }
            return UnsafeBufferPointer(start: next, count: count).compactMap { ValueType(rawValue: $0) }
        }
        self.init(parameters: types(parameters), results: types(results))
    }

    /// The form of `ModuleFacts`: one byte for each count. Counts above 255 saturate: no syscall has as many.
    var factBytes: [UInt8] {
        [UInt8(clamping: parameters.count), UInt8(clamping: results.count)]
            + parameters.map(\.rawValue) + results.map(\.rawValue)
    }
}
