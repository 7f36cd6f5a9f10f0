/// What the reference's instrumentation would charge and check, at positions of the source bodies.
///
/// Amounts are milligas. A position is the index of an instruction in its body. Lowering and the
/// interpreter consume this plan and never compute a price.
public struct MeteringPlan: Sendable, Equatable {
    /// A metered block: charged in full before the instruction at `position`.
    public struct BlockCharge: Sendable, Hashable {
        /// Index of the instruction in the source body.
        public var position: UInt32
        /// What is charged.
        public var milligas: UInt64

        public init(position: UInt32, milligas: UInt64) {
            self.position = position
            self.milligas = milligas
        }
    }

    /// A run-time priced instruction: topmost i32 (unsigned) times `milligasPerUnit`, charged right before
    /// it, after a block charge at the same position.
    public struct LinearCharge: Sendable, Hashable {
        /// Index of the instruction in the source body.
        public var position: UInt32
        /// Per page, byte or element.
        public var milligasPerUnit: UInt64

        public init(position: UInt32, milligasPerUnit: UInt64) {
            self.position = position
            self.milligasPerUnit = milligasPerUnit
        }
    }

    /// The charges and the stack cost of one function.
    public struct Function: Sendable, Equatable {
        /// Counted elements added to the height around a call of this function.
        public var stackCost: UInt32
        /// In ascending order of position; no block has a sum of 0.
        public var blocks: [BlockCharge]
        /// In ascending order of position.
        public var linear: [LinearCharge]

        public init(stackCost: UInt32, blocks: [BlockCharge], linear: [LinearCharge]) {
            self.stackCost = stackCost
            self.blocks = blocks
            self.linear = linear
        }
    }

    /// Functions the module defines, in order.
    public var functions: [Function]
    /// Per function of the index space: what an entry through an export, a table or the start section
    /// charges, or nil where the reference makes no trampoline (imports; functions reached otherwise).
    public var trampolines: [UInt64?]
    /// Counted elements; a height above it traps as `unreachable` (2,048 for every network version).
    public var stackLimit: UInt32

    public init(functions: [Function], trampolines: [UInt64?], stackLimit: UInt32) {
        self.functions = functions
        self.trampolines = trampolines
        self.stackLimit = stackLimit
    }
}
