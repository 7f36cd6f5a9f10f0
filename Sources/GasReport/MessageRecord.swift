import Primitives

/// A measured message as the report's tables take it: one time for everything, over its rounds.
struct MessageRecord: Sendable {
    /// Gas and time of what has one name.
    struct Part: Sendable, Equatable {
        var name: String
        var count: Int
        /// Milligas.
        var compute: UInt64
        /// Milligas.
        var other: UInt64
        var nanoseconds: Double

        /// Whether it is a stage that no charge pays for.
        var isUncharged: Bool { name.hasPrefix("(") }
    }

    var vector: String
    var index: Int
    var file: String
    var networkVersion: UInt32
    /// `actor.Method` of the call the message makes.
    var title: String
    var exitCode: UInt32
    /// Whole gas.
    var gasUsed: UInt64
    /// Nanoseconds of processor time: the mean over the faster half of the rounds, as are those of its parts.
    var elapsed: Double
    /// Nanoseconds of each round.
    var rounds: [Double]
    var charges: [Part]
    var calls: [Part]

    /// Nanoseconds of all its spans.
    var spans: Double { charges.reduce(0) { $0 + $1.nanoseconds } }
    /// Nanoseconds that no charge pays for.
    var uncharged: Double { charges.reduce(0) { $1.isUncharged ? $0 + $1.nanoseconds : $0 } }
    /// Milligas for computing, of all charges.
    var compute: UInt64 { charges.reduce(0) { $0.addingSaturating($1.compute) } }
    /// The guest's code: milligas and nanoseconds.
    var guest: Part? { charges.first { $0.name == "wasm_exec" } }
    /// Nanoseconds per gas for computing; nil without such gas.
    var nanosecondsPerGas: Double? { compute == 0 ? nil : elapsed * 1000 / Double(compute) }
}
