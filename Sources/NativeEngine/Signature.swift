import WasmFormat

extension FunctionType {
    /// The type a descriptor's signature says; a type without parameters and results when it is none.
    ///
    /// Sound to read: the verifier checked that a descriptor's signatures are some and lie in the object.
    init(signature start: UnsafePointer<UInt8>) {
        var next = start
        let type = FunctionType(signature: { () -> UInt8? in
            defer { next += 1 }
            return next.pointee
        })
        self = type ?? FunctionType(parameters: [], results: [])
    }
}
