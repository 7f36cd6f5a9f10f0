extension Module {
    /// Decodes a binary (core spec chapter 5).
    public static func decode(_ bytes: [UInt8], profile: AcceptanceProfile) throws(Refusal) -> Module {
        throw Refusal(stage: .decode, rule: "not decoded")
    }
}
