import Glibc

/// The processors of this machine.
enum Processors {
    /// How many there are.
    static var online: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
