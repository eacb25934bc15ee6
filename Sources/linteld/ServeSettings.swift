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
    var tokenFile: String?
    /// What is set at the start; the rest stays as it was set before.
    var retention: [RetentionSetting] = []
    var contentRetention: [RetentionSetting] = []

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
      try readAccess(options, reader)
      try readLimits(options, reader)
      try readStore(options, reader)
      if let problem = server.limits.problem { throw UsageError(message: problem) }
    }

    private mutating func readAccess(_ options: ServeOptions, _ reader: SettingReader) throws(UsageError) {
      tokenFile = reader.text("token-file", options.tokenFile)
      switch (reader.text("tls-certificate", options.tlsCertificate), reader.text("tls-key", options.tlsKey)) {
      case (nil, nil): break
      case (let certificate?, let key?): server.tls = TLSFiles(certificate: certificate, key: key)
      default: throw UsageError(message: "TLS takes both --tls-certificate and --tls-key")
      }
      if tokenFile != nil { return }
      for (name, address) in [("otlp-http", server.otlpHTTP), ("api", server.api)] where !address.isLoopback {
        if try reader.flag("allow-anyone", options.allowAnyone) { return }
        throw UsageError(
          message: "--\(name) is \(address), which other machines may reach: give --token-file FILE, or --allow-anyone")
      }
    }

    /// Addresses beyond this machine.
    var openAddresses: [ListenAddress] { [server.otlpHTTP, server.api].filter { !$0.isLoopback } }

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
      limits.answerBytes = try reader.size("max-answer", options.maxAnswer) ?? limits.answerBytes
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
      store.spillDirectory = reader.text("spill-directory", options.spillDirectory)
      store.spillThreshold = try reader.size("spill-after", options.spillAfter) ?? store.spillThreshold
      store.spillLimit = try reader.size("spill-limit", options.spillLimit, orZero: true) ?? store.spillLimit
      store.queryCacheSize = try reader.size("query-cache", options.queryCache) ?? store.queryCacheSize
      store.storage.memoryBudget = try reader.size("write-memory", options.writeMemory) ?? store.storage.memoryBudget
      store.storage.cacheBytes = try reader.size("cache", options.cache) ?? store.storage.cacheBytes
      store.storage.flushBytes = min(store.storage.flushBytes, store.storage.memoryBudget / 4)
      store.storage.scrubBytesPerSecond =
        try reader.size("scrub-rate", options.scrubRate, orZero: true) ?? store.storage.scrubBytesPerSecond
      store.storage.maximumPartBytes =
        try reader.size("part-size", options.partSize) ?? store.storage.maximumPartBytes
      retention = try reader.retention("retention", options.retention)
      contentRetention = try reader.retention("content-retention", options.contentRetention)
      store.storage.tiers = try reader.tiers(options)
      if try reader.flag("buffered", options.buffered) { store.storage.durability = .buffered }
    }

    private static let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
  }
#endif
