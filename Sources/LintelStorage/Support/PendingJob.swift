internal import Synchronization

/// A job that waits for a thread once at most: asked for again before it has begun, it is the same one.
final class PendingJob: Sendable {
  private let isWaiting = Mutex(false)

  /// Has a thread run `body`, unless it is going to anyway.
  func start(on threads: EngineThreads, _ body: @escaping @Sendable () -> Void) {
    let isFirst = isWaiting.withLock { isWaiting in
      defer { isWaiting = true }
      return !isWaiting
    }
    guard isFirst else { return }
    let isAccepted = threads.start { [self] in
      isWaiting.withLock { $0 = false }
      body()
    }
    if !isAccepted { isWaiting.withLock { $0 = false } }
  }
}
