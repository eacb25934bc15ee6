package import LintelStorage
internal import Synchronization

/// Runs tasks and a store's background work on one thread, one job after the other; a seed decides which is next.
///
/// So a run is the same each time: the order of commits, flushes, merges and of the client's calls follows from the seed.
package final class SimulatedScheduler: TaskExecutor, WorkScheduler {
  private struct State {
    var dice: Dice
    var tasks: [UnownedJob] = []
    var queues: [SimulatedQueue.Jobs] = []
  }

  private let state: Mutex<State>
  private let seconds = Mutex<Int64>(0)

  /// What the store's clock shows: seconds since the samples' epoch. It stands still until it is set.
  package var clockSeconds: Int64 {
    get { seconds.withLock { $0 } }
    set { seconds.withLock { $0 = newValue } }
  }

  package init(seed: UInt64) { state = Mutex(State(dice: Dice(seed))) }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.tasks.append(job) }
  }

  package func makeQueue(threads: Int) -> any WorkQueue {
    state.withLock { state in
      state.queues.append(SimulatedQueue.Jobs(threads: threads))
      return SimulatedQueue(self, state.queues.count - 1)
    }
  }

  /// Runs a task to its end, on the calling thread; `nil` when it waits for something that nobody will do.
  package func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
    let result = SimulatedResult<Value>()
    Task(executorPreference: self) {
      let value = await body()
      result.value.withLock { $0 = value }
    }
    while true {
      if let value = result.value.withLock({ $0 }) { return value }
      guard step() else { return nil }
    }
  }

  /// Runs what is still queued and waits for nothing.
  package func drain() {
    while step() {}
  }

  private enum Job {
    case task(UnownedJob)
    case work(@Sendable () -> Void)
  }

  private func step() -> Bool {
    let job: Job? = state.withLock { state in
      let heads = state.queues.map { min($0.threads, $0.waiting.count) }
      let count = state.tasks.count + heads.reduce(0, +)
      guard count > 0 else { return nil }
      var choice = state.dice.below(count)
      if choice < state.tasks.count { return .task(state.tasks.remove(at: choice)) }
      choice -= state.tasks.count
      for (index, heads) in heads.enumerated() {
        if choice < heads { return .work(state.queues[index].waiting.remove(at: choice)) }
        choice -= heads
      }
      return nil
    }
    switch job {
    case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
    case .work(let work): work()
    case nil: return false
    }
    return true
  }

  fileprivate func add(_ job: @escaping @Sendable () -> Void, _ queue: Int) -> Bool {
    state.withLock { state in
      guard !state.queues[queue].isStopped else { return false }
      state.queues[queue].waiting.append(job)
      return true
    }
  }

  fileprivate func stop(_ queue: Int) { state.withLock { $0.queues[queue].isStopped = true } }
}

private final class SimulatedQueue: WorkQueue {
  struct Jobs {
    let threads: Int
    var waiting: [@Sendable () -> Void] = []
    var isStopped = false
  }

  private let scheduler: SimulatedScheduler
  private let index: Int

  init(_ scheduler: SimulatedScheduler, _ index: Int) {
    self.scheduler = scheduler
    self.index = index
  }

  func add(_ job: @escaping @Sendable () -> Void) -> Bool { scheduler.add(job, index) }

  func stop() { scheduler.stop(index) }

  /// Everything runs on one thread: whoever waited would wait for itself.
  func waitForEnd() {}
}

private final class SimulatedResult<Value: Sendable>: Sendable {
  let value = Mutex<Value?>(nil)
}
