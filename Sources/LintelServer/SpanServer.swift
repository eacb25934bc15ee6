#if Server
  internal import Glibc
  public import Lintel
  public import Logging
  internal import NIOCore
  internal import NIOPosix
  internal import Synchronization

  /// Serves a ``SpanStore``: takes OTLP over HTTP on one port, answers queries on another.
  ///
  ///     let server = try await SpanServer.start(store, configuration: ServerConfiguration(), logger: logger)
  ///     ...
  ///     await server.shutDown()
  ///     try await store.close()
  public final class SpanServer: Sendable {
    private let otlp: HTTPListener
    private let api: HTTPListener
    private let answers: Places
    private let gatekeeper: Gatekeeper
    private let tls: TLSIdentity?
    private let pools: [NIOThreadPool]
    private let group: MultiThreadedEventLoopGroup
    private let limits: ServerLimits
    private let logger: Logger
    private let stopping = Mutex<Task<Void, Never>?>(nil)

    private init(
      otlp: HTTPListener, api: HTTPListener, answers: Places, gatekeeper: Gatekeeper, tls: TLSIdentity?,
      pools: [NIOThreadPool], group: MultiThreadedEventLoopGroup, limits: ServerLimits, logger: Logger
    ) {
      self.otlp = otlp
      self.api = api
      self.answers = answers
      self.gatekeeper = gatekeeper
      self.tls = tls
      self.pools = pools
      self.group = group
      self.limits = limits
      self.logger = logger
    }

    /// Binds both ports and starts answering. The store stays the caller's: close it after ``shutDown()``.
    ///
    /// - Throws: ``ServerError/Code/cannotListen`` when a port is taken, ``ServerError/Code/invalidConfiguration``.
    public static func start(
      _ store: SpanStore, configuration: ServerConfiguration, logger: Logger
    ) async throws(ServerError) -> SpanServer {
      let backend = SpanStoreBackend(store, invalidText: configuration.invalidText, logger: logger)
      return try await start(backend: backend, configuration: configuration, logger: logger)
    }

    static func start(
      backend: any Backend, configuration: ServerConfiguration, logger: Logger
    ) async throws(ServerError) -> SpanServer {
      let limits = configuration.limits
      if let problem = limits.problem { throw ServerError(.invalidConfiguration, problem) }
      let tls: TLSIdentity?
      if let files = configuration.tls { tls = try TLSIdentity(files) } else { tls = nil }
      let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoopThreads))
      let decoding = NIOThreadPool(numberOfThreads: max(1, configuration.decodeThreads))
      let formatting = NIOThreadPool(numberOfThreads: 1)
      let streaming = NIOThreadPool(numberOfThreads: 4)
      let pools = [decoding, formatting, streaming]
      for pool in pools { pool.start() }
      let budget = BodyBudget(limit: limits.inFlightBytes)
      let answers = Places(.max)
      let exports = Places(limits.concurrentExports)
      let queries = Places(limits.concurrentQueries)
      let metrics = ServerMetrics()
      let gatekeeper = Gatekeeper(configuration.tokens)
      let otlpService = OTLPService(
        backend: backend, limits: limits, gatekeeper: gatekeeper, places: exports, pool: decoding, metrics: metrics,
        storeLog: StoreLog(logger))
      let apiService = APIService(
        backend: backend, limits: limits, gatekeeper: gatekeeper, places: queries, pool: formatting,
        streaming: streaming, metrics: metrics,
        serverGauges: { gauges(budget: budget, exports: exports, queries: queries) })
      do throws(ServerError) {
        let otlp = try await listen(
          configuration.otlpHTTP, otlpService, "--otlp-http", limits, budget, answers, tls, group)
        do throws(ServerError) {
          let api = try await listen(configuration.api, apiService, "--api", limits, budget, answers, tls, group)
          return SpanServer(
            otlp: otlp, api: api, answers: answers, gatekeeper: gatekeeper, tls: tls, pools: pools, group: group,
            limits: limits, logger: logger)
        } catch {
          await otlp.stopAccepting()
          throw error
        }
      } catch {
        for pool in pools { try? await pool.shutdownGracefully() }
        try? await group.shutdownGracefully()
        throw error
      }
    }

    private static func listen(
      _ address: ListenAddress, _ service: any HTTPService, _ flag: String, _ limits: ServerLimits,
      _ budget: BodyBudget, _ answers: Places, _ tls: TLSIdentity?, _ group: MultiThreadedEventLoopGroup
    ) async throws(ServerError) -> HTTPListener {
      do {
        return try await HTTPListener.start(
          address, service: service, limits: limits, budget: budget, answers: answers, tls: tls, group: group)
      } catch {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? String(describing: error)
        throw ServerError(
          .cannotListen, "cannot listen on \(address): \(reason). Stop what uses it, or choose another with \(flag)")
      }
    }

    private static func gauges(budget: BodyBudget, exports: Places, queries: Places) -> [Gauge] {
      var gauges = [
        Gauge("lintel_body_bytes_in_flight", "Memory held for requests.", budget.used),
        Gauge("lintel_exports_in_flight", "Exports being stored.", exports.used),
        Gauge("lintel_queries_in_flight", "Queries running.", queries.used),
      ]
      if let bytes = ProcessMemory.residentBytes() {
        gauges.append(Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", bytes))
      }
      return gauges
    }

    /// The port in use for OTLP; of interest when the configuration said 0.
    public var otlpPort: Int { otlp.port }

    /// The port in use for queries.
    public var apiPort: Int { api.port }

    /// Exchanges the tokens; those that are not among the new ones open nothing from now on. A server that was started
    /// without tokens wants them from now on.
    public func replaceTokens(_ tokens: AccessTokens) { gatekeeper.replace(tokens) }

    /// Reads certificate and key again, for the connections that come from now on.
    ///
    /// - Throws: ``ServerError/Code/invalidConfiguration``; the former ones go on to be used then.
    public func reloadTLS(_ files: TLSFiles) throws(ServerError) { try tls?.load(files) }

    /// Takes no more requests, finishes those under way as far as ``ServerLimits/shutdownSeconds`` allows, and stops.
    /// Returns when all is still, also when called again.
    public func shutDown() async {
      let task = stopping.withLock { stopping in
        let task = stopping ?? Task { await self.stop() }
        stopping = task
        return task
      }
      await task.value
    }

    private func stop() async {
      await otlp.stopAccepting()
      await api.stopAccepting()
      otlp.quiesce()
      api.quiesce()
      let deadline = ContinuousClock.now + .seconds(limits.shutdownSeconds)
      while isBusy, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
      if isBusy { logger.warning("closing connections whose requests took too long to finish") }
      otlp.closeConnections()
      api.closeConnections()
      // An export whose client has gone may still be on its way into the store.
      let last = ContinuousClock.now + .seconds(1)
      while isBusy, ContinuousClock.now < last { try? await Task.sleep(for: .milliseconds(10)) }
      guard !isBusy else { return logger.warning("left requests behind that did not end") }
      for pool in pools { try? await pool.shutdownGracefully() }
      try? await group.shutdownGracefully()
    }

    private var isBusy: Bool { otlp.connectionCount > 0 || api.connectionCount > 0 || answers.used > 0 }
  }
#endif
