/// What ends a query before it has an answer: cancellation, or its time limit.
///
/// Loops whose length depends on the data look at it every ``interval`` steps, so that a query ends within milliseconds
/// wherever it is: while it scans, hashes, merges, sorts, gathers or writes its answer out.
final class Interrupt: Sendable {
  /// Steps between two looks. A step may cost a cache miss or two: then a look comes every few milliseconds.
  static let interval = 1 << 15

  /// The same while a hash table grows: at first each step touches a page, maybe a large one, that the system has yet to
  /// clear.
  static let tableInterval = 1 << 8

  /// Of work that nobody can stop, such as what tests do.
  static let never = Interrupt(CancellationToken())

  private let cancellation: CancellationToken
  private let deadline: ContinuousClock.Instant?
  private let limit: Double

  /// - Parameter limit: seconds that the query may take, from `start` on.
  init(
    _ cancellation: CancellationToken, start: ContinuousClock.Instant = .now, limit: Double? = nil
  ) {
    self.cancellation = cancellation
    self.limit = limit ?? 0
    // A duration of a greater number of seconds would trap.
    deadline = limit.map { start + .seconds(max(0, min($0, 1e9))) }
  }

  /// Whether the query is over. Once true, always true: what stops on it may leave its work undone, since nobody asks for it
  /// any more, as long as every path to an answer goes by ``check()``.
  var isRaised: Bool { cancellation.poll() || isLate }

  private var isLate: Bool { deadline.map { ContinuousClock.now > $0 } ?? false }

  /// Throws when the query is over.
  func check() throws(ExecutionFailure) {
    if cancellation.poll() { throw .query(QueryError(.cancelled, "the query was cancelled")) }
    if isLate {
      throw .query(
        QueryError(
          .limitExceeded, "the query took longer than its limit of \(limit) s; narrow the filter or raise the limit"))
    }
  }

  /// Throws when the query is over; looks only every ``interval`` steps of a loop.
  @inline(__always)
  func check(atStep step: Int) throws(ExecutionFailure) {
    if step & (Self.interval - 1) == 0 { try check() }
  }

  /// Calls `body` with one stretch of `0 ..< count` after the other, and looks before each.
  @inline(__always)
  func forEachStretch(
    of count: Int, _ body: (Range<Int>) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    var start = 0
    repeat {
      try check()
      let end = min(start &+ Self.interval, count)
      try body(start..<end)
      start = end
    } while start < count
  }

  /// A lane per index.
  @inline(__always)
  func makeLanes<R: BitwiseCopyable>(_ count: Int, _ body: (Int) -> R) throws(ExecutionFailure) -> [R] {
    let lanes = [R](unsafeUninitializedCapacity: count) { out, initialized in
      var start = 0
      while start < count, !isRaised {
        let end = min(start &+ Self.interval, count)
        for index in start..<end { out[index] = body(index) }
        start = end
      }
      initialized = start
    }
    try check()
    return lanes
  }

  /// A lane for each of `a`.
  @inline(__always)
  func mapLanes<A, R: BitwiseCopyable>(_ a: [A], _ body: (A) -> R) throws(ExecutionFailure) -> [R] {
    let lanes = [R](unsafeUninitializedCapacity: a.count) { out, initialized in
      initialized = a.withUnsafeBufferPointer { a in
        var start = 0
        while start < a.count, !isRaised {
          let end = min(start &+ Self.interval, a.count)
          for index in start..<end { out[index] = body(a[index]) }
          start = end
        }
        return start
      }
    }
    try check()
    return lanes
  }

  /// The numbers `0 ..< count` put together by group, in their order: those of group `g` lie at `starts[g] ..< starts[g + 1]`.
  @inline(__always)
  func byGroup(
    _ count: Int, groups: Int, _ group: (Int) -> UInt32
  ) throws(ExecutionFailure) -> (numbers: [UInt32], starts: [Int]) {
    var starts = try makeLanes(groups + 1) { _ in 0 }
    try forEachStretch(of: count) { stretch in for number in stretch { starts[Int(group(number)) + 1] += 1 } }
    try forEachStretch(of: groups) { stretch in for group in stretch { starts[group + 1] += starts[group] } }
    var next = try makeLanes(groups + 1) { starts[$0] }
    var numbers = try makeLanes(count) { _ in UInt32(0) }
    try forEachStretch(of: count) { stretch in
      for number in stretch {
        let group = Int(group(number))
        numbers[next[group]] = UInt32(truncatingIfNeeded: number)
        next[group] += 1
      }
    }
    return (numbers, starts)
  }
}
