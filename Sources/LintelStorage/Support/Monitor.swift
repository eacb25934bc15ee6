#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A value that threads share, and may wait for a change of: a POSIX mutex and a condition variable.
final class Monitor<Value>: @unchecked Sendable {
  // `value` is touched only under `mutex`.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private var value: Value

  init(_ value: sending Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  func read<Result>(_ body: (Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(value)
  }

  /// Changes the value, and wakes whoever waits for that: all of them, or one where one can make use of the change.
  func change<Result>(wakingAll: Bool = true, _ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      if wakingAll { pthread_cond_broadcast(changed) } else { pthread_cond_signal(changed) }
      pthread_mutex_unlock(mutex)
    }
    return body(&value)
  }

  /// Blocks until `isReady`, then changes the value in a way that nobody waits for.
  func take<Result>(when isReady: (Value) -> Bool, _ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isReady(value) { pthread_cond_wait(changed, mutex) }
    return body(&value)
  }

  /// Blocks until `isReady`.
  func wait(until isReady: (Value) -> Bool) { take(when: isReady) { _ in } }
}
