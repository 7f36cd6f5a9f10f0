/// A part of the vectors, or of a chain's tipsets, so that several runs, here or on other machines, replay all of them without overlap.
public struct Shard: Sendable, Equatable {
    /// From 1 to `count`.
    public let index: Int
    public let count: Int

    /// nil where there is no such part.
    public init?(index: Int, count: Int) {
        guard count >= 1, count <= 1_000_000, index >= 1, index <= count else { return nil }
        self.index = index
        self.count = count
    }

    /// `I/N`; nil for anything else.
    public init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else { return nil }
        self.init(index: index, count: count)
    }

    /// Whether what stands at a position among all belongs to it. Neighbours, which are alike, go to different parts.
    public func contains(_ position: Int) -> Bool { position % count == index - 1 }

    public var text: String { "\(index)/\(count)" }
}
