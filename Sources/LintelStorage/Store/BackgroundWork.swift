/// What a store does by itself, and tries again when it has failed.
///
/// A failure is a problem until the same work succeeds: who looks after the store should see what is wrong, not what was.
enum BackgroundWork: Hashable, Sendable {
  case flushing, merging, moving, erasing, expiring, sweeping
  /// Reading a file again, to find damage.
  case checking(String)
}

/// Something that is wrong with a store.
struct NotedProblem: Sendable {
  var error: StorageError
  /// What failed by it; `nil` where the problem doesn't go by itself.
  var work: BackgroundWork?
  /// How many problems there had been with it.
  var number: Int
}
