import ArtifactFormat
import Primitives

/// Where things lie under the store's directory. Names are keys and CIDs, so nothing is ever overwritten by
/// something else, and builds of several versions can share a directory.
struct StoreLayout: Sendable {
    let root: String

    /// Beside each `.so` lies a `.entry`, its record. All objects of one WASM binary share a directory, so that
    /// those of other compilers can be found without knowing their keys.
    func object(_ inputs: ArtifactInputs) -> String {
        "\(objects(of: inputs.wasm, in: objects(format: inputs.formatVersion, abiMajor: inputs.abiMajor)))/"
            + "\(inputs.key.hex).so"
    }

    /// The directory of a WASM binary's objects that this build can read.
    func objects(of wasm: Cid) -> String { objects(of: wasm, in: currentObjects) }

    private func objects(of wasm: Cid, in directory: String) -> String {
        "\(directory)/\(ArtifactFormat.target)/\(folder(wasm))"
    }

    /// Objects and records of another format cannot be read here, so they lie apart.
    private func objects(format: UInt32, abiMajor: UInt32) -> String { "\(objects)/\(format).\(abiMajor)" }

    /// All objects that this build can read.
    var currentObjects: String {
        objects(format: ArtifactInputs.currentFormatVersion, abiMajor: ArtifactInputs.currentABIMajor)
    }

    func entry(ofObject path: String) -> String { path.dropLast(3) + ".entry" }

    func refusal(_ inputs: ArtifactInputs) -> String { "\(refusals(of: inputs.wasm))/\(inputs.key.hex).refusal" }

    /// The directory of a WASM binary's refusals.
    func refusals(of wasm: Cid) -> String { "\(currentRefusals)/\(folder(wasm))" }

    /// All refusals that this build can read.
    var currentRefusals: String { "\(refusals)/\(ArtifactInputs.currentFormatVersion)" }

    /// Spread by the last characters: the first ones are the same for all code CIDs.
    private func folder(_ wasm: Cid) -> String { "\(wasm.text.suffix(2))/\(wasm.text)" }

    func wasm(_ cid: Cid) -> String { "\(wasm)/\(cid.text.suffix(2))/\(cid.text).wasm" }

    func lock(_ key: ArtifactKey) -> String { "\(locks)/\(key.hex).lock" }

    var objects: String { root + "/objects" }
    var refusals: String { root + "/refusals" }
    var wasm: String { root + "/wasm" }
    var locks: String { root + "/locks" }
    var quarantine: String { root + "/quarantine" }
    /// The key of the authentication codes: of this user and this store.
    var secret: String { root + "/key" }
    /// Digests of the compiler's files.
    var digests: String { root + "/digests" }
    /// The compilers that were seen last.
    var compilers: String { root + "/compilers" }
}
