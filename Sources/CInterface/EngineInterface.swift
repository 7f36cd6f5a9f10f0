import ArtifactFormat
import ArtifactStore
import CSmelt
import CodeSettings
import CompilePool
import FVM
import NativeEngine

/// An engine and where its objects come from.
final class EngineHandle: Handle {
    let engine: NativeEngine
    let objects: ActorObjects

    init(_ options: smelt_engine_options) throws(Failure) {
        var settings = CompileSettings()
        switch options.bounds {
        case Int32(SMELT_BOUNDS_GUARD.rawValue): settings.bounds = .guardPages
        case Int32(SMELT_BOUNDS_CHECKS.rawValue): settings.bounds = .checks
        default: throw .misuse("bounds \(options.bounds) is unknown")
        }
        switch options.tier {
        case Int32(SMELT_TIER_OPTIMISED.rawValue): settings.tier = .optimised
        case Int32(SMELT_TIER_BASELINE.rawValue): settings.tier = .baseline
        default: throw .misuse("tier \(options.tier) is unknown")
        }
        switch options.cpu_level {
        case 0, 2: settings.cpu = .v2
        case 3: settings.cpu = .v3
        default: throw .misuse("CPU level \(options.cpu_level) is unknown; there are 2 and 3")
        }
        let store = options.store_directory.map { ArtifactStore(directory: String(cString: $0), warn: { _ in }) }
        let worker = options.worker.map { String(cString: $0) }
        let pool: CompilePool? =
            store == nil && worker == nil
            ? nil
            : CompilePool(
                store: store, settings: settings, jobs: Int(options.jobs), worker: worker ?? CompilePool.noWorker)
        objects = ActorObjects(pool: pool)
        engine = NativeEngine(source: objects, signals: options.no_signals == 0)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_engine_new(
    _ given: UnsafePointer<smelt_engine_options>!, _ engine: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let place = try required(engine, "engine")
        place.pointee = nil
        place.pointee = try EngineHandle(options(given, smelt_engine_options(), "options")).handedOut()
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_engine_add_object(
    _ engine: OpaquePointer!, _ object: smelt_bytes, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let handle = EngineHandle.behind(try required(engine, "engine"))
        do throws(ArtifactError) { try handle.objects.add(object.array) } catch let bad {
            throw Failure(SMELT_BAD_OBJECT, bad.description)
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_engine_free(_ engine: OpaquePointer!) { EngineHandle.giveBack(engine) }
