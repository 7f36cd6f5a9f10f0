import CZlib
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

/// The state that a mainnet vector of the shared data brings along.
struct VectorFile {
    var id: String
    var exitCode: Int
    var preRoot: Cid
    var postRoot: Cid
    var blocks: [Cid: [UInt8]]

    init(_ bytes: [UInt8]) throws {
        let json = try JSON.parse(bytes)
        id = try #require(json["_meta"]).text("id")
        let receipts = try #require(json["postconditions"]).list("receipts")
        exitCode = try #require(receipts.first?["exit_code"]?.integer())
        let packed = try #require(Base64.decode(try json.text("car")))
        let car = try Car.read(try gunzip(packed))
        try #require(car.roots.count == 2)
        preRoot = car.roots[0]
        postRoot = car.roots[1]
        blocks = Dictionary(car.blocks.map { ($0.cid, $0.data) }) { _, last in last }
    }

    /// Calls `body` with every nv18 vector there is and returns how many there were.
    static func visitAll(_ body: (VectorFile) throws -> Void) throws -> Int {
        guard let folder = sharedData("vectors/nv18") else { return 0 }
        let names = fileNames(in: folder, suffix: ".json").filter { !$0.hasSuffix(".trace.json") }
        for name in names { try body(try VectorFile(try #require(fileBytes(folder + "/" + name)))) }
        return names.count
    }

    func block(_ cid: Cid) throws -> CborValue {
        guard let block = blocks[cid] else { throw IPLDError.missing(cid) }
        return try CborValue(block, mode: .strict)
    }

    /// The fields of a block that is a tuple.
    func tuple(_ cid: Cid) throws -> [CborValue] { try #require(try block(cid).elements) }

    /// The root of the actors' map in the state tree `root`.
    func actors(_ root: Cid) throws -> Cid { try #require(try tuple(root)[1].cid) }
}

extension CborValue {
    var elements: [CborValue]? { if case .array(let elements) = self { elements } else { nil } }
    var cid: Cid? { if case .link(let cid) = self { cid } else { nil } }
    var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    var number: UInt64? { if case .unsigned(let number) = self { number } else { nil } }
}

/// One gzip member.
private func gunzip(_ packed: [UInt8]) throws -> [UInt8] {
    var input = packed
    var stream = z_stream()
    try #require(inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { inflateEnd(&stream) }
    var out: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    return try input.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        while true {
            let (status, count) = chunk.withUnsafeMutableBufferPointer { target in
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return (inflate(&stream, Z_NO_FLUSH), target.count - Int(stream.avail_out))
            }
            try #require(status == Z_OK || status == Z_STREAM_END)
            out += chunk[..<count]
            if status == Z_STREAM_END { return out }
        }
    }
}
