#if Server
  internal import LintelStorage
  internal import Logging
  internal import Synchronization

  /// Logs when the store begins and ceases to refuse spans: a line for each change, not for each request.
  final class StoreLog: Sendable {
    private let logger: Logger
    private let refusal = Mutex<StorageError.Code?>(nil)

    init(_ logger: Logger) { self.logger = logger }

    func appended() {
      let was = refusal.withLock { refusal in
        defer { refusal = nil }
        return refusal
      }
      if was != nil { logger.info("the store takes spans again") }
    }

    func refused(_ error: StorageError) {
      // What the client did wrong is for the client to read.
      guard error.code != .invalid else { return }
      let isNew = refusal.withLock { refusal in
        defer { refusal = error.code }
        return refusal != error.code
      }
      if isNew { logger.warning("the store refuses spans: \(error)") }
    }
  }
#endif
