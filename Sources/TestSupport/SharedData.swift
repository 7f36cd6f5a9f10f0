import Glibc

/// Where the shared specification data lies: `SMELT_SHARED`, or `../shared` beside the package.
public let sharedRoot: String = {
    if let value = getenv("SMELT_SHARED") { return String(cString: value) }
    return packageRoot + "/../shared"
}()

/// The package's own folder, found from this source file's place in it.
public let packageRoot: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/")
}()

/// Where the programs under test lie: `SMELT_BIN`, or the standard build's folder.
public let builtPrograms: String = {
    if let value = getenv("SMELT_BIN") { return String(cString: value) }
    return packageRoot + "/.build/release"
}()

/// The path of shared data, or nil (said on stderr) when it is not there.
public func sharedData(_ path: String) -> String? {
    let full = sharedRoot + "/" + path
    if access(full, R_OK) == 0 { return full }
    let message = Array("not run: \(path) is not in the shared data (set SMELT_SHARED)\n".utf8)
    _ = write(STDERR_FILENO, message, message.count)
    return nil
}

/// A store that test runs share and keep, so that the actors of a bundle are compiled once for all tests.
public var sharedTestStore: String { packageRoot + "/.build/test-store" }
