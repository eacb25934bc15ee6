internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// Memory that was freed, but that the allocator keeps for later.
///
/// A flush, a merge and a large query each need some hundred megabytes for seconds. The allocator keeps what they free in the
/// arena of the thread that freed it, where the next of another kind doesn't find it: without giving it back, a process takes
/// what all of them need together.
package enum FreedMemory {
  /// When it was given back last, in seconds of the monotonic clock.
  private static let last = Atomic<Int64>(0)

  /// Bytes of a query's intermediate results after which it is worth while.
  package static let queryBytes = 64 << 20

  /// Gives it back to the system, if that wasn't done within the last second. Takes some milliseconds: for background threads.
  package static func giveBack() {
    #if canImport(Glibc)
      let now = WallClock.monotonic() / 1_000_000_000
      let before = last.load(ordering: .relaxed)
      guard now != before,
        last.compareExchange(expected: before, desired: now, ordering: .relaxed).exchanged
      else { return }
      _ = trim?(0)
    #endif
  }

  #if canImport(Glibc)
    /// glibc's `malloc_trim`, which Swift's view of glibc leaves out.
    private static let trim: (@convention(c) (Int) -> CInt)? = dlsym(nil, "malloc_trim").map {
      unsafeBitCast($0, to: (@convention(c) (Int) -> CInt).self)
    }
  #endif
}
