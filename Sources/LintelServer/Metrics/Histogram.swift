#if Server
  internal import Synchronization

  /// How long something took, counted in fixed buckets.
  final class Histogram: Sendable {
    /// Upper bounds in seconds; one more bucket holds the rest.
    static let bounds = [
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    struct State {
      var counts = [Int](repeating: 0, count: Histogram.bounds.count + 1)
      var sum = 0.0
    }

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    func record(_ seconds: Double) {
      let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
      state.withLock {
        $0.counts[bucket] &+= 1
        $0.sum += seconds
      }
    }

    func record(since began: ContinuousClock.Instant) {
      let (seconds, attoseconds) = began.duration(to: .now).components
      record(Double(seconds) + Double(attoseconds) * 1e-18)
    }
  }
#endif
