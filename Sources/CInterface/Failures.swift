import ArtifactFormat
import CActorRuntime
import CSmelt
import CodeSettings
import FVM

/// Why a function of the interface failed: a status and a text.
final class Failure: Handle, Error {
    let status: Int32
    let text: PinnedBytes

    init(_ status: smelt_status, _ text: String) {
        self.status = status.rawValue
        self.text = PinnedBytes(text.utf8)
    }

    static func misuse(_ text: String) -> Failure { Failure(SMELT_MISUSE, text) }

    convenience init(_ error: SessionError) {
        let status: smelt_status =
            switch error {
            case .noEpoch: SMELT_MISUSE
            case .invalid: SMELT_INVALID
            case .state: SMELT_BAD_STATE
            case .hostFault: SMELT_HOST_FAULT
            case .poisoned: SMELT_POISONED
            case .interrupted: SMELT_INTERRUPTED
            }
        self.init(status, error.description)
    }
}

/// Runs a function's body and hands out its failure.
func status(
    _ error: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws(Failure) -> Void
) -> Int32 {
    error?.pointee = nil
    do throws(Failure) {
        try body()
        return SMELT_OK.rawValue
    } catch let failure {
        error?.pointee = failure.handedOut()
        return failure.status
    }
}

/// An option structure as the caller's version of the header has it, the fields it does not know zero.
func options<Options>(_ given: UnsafePointer<Options>?, _ zero: Options, _ name: String) throws(Failure) -> Options {
    guard let given else { throw .misuse("\(name) is NULL") }
    // Sound: every option structure begins with its size.
    let size = UnsafeRawPointer(given).load(as: Int.self)
    guard size >= MemoryLayout<Int>.size, size <= 1 << 16 else {
        throw .misuse("\(name) has size \(size): it was not set up with SMELT_INIT")
    }
    var all = zero
    withUnsafeMutableBytes(of: &all) { bytes in
        bytes.copyMemory(from: UnsafeRawBufferPointer(start: given, count: min(size, bytes.count)))
    }
    return all
}

/// A pointer that has to be there.
func required<T>(_ value: T?, _ name: String) throws(Failure) -> T {
    guard let value else { throw .misuse("\(name) is NULL") }
    return value
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_error_status(_ error: OpaquePointer!) -> Int32 {
    guard let error else { return SMELT_OK.rawValue }
    return Failure.behind(error).status
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_error_text(_ error: OpaquePointer!) -> UnsafePointer<CChar>! {
    guard let error else { return nil }
    return Failure.behind(error).text.text
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_error_free(_ error: OpaquePointer!) { Failure.giveBack(error) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_interface_version() -> UInt32 { UInt32(SMELT_MAJOR) << 16 | UInt32(SMELT_MINOR) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_build() -> UnsafePointer<CChar>! { buildText.text }

private let buildText = PinnedBytes(
    ("smelt \(SmeltVersion.text), interface \(SMELT_MAJOR).\(SMELT_MINOR), runtime interface "
        + "\(SMELT_RT_ABI_MAJOR).\(SMELT_RT_ABI_MINOR)").utf8)
