import Primitives
import StateTree

/// Which actors and addresses a message has touched so far: what was touched once is not charged again
/// (FVM machine specification, section 6). What a reverted transaction touched is forgotten.
struct AccessTracker {
    enum Access: UInt8, Comparable {
        case read = 1
        case updated = 2

        static func < (left: Access, right: Access) -> Bool { left.rawValue < right.rawValue }
    }

    private var actors = HistoryMap<UInt64, Access>()
    private var addresses = HistoryMap<Address, Bool>()

    /// The strongest access to an actor so far.
    func access(to id: UInt64) -> Access? { actors[id] }

    /// Records an access, unless a stronger one is recorded.
    mutating func record(_ access: Access, to id: UInt64) {
        guard actors[id].map({ $0 < access }) ?? true else { return }
        actors[id] = access
    }

    func isResolved(_ address: Address) -> Bool { addresses[address] != nil }

    /// Records that an address was looked up; ids need no lookup and are not recorded.
    mutating func recordResolution(of address: Address) {
        guard address.id == nil, addresses[address] == nil else { return }
        addresses[address] = true
    }

    mutating func begin() {
        actors.begin()
        addresses.begin()
    }

    mutating func end(revert: Bool) {
        actors.end(revert: revert)
        addresses.end(revert: revert)
    }
}
