import CActorRuntime
import CodeSettings

extension CPULevel {
    /// The highest psABI level of the processor this runs on: 1 to 3, or 0 when it is not an x86-64.
    public static let processor: Int32 = smelt_rt_cpu_level()
}
