import CodeSettings
import GasSchedule
import WasmFormat

/// What the user or the caller chooses about code generation; all of it is part of the key.
public struct CompileSettings: Hashable, Sendable {
    public var profile: AcceptanceProfile
    public var prices: WasmPrices
    /// Counted elements.
    public var stackLimit: UInt32
    /// Whether gas and stack height are counted; only the test suite's harness goes without.
    public var isMetered: Bool
    public var bounds: Bounds
    public var tier: Tier
    public var cpu: CPULevel
    /// Target triple.
    public var target: String

    public init(
        profile: AcceptanceProfile = .fvm, prices: WasmPrices = .fvm,
        stackLimit: UInt32 = NetworkProfile.ExecutionLimits.fvm.wasmStack, isMetered: Bool = true,
        bounds: Bounds = .guardPages, tier: Tier = .optimised, cpu: CPULevel = .standard,
        target: String = ArtifactFormat.target
    ) {
        self.profile = profile
        self.prices = prices
        self.stackLimit = stackLimit
        self.isMetered = isMetered
        self.bounds = bounds
        self.tier = tier
        self.cpu = cpu
        self.target = target
    }

    /// Digest of the acceptance profile.
    public var profileDigest: Digest {
        Digest(
            of: FieldText([
                "links-everything": String(profile.linksEverything),
                "refuses-uninstrumentable-sections": String(profile.refusesUninstrumentableSections),
            ]).encoded)
    }

    /// Digest of the prices compiled code depends on.
    public var pricesDigest: Digest {
        var text = FieldText()
        for parameter in prices.parameters { text.append(parameter.name, parameter.milligas) }
        return Digest(of: text.encoded)
    }

    /// Digest of everything else; CPU level and target are inputs of their own.
    public var digest: Digest {
        Digest(
            of: FieldText([
                "stack-limit": String(stackLimit), "metered": String(isMetered), "bounds": bounds.rawValue,
                "tier": tier.rawValue,
            ]).encoded)
    }
}
