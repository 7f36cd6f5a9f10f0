/// The result of a message or call (FVM syscall layer, "exit codes"): 0 is success, 1–15 belong to the VM, the rest
/// to actors.
public struct ExitCode: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Success; the codes below are the FVM's by their names there.
    public static let ok = ExitCode(rawValue: 0)
    public static let sysSenderInvalid = ExitCode(rawValue: 1)
    public static let sysSenderStateInvalid = ExitCode(rawValue: 2)
    public static let sysIllegalInstruction = ExitCode(rawValue: 4)
    public static let sysInvalidReceiver = ExitCode(rawValue: 5)
    public static let sysInsufficientFunds = ExitCode(rawValue: 6)
    public static let sysOutOfGas = ExitCode(rawValue: 7)
    // swift-format-ignore: DontRepeatTypeInStaticProperties
    public static let sysIllegalExitCode = ExitCode(rawValue: 9)
    public static let sysAssertionFailed = ExitCode(rawValue: 10)
    public static let sysMissingReturn = ExitCode(rawValue: 11)
    public static let usrIllegalArgument = ExitCode(rawValue: 16)
    public static let usrNotFound = ExitCode(rawValue: 17)
    public static let usrForbidden = ExitCode(rawValue: 18)
    public static let usrInsufficientFunds = ExitCode(rawValue: 19)
    public static let usrIllegalState = ExitCode(rawValue: 20)
    public static let usrSerialization = ExitCode(rawValue: 21)
    public static let usrUnhandledMessage = ExitCode(rawValue: 22)
    public static let usrUnspecified = ExitCode(rawValue: 23)
    public static let usrAssertionFailed = ExitCode(rawValue: 24)
    public static let usrReadOnly = ExitCode(rawValue: 25)
    public static let usrNotPayable = ExitCode(rawValue: 26)

    /// The first code an actor may exit with, 0 apart.
    public static let firstActorCode: UInt32 = 16

    private static let names: [UInt32: String] = [
        0: "OK", 1: "SYS_SENDER_INVALID", 2: "SYS_SENDER_STATE_INVALID", 4: "SYS_ILLEGAL_INSTRUCTION",
        5: "SYS_INVALID_RECEIVER", 6: "SYS_INSUFFICIENT_FUNDS", 7: "SYS_OUT_OF_GAS", 9: "SYS_ILLEGAL_EXIT_CODE",
        10: "SYS_ASSERTION_FAILED", 11: "SYS_MISSING_RETURN", 16: "USR_ILLEGAL_ARGUMENT", 17: "USR_NOT_FOUND",
        18: "USR_FORBIDDEN", 19: "USR_INSUFFICIENT_FUNDS", 20: "USR_ILLEGAL_STATE", 21: "USR_SERIALIZATION",
        22: "USR_UNHANDLED_MESSAGE", 23: "USR_UNSPECIFIED", 24: "USR_ASSERTION_FAILED", 25: "USR_READ_ONLY",
        26: "USR_NOT_PAYABLE",
    ]

    /// The conventional name, or nil for a code that has none.
    public var name: String? { ExitCode.names[rawValue] }

    /// Whether this is 0.
    public var isSuccess: Bool { rawValue == 0 }
}

extension ExitCode: CustomStringConvertible {
    /// `17 (USR_NOT_FOUND)`, or the number alone.
    public var description: String { name.map { "\(rawValue) (\($0))" } ?? String(rawValue) }
}

/// What a refused syscall returns to its actor (FVM syscall layer, "error numbers").
public enum ErrorNumber: UInt32, Sendable, CaseIterable {
    case illegalArgument = 1
    case illegalOperation = 2
    case limitExceeded = 3
    case assertionFailed = 4
    case insufficientFunds = 5
    case notFound = 6
    case invalidHandle = 7
    case illegalCid = 8
    case illegalCodec = 9
    case serialization = 10
    case forbidden = 11
    case bufferTooSmall = 12
    case readOnly = 13
}

/// The number of a network upgrade; what it switches is data elsewhere.
public struct NetworkVersion: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static func < (left: NetworkVersion, right: NetworkVersion) -> Bool { left.rawValue < right.rawValue }

    public var description: String { "nv\(rawValue)" }
}

extension ErrorNumber {
    /// The exit code that a receipt or a trace shows for a call that ended with this error (FVM machine specification,
    /// section 4.3).
    public var asReceipt: ExitCode {
        switch self {
        case .insufficientFunds: .sysInsufficientFunds
        case .notFound: .sysInvalidReceiver
        default: .sysAssertionFailed
        }
    }
}
