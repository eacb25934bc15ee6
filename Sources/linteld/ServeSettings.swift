#if Server
  internal import Lintel
  internal import LintelIngest
  internal import LintelServer
  internal import LintelStorage
  internal import Logging

  /// Something on the command line or in the environment that can't be meant.
  struct UsageError: Error, Equatable {
    var message: String
  }

  /// What `linteld serve` runs with: flags over environment over defaults.
  struct ServeSettings {
    var data: String
    var server = ServerConfiguration()
    var store = Configuration()
    var logLevel = Logger.Level.info

    init(_ options: ServeOptions, environment: [String: String]) throws(UsageError) {
      let reader = SettingReader(environment: environment)
      guard let data = reader.text("data", options.data) else {
        throw UsageError(message: "say where the store is: --data DIR, or LINTEL_DATA in the environment")
      }
      self.data = data
      server.otlpHTTP = try reader.address("otlp-http", options.otlpHttp) ?? server.otlpHTTP
      server.api = try reader.address("api", options.api) ?? server.api
      if let name = reader.text("log-level", options.logLevel) {
        guard let level = Logger.Level(rawValue: name) else {
          throw UsageError(message: "--log-level is \(name): it is one of \(Self.levels)")
        }
        logLevel = level
      }
      if let name = reader.text("invalid-text", options.invalidText) {
        guard let choice = OTLPLimits.InvalidText(rawValue: name) else {
          let choices = OTLPLimits.InvalidText.allCases.map(\.rawValue).joined(separator: " or ")
          throw UsageError(message: "--invalid-text is \(name): it is \(choices)")
        }
        server.invalidText = choice
      }
      try readLimits(options, reader)
      try readStore(options, reader)
      if let problem = server.limits.problem { throw UsageError(message: problem) }
    }

    private mutating func readLimits(_ options: ServeOptions, _ reader: SettingReader) throws(UsageError) {
      var limits = server.limits
      limits.bodyBytes = try reader.size("max-body", options.maxBody) ?? limits.bodyBytes
      limits.expandedBodyBytes =
        try reader.size("max-expanded-body", options.maxExpandedBody) ?? limits.expandedBodyBytes
      // Larger bodies need a larger budget: it follows them unless it was set.
      limits.inFlightBytes =
        try reader.size("max-in-flight", options.maxInFlight)
        ?? max(limits.inFlightBytes, limits.bodyBytes + limits.expandedBodyBytes)
      limits.concurrentExports = try reader.count("max-exports", options.maxExports) ?? limits.concurrentExports
      limits.concurrentQueries = try reader.count("max-queries", options.maxQueries) ?? limits.concurrentQueries
      limits.connections = try reader.count("max-connections", options.maxConnections) ?? limits.connections
      limits.bodySeconds = try reader.seconds("body-timeout", options.bodyTimeout) ?? limits.bodySeconds
      limits.idleSeconds = try reader.seconds("idle-timeout", options.idleTimeout) ?? limits.idleSeconds
      limits.querySeconds = try reader.seconds("query-timeout", options.queryTimeout) ?? limits.querySeconds
      server.limits = limits
      server.eventLoopThreads = try reader.count("event-threads", options.eventThreads) ?? server.eventLoopThreads
      server.decodeThreads = try reader.count("decode-threads", options.decodeThreads) ?? server.decodeThreads
    }

    private mutating func readStore(_ options: ServeOptions, _ reader: SettingReader) throws(UsageError) {
      store.queryMemoryLimit = try reader.size("query-memory", options.queryMemory) ?? store.queryMemoryLimit
      store.queryCacheSize = try reader.size("query-cache", options.queryCache) ?? store.queryCacheSize
      store.storage.memoryBudget = try reader.size("write-memory", options.writeMemory) ?? store.storage.memoryBudget
      store.storage.cacheBytes = try reader.size("cache", options.cache) ?? store.storage.cacheBytes
      store.storage.flushBytes = min(store.storage.flushBytes, store.storage.memoryBudget / 4)
      if try reader.flag("buffered", options.buffered) { store.storage.durability = .buffered }
    }

    private static let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
  }
#endif
