import Bundle
import GasSchedule
import Primitives
import Syscalls
import WasmFormat

/// Whether a bundle's actors can run at a network version.
enum BundleFit {
    /// All names that the state and the request need must be there; a released bundle must be one that networks of this
    /// version run; and each actor's imports must be syscalls of the version's generation with their exact types, which
    /// is all that can be told of a bundle nobody released.
    static func check(
        _ bundle: ActorBundle, _ profile: NetworkProfile, needed: [String]
    ) throws(GenesisError) {
        let missing = needed.filter { bundle.manifest.code(named: $0) == nil }
        guard missing.isEmpty else { throw .missingActors(missing) }
        if let release = ReleasedBundles.release(root: bundle.root),
            !release.networkVersions.contains(profile.version.rawValue)
        {
            throw .otherVersion(
                release: "\(release.tag) of \(release.network)", runs: release.networkVersions, profile.version)
        }
        let syscalls = SyscallSet.of(profile.syscalls)
        for entry in bundle.manifest.entries {
            guard let code = bundle.code(entry.code) else { continue }
            func unfit(_ reason: String) -> GenesisError {
                .unfit(actor: entry.name, profile.version, reason: reason)
            }
            let module: Module
            do { module = try Module.decode(code, profile: .fvm) } catch { throw unfit("\(error)") }
            do { try syscalls.check(module) } catch { throw unfit(error.description) }
        }
    }
}
