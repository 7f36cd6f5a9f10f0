/// Why an object may not be loaded: which rule it breaks, where, and how.
public struct ArtifactError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rules an object is checked against, all before any of it is mapped.
    public enum Rule: String, Sendable, CaseIterable {
        /// A structure reaches beyond the end of the file.
        case truncated
        /// Not a 64-bit little-endian x86-64 shared object.
        case header
        /// Program headers of a kind or number that compiled actors do not have.
        case programHeaders
        /// A segment is empty, too large, or misplaced in file or memory.
        case segmentBounds
        case segmentOverlap
        case segmentAlignment
        /// Writable and executable, unreadable, or writable after relocation.
        case segmentPermissions
        /// A dynamic tag that compiled actors do not have: libraries, constructors, text relocations.
        case dynamicTag
        /// The dynamic section is misplaced, incomplete or contradicts itself.
        case dynamicSection
        case symbolTable
        /// Another symbol than `smelt_module` is exported, or one is undefined.
        case symbol
        case hashTable
        case relocation
        case sectionHeaders
        /// A section that runs code at load or is thread-local.
        case sectionKind
        case manifestMissing
        case manifestMalformed
        /// Bytes do not have the digest the manifest gives.
        case digest
        /// `smelt_module` does not describe a module inside this object.
        case descriptor
        /// Written in another format version, or for another version of the runtime interface.
        case version
        /// Compiled for a processor level this processor does not have.
        case cpuLevel
        /// For another target than this build runs.
        case target
        /// A sound object, but not the one asked for.
        case unexpectedKey
    }

    public var rule: Rule
    /// What was looked at: "program header 3", "relocation 17".
    public var place: String
    /// Byte offset in the file, where there is one.
    public var offset: UInt64?
    /// What is wrong, with the value and the limit.
    public var reason: String

    public init(_ rule: Rule, _ place: String, at offset: UInt64? = nil, _ reason: String) {
        self.rule = rule
        self.place = place
        self.offset = offset
        self.reason = reason
    }

    public var description: String {
        offset.map { "\(place) at \(hexText($0)): \(reason)" } ?? "\(place): \(reason)"
    }
}

/// `0x1f`.
func hexText(_ value: some BinaryInteger) -> String {
    "0x" + String(value, radix: 16)
}
