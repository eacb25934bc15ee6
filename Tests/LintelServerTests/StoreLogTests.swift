#if Server
  import LintelStorage
  import Logging
  import Synchronization
  import Testing

  @testable import LintelServer

  @Suite struct StoreLogTests {
    @Test func eachChangeIsOneLine() {
      let lines = LogLines()
      let log = StoreLog(Logger(label: "test") { _ in lines })
      log.appended()
      log.refused(StorageError(.invalid, "no such column"))
      for _ in 0..<3 { log.refused(StorageError(.diskFull, "no space left")) }
      log.refused(StorageError(.failedStop, "a sync failed"))
      for _ in 0..<3 { log.appended() }
      log.refused(StorageError(.diskFull, "no space left"))
      #expect(lines.all.map(\.level) == [.warning, .warning, .info, .warning])
      #expect(lines.all.first?.text.contains("no space left") == true)
      #expect(lines.all.map { $0.text.contains("no such column") }.allSatisfy { !$0 })
    }
  }

  /// Keeps what is logged.
  private final class LogLines: LogHandler, Sendable {
    private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

    var all: [(level: Logger.Level, text: String)] { lines.withLock { $0 } }

    var logLevel: Logger.Level {
      get { .trace }
      set {}
    }
    var metadata: Logger.Metadata {
      get { [:] }
      set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { nil }
      set {}
    }

    func log(event: LogEvent) {
      lines.withLock { $0.append((event.level, event.message.description)) }
    }
  }
#endif
