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
      logger.info("opening \(settings.data)")
      let store = try await SpanStore.open(at: settings.data, configuration: settings.store)
      let found = store.statistics
      logger.info("opened: \(found.rows) rows, \(found.parts) parts, \(found.memtableRows) rows recovered from the log")
      for problem in store.problems { logger.warning("\(problem)") }
      let server: SpanServer
      do {
        server = try await SpanServer.start(store, configuration: settings.server, logger: logger)
      } catch {
        try? await store.close()
        throw error
      }
      let otlp = ListenAddress(host: settings.server.otlpHTTP.host, port: server.otlpPort)
      let api = ListenAddress(host: settings.server.api.host, port: server.apiPort)
      Console.say("linteld: ready; OTLP on http://\(otlp)/v1/traces, queries on http://\(api)", to: STDOUT_FILENO)
      let name = await signals.first()
      logger.info("\(name): finishing the requests under way; a second signal ends at once")
      await server.shutDown()
      try await store.close()
      logger.info("stopped")
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
