import Bundle
import Engine
import Foundation
import JSON
import Primitives
import TestSupport

@testable import Replay

/// Has no code at all: enough for vectors that run none.
final class NoEngine: ActorEngine {
    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? { nil }
}

func readFile(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// A directory that goes away with the test.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "smelt-replay-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// A mainnet vector that runs no code: a plain transfer.
let transferVector = "vectors/nv18/fil_10_storageminer__Send__Ok__1.json"

func bundle(_ version: String) throws -> ActorBundle? {
    guard let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst") else { return nil }
    return try ActorBundle.open(path: path)
}

extension JSONValue {
    /// A copy with the value at `path` (names and indexes) replaced, or removed when `value` is nil.
    func replacing(_ path: [String], with value: JSONValue?) -> JSONValue {
        guard let first = path.first else { return value ?? .null }
        let rest = Array(path.dropFirst())
        switch self {
        case .object(var members):
            let index = members.firstIndex { $0.name == first }
            if rest.isEmpty, value == nil {
                members.removeAll { $0.name == first }
            } else if let index {
                members[index].value = members[index].value.replacing(rest, with: value)
            } else {
                members.append(.init(first, JSONValue.object([JSONValue.Member]()).replacing(rest, with: value)))
            }
            return .object(members)
        case .array(var elements):
            guard let index = Int(first), elements.indices.contains(index) else { return self }
            elements[index] = elements[index].replacing(rest, with: value)
            return .array(elements)
        default:
            return self
        }
    }
}

/// gzip of `data` in stored blocks, with `size` and `crc` as they should be unless given.
func gzip(_ data: [UInt8], crc: UInt32? = nil) -> [UInt8] {
    var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    var start = 0
    repeat {
        let count = min(data.count - start, 0xffff)
        out.append(start + count == data.count ? 1 : 0)
        out += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8 & 255)]
        out += data[start..<start + count]
        start += count
    } while start < data.count
    var checksum = ~UInt32(0)
    for byte in data {
        checksum ^= UInt32(byte)
        for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xedb8_8320 : checksum >> 1 }
    }
    for number in [crc ?? ~checksum, UInt32(data.count)] {
        for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
    }
    return out
}
