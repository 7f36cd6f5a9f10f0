import Crypto
import Primitives
import TestSupport

@testable import ArtifactFormat

/// What tests share: one linked object, one sealed object, one set of inputs.
enum Sample {
    static let linked: [UInt8] = linkedFixture() ?? []
    static let inputs = makeInputs()
    static let sealed: [UInt8] = (try? ArtifactFormat.seal(linked, inputs: inputs)) ?? []

    static func makeInputs() -> ArtifactInputs {
        ArtifactInputs(
            compilerVersion: "1.0", compilerBuild: Digest(of: [1]), llvmVersion: "19.1.7", llvmBuild: Digest(of: [8]),
            linkerVersion: "Debian LLD 19.1.7", linkerBuild: Digest(of: [9]),
            wasm: .blake2b256(codec: Cid.raw, data: [0, 97, 115, 109]),
            acceptanceProfile: Digest(of: [2]), prices: Digest(of: [3]), settings: Digest(of: [4]),
            target: ArtifactFormat.target, cpu: .v2)
    }
}

/// A small generator with a fixed seed, so a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
