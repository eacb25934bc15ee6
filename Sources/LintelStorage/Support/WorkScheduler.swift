/// Runs a store's blocking work. Without one it has threads; the simulation runs one job after the other, in an order that
/// a seed decides.
package protocol WorkScheduler: Sendable {
  /// A queue of jobs that start in the order they are added, so many at a time at most.
  func makeQueue(threads: Int) -> any WorkQueue
}

package protocol WorkQueue: Sendable {
  /// False when the queue has been stopped.
  func add(_ job: @escaping @Sendable () -> Void) -> Bool
  /// Takes no more jobs; those added before still run.
  func stop()
  /// Blocks until a stopped queue is empty.
  func waitForEnd()
}
