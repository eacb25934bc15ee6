#if Server
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix
  internal import NIOSSL

  /// A port and the connections that came in on it.
  final class HTTPListener: Sendable {
    private let channel: any Channel
    private let connections: Connections

    private init(channel: any Channel, connections: Connections) {
      self.channel = channel
      self.connections = connections
    }

    /// Binds the address and starts answering.
    static func start(
      _ address: ListenAddress, service: any HTTPService, limits: ServerLimits, budget: BodyBudget,
      answers: Places, tls: TLSIdentity?, group: MultiThreadedEventLoopGroup
    ) async throws -> HTTPListener {
      let connections = Connections(limit: limits.connections)
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 512)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelInitializer { channel in
          guard let entry = connections.add(channel) else { return channel.close() }
          return channel.eventLoop.makeCompletedFuture {
            if let tls { try channel.pipeline.syncOperations.addHandler(tls.handler()) }
            try Self.configure(channel.pipeline.syncOperations, isStopping: { connections.isStopping })
            try channel.pipeline.syncOperations.addHandler(
              HTTPConnection(
                service: service, limits: limits, budget: budget, answers: answers,
                reportBusy: { isBusy in isBusy ? connections.began(entry) : connections.ended(entry) },
                isStopping: { connections.isStopping }))
          }
        }
        .bind(host: address.host, port: address.port).get()
      return HTTPListener(channel: channel, connections: connections)
    }

    /// What reads and writes HTTP before ``HTTPConnection``.
    static func configure(
      _ pipeline: ChannelPipeline.SynchronousOperations, isStopping: @escaping @Sendable () -> Bool = { false }
    ) throws {
      var heads = NIOHTTPDecoderLimitConfiguration()
      heads.maxHeaderFieldSize = 16 << 10
      heads.maxHeaderListSize = 64 << 10
      heads.maxHeaderFieldCount = 128
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: true, withErrorHandling: true, withEncoderConfiguration: .init(),
        withDecoderLimitConfiguration: heads)
      let pipelining = try pipeline.handler(type: HTTPServerPipelineHandler.self)
      try pipeline.addHandler(EndedRequests(isStopping), position: .after(pipelining))
    }

    /// Once the server is stopping nobody answers half a request any more: the pipelining handler may be done with the
    /// connection, and takes an answer then for a mistake.
    private final class EndedRequests: ChannelInboundHandler {
      typealias InboundIn = HTTPServerRequestPart

      private let isStopping: @Sendable () -> Bool

      init(_ isStopping: @escaping @Sendable () -> Bool) { self.isStopping = isStopping }

      func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isStopping() { context.close(promise: nil) } else { context.fireErrorCaught(error) }
      }
    }

    /// The port in use; of interest when the system chose it.
    var port: Int { channel.localAddress?.port ?? 0 }

    var connectionCount: Int { connections.count }

    /// Takes no more connections.
    func stopAccepting() async { try? await channel.close() }

    /// Lets every connection finish its request and no other.
    func quiesce() {
      connections.stop()
      for channel in connections.all { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    func closeConnections() {
      for channel in connections.all { channel.close(promise: nil) }
    }
  }
#endif
