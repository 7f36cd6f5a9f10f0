import Primitives

/// Which generation of syscall signatures a network version links (FVM syscalls specification, section 11).
public enum SyscallGeneration: UInt8, Sendable, Hashable, CaseIterable {
    /// nv18 to nv20, ref-fvm 3.
    case v3 = 3
    /// nv21 to nv28, ref-fvm 4.
    case v4 = 4
}

/// The name of a price list.
public enum PriceListID: String, Sendable, Hashable, CaseIterable {
    case hygge
    case watermelon
    case teep
}

/// Everything that differs between network versions, as data. Code asks for a named property of the row and
/// never compares version numbers.
public struct NetworkProfile: Sendable, Hashable {
    /// The row's key.
    public var version: NetworkVersion
    /// What charges are made from.
    public var priceList: PriceListID
    /// Which syscalls are linked, with which signatures.
    public var syscalls: SyscallGeneration
    /// Bounds the machine enforces.
    public var limits: ExecutionLimits
    /// Rules that are neither prices nor bounds.
    public var behaviour: Behaviour
    /// Whether this build can execute messages of the version; `executable(_:)` asks it.
    public var isExecutable: Bool

    /// Bounds the machine enforces.
    public struct ExecutionLimits: Sendable, Hashable {
        /// Counted elements of the instrumented stack limiter, per instance.
        public var wasmStack: UInt32
        /// Frames of nested actor calls.
        public var callDepth: UInt32
        /// Bytes of memory of one instance.
        public var instanceMemory: UInt64
        /// Bytes of memories and tables over all live frames.
        public var messageMemory: UInt64
        /// Bytes of a block an actor may create.
        public var blockSize: UInt64
        /// Elements of a table.
        public var tableElements: UInt32
        /// Blocks a registry holds at most.
        public var registryBlocks: UInt32

        public init(
            wasmStack: UInt32, callDepth: UInt32, instanceMemory: UInt64, messageMemory: UInt64, blockSize: UInt64,
            tableElements: UInt32, registryBlocks: UInt32
        ) {
            self.wasmStack = wasmStack
            self.callDepth = callDepth
            self.instanceMemory = instanceMemory
            self.messageMemory = messageMemory
            self.blockSize = blockSize
            self.tableElements = tableElements
            self.registryBlocks = registryBlocks
        }
    }

    /// Switches between the two generations of the reference that are not prices or signatures.
    public struct Behaviour: Sendable, Hashable {
        /// Whether a gas limit pushed by a send is popped when the call depth is exceeded (not in ref-fvm 3.6–3.14).
        public var popsGasLimitOnDepthFailure: Bool
        /// Whether a module without `invoke` is fatal; otherwise exit code 5.
        public var missingInvokeIsFatal: Bool
        /// Whether CIDs must be reachable to be opened, linked to or set as root.
        public var tracksReachability: Bool
        /// Whether the return block of a nested call is charged by its links.
        public var chargesNestedReturns: Bool
        /// Whether an implicit account constructor leaves an `invoke` event in the trace.
        public var tracesImplicitConstructor: Bool
        /// Epochs `network::tipset_cid` looks back at most, exclusive; nil is any.
        public var tipsetLookbackLimit: Int64?
        /// Whether window PoSt types of version 1 (5 to 9) are known.
        public var knowsWindowPoStV1: Bool
        /// Whether the non-interactive seal types (15 to 19) are known.
        public var knowsNonInteractiveSeals: Bool

        public init(
            popsGasLimitOnDepthFailure: Bool, missingInvokeIsFatal: Bool, tracksReachability: Bool,
            chargesNestedReturns: Bool, tracesImplicitConstructor: Bool, tipsetLookbackLimit: Int64?,
            knowsWindowPoStV1: Bool, knowsNonInteractiveSeals: Bool
        ) {
            self.popsGasLimitOnDepthFailure = popsGasLimitOnDepthFailure
            self.missingInvokeIsFatal = missingInvokeIsFatal
            self.tracksReachability = tracksReachability
            self.chargesNestedReturns = chargesNestedReturns
            self.tracesImplicitConstructor = tracesImplicitConstructor
            self.tipsetLookbackLimit = tipsetLookbackLimit
            self.knowsWindowPoStV1 = knowsWindowPoStV1
            self.knowsNonInteractiveSeals = knowsNonInteractiveSeals
        }
    }

    public init(
        version: NetworkVersion, priceList: PriceListID, syscalls: SyscallGeneration, limits: ExecutionLimits,
        behaviour: Behaviour, isExecutable: Bool
    ) {
        self.version = version
        self.priceList = priceList
        self.syscalls = syscalls
        self.limits = limits
        self.behaviour = behaviour
        self.isExecutable = isExecutable
    }
}

/// Why a network version cannot be used.
public enum NetworkProfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No row in the table.
    case unknown(NetworkVersion)
    /// A row, but this build has no kernel for it.
    case notExecutable(NetworkVersion, SyscallGeneration)

    public var description: String {
        switch self {
        case .unknown(let version):
            "network version \(version.rawValue) is not known; known are 18 to 28"
        case .notExecutable(let version, let generation):
            "network version \(version.rawValue) needs syscalls of generation v\(generation.rawValue), "
                + "which this build cannot execute; executable are 18 to 20"
        }
    }
}

extension NetworkProfile {
    /// The row of a version, whether or not this build can execute it.
    public static func forVersion(_ version: NetworkVersion) throws(NetworkProfileError) -> NetworkProfile {
        guard let row = table.first(where: { $0.version == version }) else { throw .unknown(version) }
        return row
    }

    /// The row of a version that this build can execute messages of.
    public static func executable(_ version: NetworkVersion) throws(NetworkProfileError) -> NetworkProfile {
        let row = try forVersion(version)
        guard row.isExecutable else { throw .notExecutable(version, row.syscalls) }
        return row
    }
}
