/// The version of Smelt as a whole.
public enum SmeltVersion {
    /// `major.minor.patch`.
    public static let text = "0.1.0"
}
