import ArtifactFormat
import Bundle
import CodeSettings
import CommandTable
import CompilePool
import Crypto
import GasSchedule
import Primitives

/// What the user gave to compile: a module, or a bundle of them.
struct CompileSource {
    let path: String
    /// Nil for a single module.
    let bundle: ActorBundle?
    let inputs: [CompileInput]

    /// Reads a `.wasm`, `.car` or `.car.zst` file; its kind is told by its first bytes.
    init(path: String) throws(CommandFailure) {
        self.path = path
        let bytes = try Files.read(path)
        if bytes.starts(with: [0x00, 0x61, 0x73, 0x6D]) {
            bundle = nil
            inputs = [CompileInput(name: CompileSource.stem(path), wasm: bytes)]
            return
        }
        let opened: ActorBundle
        do { opened = try ActorBundle(bytes: bytes) } catch {
            throw CommandFailure(.badInput, "\(path): neither a WASM module nor a bundle: \(error.description)")
        }
        bundle = opened
        var found: [CompileInput] = []
        for actor in opened.codes {
            guard CompileSource.isFileName(actor.name), let wasm = opened.code(actor.cid) else {
                throw CommandFailure(.badInput, "\(path): the manifest's name '\(actor.name)' cannot be a file name")
            }
            found.append(CompileInput(name: actor.name, cid: actor.cid, wasm: wasm))
        }
        inputs = found
    }

    /// The file's name without directories and known extensions.
    static func stem(_ path: String) -> String {
        if path == "-" { return "stdin" }
        var name = path.split(separator: "/").last.map(String.init) ?? path
        for suffix in [".zst", ".car", ".wasm"] where name.hasSuffix(suffix) && name.count > suffix.count {
            name.removeLast(suffix.count)
        }
        return name
    }

    /// Names come from files of strangers: one with a slash could point anywhere.
    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100 && !name.hasPrefix(".")
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    }
}

/// The network version that `--network-version` chooses variants by.
enum NetworkVersionInput {
    /// - Returns: nil without the option.
    static func version(_ arguments: Parsed) throws(CommandFailure) -> NetworkVersion? {
        guard let number = arguments.integer("network-version") else { return nil }
        let version = NetworkVersion(rawValue: UInt32(number))
        do { _ = try NetworkProfile.forVersion(version) } catch {
            throw CommandFailure(.usage, "--network-version: \(error.description)")
        }
        return version
    }
}

/// A bundle named on the command line.
enum BundleInput {
    /// Those that `--bundle` names, in their order.
    static func all(_ arguments: Parsed) throws(CommandFailure) -> [ActorBundle] {
        try arguments.all("bundle").map { (path) throws(CommandFailure) in try open(path) }
    }

    static func open(_ path: String) throws(CommandFailure) -> ActorBundle {
        do { return try ActorBundle.open(path: path) } catch {
            if case .file(let reason) = error { throw CommandFailure(.badInput, reason) }
            throw CommandFailure(.badInput, "\(path): \(error.description)")
        }
    }
}

/// The settings and the worker pool a command line asks for.
enum WorkerSetup {
    static func settings(_ arguments: Parsed) -> CompileSettings {
        var settings = CompileSettings()
        if let text = arguments.value("cpu"), let level = CPULevel(rawValue: text) { settings.cpu = level }
        if let text = arguments.value("target") { settings.target = text }
        if let text = arguments.value("bounds"), let bounds = Bounds(rawValue: text) {
            settings.bounds = bounds
        }
        if let text = arguments.value("tier"), let tier = Tier(rawValue: text) {
            settings.tier = tier
        }
        return settings
    }

    static func pool(_ arguments: Parsed, jobs: UInt64 = 0) throws(CommandFailure) -> CompilePool {
        CompilePool(store: try StoreCommand.open(arguments), settings: settings(arguments), jobs: Int(jobs))
    }

    /// Which compiler is installed beside this program; nil when there is none.
    static var identityIfAvailable: CompilerIdentity? {
        try? CompilePool(store: nil).identity()
    }
}
