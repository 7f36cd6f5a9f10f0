/// Where the two node implementations whose chains are the same do not do the same (FVM chain layer 2; marked L and F
/// there). No chain is known that shows a difference.
public struct NodeRules: Sendable, Equatable {
    public var name: String
    /// Senders are compared by id once an id address has been a sender; otherwise as they are written.
    public var resolvesSenders: Bool
    /// Two blocks of one miner make a tipset that cannot be executed.
    public var refusesMinerTwice: Bool
    /// A failing cron at the end of a tipset is an error; otherwise its state stays.
    public var demandsFinalCron: Bool
    /// The base fee tells signed messages apart with their signatures.
    public var countsSignatures: Bool
    /// Blocks have the same parents whatever their order.
    public var comparesParentsAsSets: Bool
    /// Whatever cannot be looked at is no fault; otherwise the actor hears that its arguments are none.
    public var answersNoFaultOnFailure: Bool
    /// Whether a network's pause of fault reports counts.
    public var knowsFaultPause: Bool

    /// Lotus b835fab7.
    public static let lotus = NodeRules(
        name: "lotus", resolvesSenders: true, refusesMinerTwice: true, demandsFinalCron: true, countsSignatures: true,
        comparesParentsAsSets: true, answersNoFaultOnFailure: true, knowsFaultPause: true)

    /// Forest 72c2f2f0.
    public static let forest = NodeRules(
        name: "forest", resolvesSenders: false, refusesMinerTwice: false, demandsFinalCron: false,
        countsSignatures: false, comparesParentsAsSets: false, answersNoFaultOnFailure: false, knowsFaultPause: false)

    /// Both.
    public static let all = [lotus, forest]
}
