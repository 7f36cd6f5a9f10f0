import ArtifactFormat
import Primitives

/// Where things lie under the store's directory. Names are keys and CIDs, so nothing is ever overwritten by
/// something else, and builds of several versions can share a directory.
struct StoreLayout: Sendable {
    let root: String

    /// Beside each `.so` lies a `.entry` with the authentication code.
    func object(_ inputs: ArtifactInputs) -> String {
        let key = inputs.key.hex
        return "\(directory(inputs))/\(key.prefix(2))/\(key).so"
    }

    private func directory(_ inputs: ArtifactInputs) -> String {
        "\(objects)/\(inputs.abiMajor)/\(ArtifactFormat.target)"
    }

    func entry(ofObject path: String) -> String { path.dropLast(3) + ".entry" }

    func refusal(_ key: ArtifactKey) -> String { "\(refusals)/\(key.hex.prefix(2))/\(key.hex).refusal" }

    /// Spread by the last characters: the first ones are the same for all code CIDs.
    func wasm(_ cid: Cid) -> String { "\(wasm)/\(cid.text.suffix(2))/\(cid.text).wasm" }

    func lock(_ key: ArtifactKey) -> String { "\(locks)/\(key.hex).lock" }

    var objects: String { root + "/objects" }
    var refusals: String { root + "/refusals" }
    var wasm: String { root + "/wasm" }
    var locks: String { root + "/locks" }
    var quarantine: String { root + "/quarantine" }
    /// The key of the authentication codes: of this user and this store.
    var secret: String { root + "/key" }
}
