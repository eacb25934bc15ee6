#if Server
  internal import ArgumentParser
  internal import Glibc
  internal import Lintel
  internal import LintelServer
  internal import LintelStorage
  internal import Logging

  /// `linteld serve`: opens the store, listens, and stops when told to.
  struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Serve the store in a directory.",
      discussion: """
        Every option can be given in the environment too: LINTEL_DATA for --data, LINTEL_OTLP_HTTP for --otlp-http, and
        so on. A flag wins over the environment. Sizes take KiB, MiB and GiB: --max-body 16MiB.
        """)

    @OptionGroup var options: ServeOptions

    func run() async throws {
      signal(SIGPIPE, SIG_IGN)
      let signals = StopSignals()
      let settings: ServeSettings
      do throws(UsageError) {
        settings = try ServeSettings(options, environment: Environment.current)
      } catch {
        throw ValidationError(error.message)
      }
      LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
      var logger = Logger(label: "linteld")
      logger.logLevel = settings.logLevel
      do {
        try await serve(settings, until: signals, logger)
      } catch {
        fail("\(error)")
      }
    }

    private func serve(_ settings: ServeSettings, until signals: StopSignals, _ logger: Logger) async throws {
      var configuration = settings.server
      if let path = settings.tokenFile { configuration.tokens = try AccessTokens(path: path) }
      let connections = FileLimit.connections(wanted: configuration.limits.connections)
      if connections < configuration.limits.connections {
        logger.warning("\(connections) connections on each port: the limit of open files (ulimit -n) allows no more")
        configuration.limits.connections = connections
      }
      logger.info("opening \(settings.data)")
      let store = try await SpanStore.open(at: settings.data, configuration: settings.store)
      let found = store.statistics
      logger.info("opened: \(found.rows) rows, \(found.parts) parts, \(found.memtableRows) rows recovered from the log")
      let watching = Task { await logProblems(of: store, logger) }
      defer { watching.cancel() }
      for setting in settings.retention {
        try await store.setRetention(setting.nanoseconds, organization: setting.organization)
      }
      for setting in settings.contentRetention {
        try await store.setContentRetention(setting.nanoseconds, organization: setting.organization)
      }
      let server: SpanServer
      do {
        server = try await SpanServer.start(store, configuration: configuration, logger: logger)
      } catch {
        try? await store.close()
        throw error
      }
      let otlp = ListenAddress(host: settings.server.otlpHTTP.host, port: server.otlpPort)
      let api = ListenAddress(host: settings.server.api.host, port: server.apiPort)
      let scheme = settings.server.tls == nil ? "http" : "https"
      Console.say(
        "linteld: ready; OTLP on \(scheme)://\(otlp)/v1/traces, queries on \(scheme)://\(api)", to: STDOUT_FILENO)
      for address in settings.openAddresses where settings.server.tls == nil {
        logger.warning(
          "\(address): tokens and spans travel in clear text; --tls-certificate and --tls-key encrypt them")
      }
      let hasFiles = settings.tokenFile != nil || settings.server.tls != nil
      let reloading = hasFiles ? StopSignals.onHangup { reload(settings, server, logger) } : nil
      defer { withExtendedLifetime(reloading) {} }
      let name = await signals.first()
      logger.info("\(name): finishing the requests under way; a second signal ends at once")
      await server.shutDown()
      try await store.close()
      logger.info("stopped")
    }

    /// Says what the store finds wrong, when it does.
    private func logProblems(of store: SpanStore, _ logger: Logger) async {
      var seen = 0
      while !Task.isCancelled {
        let (new, count) = store.problems(after: seen)
        for problem in new { logger.warning("\(problem)") }
        seen = count
        try? await Task.sleep(for: .seconds(1))
      }
    }

    /// What can't be used changes nothing: the former tokens and the former certificate go on to count.
    private func reload(_ settings: ServeSettings, _ server: SpanServer, _ logger: Logger) {
      do throws(ServerError) {
        if let path = settings.tokenFile {
          let tokens = try AccessTokens(path: path)
          server.replaceTokens(tokens)
          logger.notice("SIGHUP: \(tokens.count) tokens count from now on")
        }
        if let files = settings.server.tls {
          try server.reloadTLS(files)
          logger.notice("SIGHUP: certificate and key have been read again")
        }
      } catch {
        logger.error("SIGHUP: \(error); what counted before goes on to count")
      }
    }

    private func fail(_ message: String) -> Never {
      Console.say("linteld: \(message)", to: STDERR_FILENO)
      Glibc.exit(1)
    }
  }

  enum Console {
    /// Writes a line at once: who waits for it may be reading a pipe.
    static func say(_ line: String, to descriptor: Int32) {
      var line = line + "\n"
      line.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }
  }
#endif
