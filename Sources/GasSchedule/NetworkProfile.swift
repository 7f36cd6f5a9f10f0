import Primitives

/// Which generation of syscall signatures a network version links (FVM syscalls specification, section 11).
public enum SyscallGeneration: UInt8, Sendable, Hashable, CaseIterable {
    /// nv18 to nv20, ref-fvm 3.
    case v3 = 3
    /// nv21 and later, ref-fvm 4.
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
    /// Bounds the machine enforces.
    public var limits: ExecutionLimits
    /// Rules that are neither prices nor bounds.
    public var behaviour: Behaviour

    /// Which syscalls are linked, with which signatures: those the price list has prices for.
    public var syscalls: SyscallGeneration { PriceList.named(priceList).generation }

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
        /// What a module's `invoke` must be.
        public var entryPoint: EntryPointRules
        /// Whether CIDs must be reachable to be opened, linked to or set as root.
        public var tracksReachability: Bool
        /// Whether the return block of a nested call is charged by its links.
        public var chargesNestedReturns: Bool
        /// Whether an implicit account constructor leaves an `invoke` event in the trace.
        public var tracesImplicitConstructor: Bool
        /// Epochs `network::tipset_cid` looks back at most, exclusive; nil is any.
        public var tipsetLookbackLimit: Int64?
        /// Whether the non-interactive seal types (15 to 19) are known.
        public var knowsNonInteractiveSeals: Bool
        /// Whether a negative gas cost is taken from the sender like any other; otherwise there is no receipt.
        public var deductsNegativeAmounts: Bool
        /// What a receipt has.
        public var receipt: ReceiptForm

        public init(
            popsGasLimitOnDepthFailure: Bool, entryPoint: EntryPointRules, tracksReachability: Bool,
            chargesNestedReturns: Bool, tracesImplicitConstructor: Bool, tipsetLookbackLimit: Int64?,
            knowsNonInteractiveSeals: Bool, deductsNegativeAmounts: Bool, receipt: ReceiptForm
        ) {
            self.popsGasLimitOnDepthFailure = popsGasLimitOnDepthFailure
            self.entryPoint = entryPoint
            self.tracksReachability = tracksReachability
            self.chargesNestedReturns = chargesNestedReturns
            self.tracesImplicitConstructor = tracesImplicitConstructor
            self.tipsetLookbackLimit = tipsetLookbackLimit
            self.knowsNonInteractiveSeals = knowsNonInteractiveSeals
            self.deductsNegativeAmounts = deductsNegativeAmounts
            self.receipt = receipt
        }
    }

    /// How an actor's entry point is looked for.
    public enum EntryPointRules: Sendable, Hashable {
        /// `invoke` must be a function `(i32) -> i32`; anything else is fatal before it runs.
        case typed
        /// Without a function `invoke` the call ends with exit code 5; one of another type is called and fatal then.
        case calledAnyway
    }

    /// The fields of a receipt.
    public enum ReceiptForm: Sendable, Hashable {
        /// Exit code, return data, gas used, events root.
        case withEventsRoot
    }

    public init(
        version: NetworkVersion, priceList: PriceListID, limits: ExecutionLimits, behaviour: Behaviour
    ) {
        self.version = version
        self.priceList = priceList
        self.limits = limits
        self.behaviour = behaviour
    }
}

/// A network version without a row in the table.
public struct NetworkProfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The version asked for.
    public var version: NetworkVersion

    public init(unknown version: NetworkVersion) { self.version = version }

    public var description: String {
        let known = NetworkProfile.table.map(\.version.rawValue)
        return "network version \(version.rawValue) is not known; known are \(known.min() ?? 0) to \(known.max() ?? 0)"
    }
}

extension NetworkProfile {
    /// The row of a version.
    public static func forVersion(_ version: NetworkVersion) throws(NetworkProfileError) -> NetworkProfile {
        guard let row = table.first(where: { $0.version == version }) else {
            throw NetworkProfileError(unknown: version)
        }
        return row
    }
}
