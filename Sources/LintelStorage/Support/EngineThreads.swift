#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Threads of the engine's own for calls that block. Swift's cooperative pool has one thread a core; a `fsync` on it would
/// stop a core of the embedding service.
///
/// Jobs start in the order they were handed in. With one thread they also run one after the other.
public final class EngineThreads: Sendable {
  private let queue: any WorkQueue
  let count: Int

  /// Processors of this machine.
  public static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// - Parameter name: shows in debuggers and `top`; up to 15 bytes.
  public convenience init(count: Int, name: String) { self.init(count: count, name: name, scheduler: nil) }

  /// - Parameters:
  ///   - niceness: how far the threads stand back when others want the processor, as `nice` has it (on Linux).
  ///   - scheduler: Runs the jobs instead of threads.
  package init(count: Int, name: String, niceness: Int32 = 0, scheduler: (any WorkScheduler)?) {
    self.count = max(0, count)
    if let scheduler {
      queue = scheduler.makeQueue(threads: max(1, count))
    } else {
      let queue = JobQueue()
      for _ in 0..<self.count { queue.startThread(name: name, niceness: niceness) }
      self.queue = queue
    }
  }

  // Every job holds its pool through its continuation's caller, so nothing is left to run.
  deinit { queue.stop() }

  /// Runs a blocking body on one of the threads. Throws `.closed` when the pool has been shut down.
  public func run<T: Sendable>(
    _ body: @escaping @Sendable () throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    let result: Result<T, StorageError> = await withCheckedContinuation { continuation in
      let accepted = queue.add {
        do throws(StorageError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      if !accepted {
        continuation.resume(returning: .failure(StorageError(.closed, "the store has been closed: open it again")))
      }
    }
    return try result.get()
  }

  /// Runs a body on one of the threads without waiting for it. False when the pool has been shut down.
  @discardableResult
  public func start(_ body: @escaping @Sendable () -> Void) -> Bool { queue.add(body) }

  /// Runs a blocking body on the calling thread, and at the same time on up to `helpers` threads of the pool. Returns when
  /// none of them is at it any more.
  func together(_ helpers: Int, _ body: @escaping @Sendable () -> Void) {
    // The body throws nothing.
    _ = try? together(helpers, helping: body) { () throws(StorageError) in body() }
  }

  /// Runs `helping` on up to `helpers` threads of the pool while `body` runs on the calling thread. Returns when none of them
  /// is at it any more.
  func together<T>(
    _ helpers: Int, helping: @escaping @Sendable () -> Void, _ body: () throws(StorageError) -> T
  ) throws(StorageError) -> T {
    let running = Monitor(0)
    for _ in 0..<helpers {
      running.change { $0 += 1 }
      let accepted = queue.add {
        helping()
        running.change { $0 -= 1 }
      }
      if !accepted { running.change { $0 -= 1 } }
    }
    defer { running.wait { $0 == 0 } }
    return try body()
  }

  /// Takes no more jobs, and lets the threads end when those handed in have run. Doesn't wait.
  public func shutDown() { queue.stop() }

  /// ``shutDown()``, then blocks until the threads have ended. Must not be called on one of them.
  public func shutDownAndWait() {
    queue.stop()
    queue.waitForEnd()
  }
}

/// A first-in first-out queue with waiting.
private final class JobQueue: WorkQueue, Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var head = 0
    var isStopped = false
    var threadCount = 0

    mutating func takeFirst() -> @Sendable () -> Void {
      let job = jobs[head]
      jobs[head] = {}
      head += 1
      if head == jobs.count || head >= 1024 {
        jobs.removeFirst(head)
        head = 0
      }
      return job
    }
  }

  private let state = Monitor(State())

  func add(_ job: @escaping @Sendable () -> Void) -> Bool {
    state.change(wakingAll: false) { state in
      guard !state.isStopped, state.threadCount > 0 else { return false }
      state.jobs.append(job)
      return true
    }
  }

  func stop() { state.change { $0.isStopped = true } }

  func waitForEnd() { state.wait { $0.threadCount == 0 } }

  /// The next job, waiting for one; `nil` when the queue was stopped and is empty.
  private func next() -> (@Sendable () -> Void)? {
    state.take(when: { $0.head < $0.jobs.count || $0.isStopped }) { state in
      state.head < state.jobs.count ? state.takeFirst() : nil
    }
  }

  func startThread(name: String, niceness: Int32) {
    state.change { $0.threadCount += 1 }
    let start = Unmanaged.passRetained(ThreadStart(queue: self, name: name, niceness: niceness))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let result = pthread_create(&thread, nil, engineThreadMain, start.toOpaque())
    guard result == 0 else {
      start.release()
      state.change { $0.threadCount -= 1 }
      return
    }
    #if canImport(Darwin)
      if let thread { pthread_detach(thread) }
    #else
      pthread_detach(thread)
    #endif
  }

  func runJobs() {
    while let job = next() { job() }
    state.change { $0.threadCount -= 1 }
  }
}

private final class ThreadStart {
  let queue: JobQueue
  let name: String
  let niceness: Int32

  init(queue: JobQueue, name: String, niceness: Int32) {
    self.queue = queue
    self.niceness = niceness
    self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
  }
}

#if canImport(Darwin)
  private func engineThreadMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    pthread_setname_np(start.name)
    start.queue.runJobs()
    return nil
  }
#else
  private func engineThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    // pthread_setname_np isn't visible from Swift on Linux.
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    if file >= 0 {
      _ = write(file, start.name, start.name.utf8.count)
      _ = close(file)
    }
    // Of this thread alone, on Linux. PRIO_PROCESS is 0; what type it has depends on the C library.
    if start.niceness != 0 { _ = setpriority(0, 0, start.niceness) }
    start.queue.runJobs()
    return nil
  }
#endif
