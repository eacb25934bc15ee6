#if Server
  internal import Synchronization

  /// What the server counts. All of it is shown at `/metrics`.
  final class ServerMetrics: Sendable {
    struct Counters {
      var spansAccepted = 0
      var spansRejected = 0
      var spansDuplicate = 0
      /// Of erased users.
      var spansErased = 0
      /// Request bodies as sent, and after decompression.
      var bodyBytes = 0
      var expandedBytes = 0
      var queriesFailed = 0
      var requests: [Request: Int] = [:]
    }

    /// One line of the table of requests.
    struct Request: Hashable {
      /// A known path, or `other`: what clients make up doesn't become a label.
      var path: String
      var status: Int
    }

    let appendSeconds = Histogram()
    let querySeconds = Histogram()
    private let counters = Mutex(Counters())

    var current: Counters { counters.withLock { $0 } }

    func count(_ change: (inout Counters) -> Void) { counters.withLock { change(&$0) } }

    func countRequest(_ path: String, status: Int) {
      count { $0.requests[Request(path: path, status: status), default: 0] &+= 1 }
    }
  }
#endif
