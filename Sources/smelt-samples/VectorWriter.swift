import CZlib
import IPLD
import JSON
import Primitives

/// Writes a scenario as a vector in the FVM's format.
struct VectorWriter {
    let name: String
    let scenario: Scenario
    let state: SampleState
    /// What the reference interpreter gave; the first draft has none.
    var gasUsed: [UInt64]
    var postStateRoot: Cid

    init(name: String, scenario: Scenario, state: SampleState) {
        self.name = name
        self.scenario = scenario
        self.state = state
        gasUsed = scenario.steps.map { _ in 0 }
        postStateRoot = state.root
    }

    func json() throws -> JSONValue {
        let epoch: UInt64 = 3_000_000
        let blocks = state.blocks.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        let car = Car(roots: [state.root], blocks: blocks.map { Car.Block(cid: $0.key, data: $0.value) })
        return .object([
            "class": .string("message"),
            "_meta": .object(["id": .string(name), "description": .string(scenario.description)]),
            "car": .string(Base64.encode(try gzip(car.write()))),
            "preconditions": .object([
                "state_tree": .object(["root_cid": link(state.root)]),
                "variants": .array([
                    .object([
                        "id": .string("nv\(scenario.networkVersion)"), "epoch": .integer(epoch),
                        "nv": .integer(scenario.networkVersion),
                    ])
                ]),
                "basefee": .integer(100), "circ_supply": .number("2000000000000000000000000000"),
                "chain_id": .integer(314), "timestamp": .integer(epoch * 30),
            ]),
            "apply_messages": .array(
                try scenario.steps.enumerated().map { index, step in
                    .object(["bytes": .string(Base64.encode(try message(step, nonce: UInt64(index))))])
                }),
            "postconditions": .object([
                "state_tree": .object(["root_cid": link(postStateRoot)]),
                "receipts": .array(
                    zip(scenario.steps, gasUsed).map { step, gas in
                        .object([
                            "exit_code": .integer(step.exitCode),
                            "return": .string(Base64.encode(step.returnData)), "gas_used": .integer(gas),
                        ])
                    }),
            ]),
        ])
    }

    private func link(_ cid: Cid) -> JSONValue { .object(["/": .string(cid.text)]) }

    /// The unsigned message in CBOR (Filecoin specification, messages).
    private func message(_ step: Scenario.Step, nonce: UInt64) throws -> [UInt8] {
        var writer = CborWriter()
        writer.array(10)
        writer.unsigned(UInt64(0))
        writer.byteString(Address.id(step.to).bytes)
        writer.byteString(try SampleState.sender().bytes)
        writer.unsigned(nonce)
        writer.byteString([])
        writer.unsigned(step.gasLimit)
        writer.byteString([0, 200])
        writer.byteString([0, 1])
        writer.unsigned(step.method)
        writer.byteString(step.params)
        return writer.bytes
    }

    /// One gzip member without name and time, so that equal input gives equal bytes.
    private func gzip(_ input: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw SampleError("zlib: no memory") }
        defer { deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(input.count))))
        // Sound: zlib reads `avail_in` bytes of `input` and writes at most `avail_out` of `output` in this call.
        let status = input.withUnsafeBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { throw SampleError("zlib: status \(status)") }
        return Array(output[..<Int(stream.total_out)])
    }
}
