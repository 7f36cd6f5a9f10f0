import Bundle
import GasSchedule
import Primitives
import Syscalls
import WasmFormat

/// Whether a bundle's actors can run at a network version.
enum BundleFit {
    /// All names that the state and the request need must be there, and each actor's imports must be syscalls of the
    /// version's generation with their exact types. Released bundles of one generation differ in nothing that could
    /// be seen here.
    static func check(
        _ bundle: ActorBundle, _ profile: NetworkProfile, needed: [String]
    ) throws(GenesisError) {
        let missing = needed.filter { bundle.manifest.code(named: $0) == nil }
        guard missing.isEmpty else { throw .missingActors(missing) }
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
