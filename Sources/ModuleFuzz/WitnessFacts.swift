import Engine
import GasSchedule
import Metering
import WasmFormat

/// What the interpreter and the front end say, as lines of JSON that a witness outside of this package reads
/// (`Tests/Fuzz/witness.py`). Numbers of 64 bits are text.
public enum WitnessFacts {
    /// Module, runs and observations of a seed; nil when the FVM refuses the module.
    public static func line(seed: UInt64) throws -> String? {
        let generated = ModuleGenerator.make(seed: seed)
        guard let module = try? FuzzModule(generated.bytes, stackLimit: generated.stackLimit) else { return nil }
        var planner = RunPlanner(generated: generated, module: module, random: FuzzRandom(seed: ~seed))
        var runs = try planner.runs(bits: true)
        // Peers count what a refused growth takes in their own ways.
        for index in runs.indices { runs[index].memoryLimit = 2 << 30 }
        let texts = try runs.flatMap { try endingWithTraps($0, module) }.map { run, seen in
            let calls = run.calls.map { #"["\#($0.export)",[\#(numbers($0.arguments))],"\#($0.gas)"]"# }
            let outcomes = zip(seen.outcomes, seen.gas).map { outcome, gas in
                switch outcome {
                case .returned(let slots): #"["returned",[\#(numbers(slots))],"\#(gas)"]"#
                case .trapped(let trap, _, _): #"["\#(Trap(rawValue: trap))",[],"\#(gas)"]"#
                case .failed(let text): #"["failed: \#(text)",[],"\#(gas)"]"#
                }
            }
            return #"{"gas":"\#(run.gas)","calls":[\#(calls.joined(separator: ","))],"#
                + #""outcomes":[\#(outcomes.joined(separator: ","))],"bytes":\#(seen.memoryBytes),"#
                + #""crc":\#(seen.memoryChecksum)}"#
        }
        return
            #"{"seed":\#(seed),"stack":\#(generated.stackLimit),"wasm":"\#(hex(generated.bytes))","runs":[\#(texts.joined(separator: ","))]}"#
    }

    /// A run cut into runs of instances of their own, none of which goes on after a trap: the instrumented module
    /// leaves its stack height raised there, and no actor is entered again.
    private static func endingWithTraps(
        _ run: FuzzRun, _ module: FuzzModule
    ) throws -> [(run: FuzzRun, seen: FuzzObservation)] {
        var pieces: [(FuzzRun, FuzzObservation)] = []
        var rest = run
        repeat {
            var piece = rest
            let outcomes = try module.interpret(rest).outcomes
            let end = outcomes.firstIndex { if case .returned = $0 { false } else { true } } ?? outcomes.count
            // The first outcome is the instantiation's.
            piece.calls = Array(rest.calls.prefix(end))
            rest.calls.removeFirst(piece.calls.count)
            pieces.append((piece, try module.interpret(piece)))
            if end == 0 { break }
        } while !rest.calls.isEmpty
        return pieces
    }

    /// A damaged module and the stage that refuses it, "accepted" when none does.
    ///
    /// - Parameter base: the module to damage; nil for the one of the seed.
    public static func mutant(seed: UInt64, base: [UInt8]? = nil) -> String {
        var mutator = Mutator(seed: seed)
        let bytes = mutator.mutate(base ?? ModuleGenerator.make(seed: seed / 8).bytes)
        var stage = "accepted"
        var rule = ""
        do throws(Refusal) {
            _ = try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm)
        } catch {
            stage = error.stage.rawValue
            rule = error.description
        }
        let text = String(
            decoding: rule.utf8.filter { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }, as: UTF8.self)
        return #"{"seed":\#(seed),"wasm":"\#(hex(bytes))","stage":"\#(stage)","rule":"\#(text)"}"#
    }

    private static func numbers(_ words: [UInt64]) -> String { words.map { "\"\($0)\"" }.joined(separator: ",") }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
