import Bundle
import GasSchedule
import Metering
import TestSupport
import Testing
import WasmFormat
import WasmReference

@testable import GasReport
@testable import Replay

let sampleVectors = packageRoot + "/Tests/Samples/vectors"

/// The sample vectors.
func sampleSessions() throws -> VectorSessions {
    try VectorSessions([sampleVectors], engine: ReferenceEngine.fvm(), bundles: [])
}

/// The first variant of each vector below a path.
func sessions(_ path: String, bundles: [ActorBundle] = []) throws -> [VectorSession] {
    let found = try VectorSessions([path], engine: ReferenceEngine.fvm(), bundles: bundles)
    return try (0..<found.count).map { index in
        guard case .session(let session) = try #require(found.open(index).first) else {
            throw SessionError(index: index)
        }
        return session
    }
}

struct SessionError: Error { let index: Int }

/// The messages of a vector, measured.
func measured(_ path: String, rounds: Int = 1) throws -> [MeasuredMessage] {
    let outcome = Measurement(rounds: rounds).measure(try #require(try sessions(path).first))
    #expect(outcome.report.status == .passed)
    return outcome.messages
}
