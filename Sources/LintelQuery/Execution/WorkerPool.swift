import Glibc
import LintelStorage
import Synchronization

/// Threads of the executor's own, kept alive between queries, so that blocking reads never sit on Swift's cooperative pool.
///
/// The calling thread always takes part: a query makes progress even when every worker is busy with others.
final class WorkerPool: Sendable {
  static let shared = WorkerPool()
  static let maximumThreads = 256
  static var processorCount: Int { EngineThreads.processorCount }

  /// A body to run on up to `wanted` more threads.
  private final class Job: Sendable {
    let body: @Sendable (Int) -> Void
    let state: Mutex<State>

    struct State {
      var wanted: Int
      var nextWorker = 1
      var running = 0
    }

    init(wanted: Int, body: @escaping @Sendable (Int) -> Void) {
      self.body = body
      state = Mutex(State(wanted: wanted))
    }

    /// The number of the worker that joins, or `nil` when no more are wanted.
    func join() -> Int? {
      state.withLock { state in
        guard state.wanted > 0 else { return nil }
        state.wanted -= 1
        state.running += 1
        defer { state.nextWorker += 1 }
        return state.nextWorker
      }
    }
  }

  private struct Queue {
    var jobs: [Job] = []
    var threads = 0
    var idle = 0
  }

  private let queue = Mutex(Queue())
  private let wakeUps = Semaphore()

  /// Runs `body(worker)` on `threads` threads, worker 0 being the calling one, and returns when all have returned.
  func run(threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let extra = min(max(threads, 1), Self.maximumThreads) - 1
    guard extra > 0 else { return body(0) }
    let job = Job(wanted: extra, body: body)
    let toStart = queue.withLock { queue in
      queue.jobs.append(job)
      let missing = min(max(0, extra - queue.idle), Self.maximumThreads - queue.threads)
      queue.threads += missing
      return missing
    }
    for _ in 0..<toStart { startThread() }
    for _ in 0..<extra { wakeUps.signal() }
    body(0)
    finish(job)
  }

  private func finish(_ job: Job) {
    job.state.withLock { $0.wanted = 0 }
    queue.withLock { queue in queue.jobs.removeAll { $0 === job } }
    while job.state.withLock({ $0.running }) > 0 { usleep(20) }
  }

  private func startThread() {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 8 << 20)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let pool = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<WorkerPool>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, pool.toOpaque())
    pthread_attr_destroy(&attributes)
    if status != 0 {
      pool.release()
      queue.withLock { $0.threads -= 1 }
    }
  }

  private func work() {
    while true {
      queue.withLock { $0.idle += 1 }
      wakeUps.wait()
      let job = queue.withLock { queue -> Job? in
        queue.idle -= 1
        return queue.jobs.first
      }
      guard let job else { continue }
      guard let worker = job.join() else {
        queue.withLock { queue in queue.jobs.removeAll { $0 === job } }
        continue
      }
      job.body(worker)
      job.state.withLock { $0.running -= 1 }
    }
  }
}

/// A POSIX semaphore with a stable address.
private final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() { while sem_wait(semaphore) != 0 {} }
}
