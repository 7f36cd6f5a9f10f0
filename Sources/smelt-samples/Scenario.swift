import Foundation
import JSON
import Primitives

/// A sample written by hand: actors, messages to them, and how each ends.
struct Scenario {
    struct Actor {
        var id: UInt64
        /// Name of a sample actor.
        var code: String
        /// Codec and bytes of the block under its state root; nil for an empty array.
        var state: (codec: UInt64, block: [UInt8])?
    }
    struct Step {
        var to: UInt64
        var method: UInt64
        var params: [UInt8]
        /// attoFIL.
        var value: TokenAmount
        /// Whole gas.
        var gasLimit: UInt64
        /// Known from the actor's source, not recorded.
        var exitCode: UInt32
        var returnData: [UInt8]
    }

    var description: String
    var networkVersion: UInt32
    /// Whether actors are told that debugging is on.
    var actorDebugging: Bool
    /// Whether the vector comes with a trace.
    var hasTrace: Bool
    var actors: [Actor]
    var steps: [Step]

    init(file: String) throws {
        let json = try JSON.parse(Array(Data(contentsOf: URL(fileURLWithPath: file))))
        func fail(_ what: String) -> SampleError { SampleError("\(file): \(what) is missing or malformed") }
        func number<T: FixedWidthInteger>(_ value: JSONValue, _ name: String) throws -> T {
            guard let number: T = value[name]?.integer() else { throw fail(name) }
            return number
        }
        func bytes(_ value: JSONValue, _ name: String) throws -> [UInt8] {
            guard let text = value[name]?.string, let bytes = Hex.decode(text) else { throw fail(name) }
            return bytes
        }
        guard let description = json["description"]?.string, let actors = json["actors"]?.array,
            let steps = json["messages"]?.array
        else { throw fail("description, actors or messages") }
        self.description = description
        networkVersion = try number(json, "network_version")
        actorDebugging = json["actor_debugging"]?.bool ?? false
        hasTrace = json["trace"]?.bool ?? false
        self.actors = try actors.map { actor in
            guard let code = actor["code"]?.string else { throw fail("code") }
            let state = try actor["state"].map {
                (codec: try number($0, "codec") as UInt64, block: try bytes($0, "block"))
            }
            return Actor(id: try number(actor, "id"), code: code, state: state)
        }
        self.steps = try steps.map { step in
            guard let expected = step["expect"] else { throw fail("expect") }
            return Step(
                to: try number(step, "to"), method: try number(step, "method"), params: try bytes(step, "params"),
                value: try TokenAmount(decimal: step["value"]?.string ?? "0"),
                gasLimit: try number(step, "gas_limit"), exitCode: try number(expected, "exit_code"),
                returnData: try bytes(expected, "return"))
        }
    }
}

struct SampleError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Lower-case hexadecimal without a prefix.
enum Hex {
    static func decode(_ text: String) -> [UInt8]? {
        guard text.utf8.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
