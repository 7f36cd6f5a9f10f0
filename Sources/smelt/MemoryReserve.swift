import CLinux

/// How the C library gets memory for this process.
enum MemoryReserve {
    /// What is freed is kept for the next block, from the start: those of actors' code and of vectors are large enough
    /// that each would be a mapping of its own, with a page fault for each of its pages. These are the values that the
    /// C library comes to by itself after large blocks were freed. And more memory is asked for by megabytes, not by
    /// pages: each time is a system call for which threads wait for each other.
    static func prepare() {
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 64 << 20)
        mallopt(M_TOP_PAD, 8 << 20)
    }
}
