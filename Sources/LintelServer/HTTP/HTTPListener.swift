#if Server
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix
  internal import Synchronization

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
      answers: Places, group: MultiThreadedEventLoopGroup
    ) async throws -> HTTPListener {
      let connections = Connections(limit: limits.connections)
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 512)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelInitializer { channel in
          guard connections.add(channel) else { return channel.close() }
          return channel.eventLoop.makeCompletedFuture {
            try Self.configure(channel.pipeline.syncOperations)
            try channel.pipeline.syncOperations.addHandler(
              HTTPConnection(service: service, limits: limits, budget: budget, answers: answers))
          }
        }
        .bind(host: address.host, port: address.port).get()
      return HTTPListener(channel: channel, connections: connections)
    }

    private static func configure(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
      var heads = NIOHTTPDecoderLimitConfiguration()
      heads.maxHeaderFieldSize = 16 << 10
      heads.maxHeaderListSize = 64 << 10
      heads.maxHeaderFieldCount = 128
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: true, withErrorHandling: true, withEncoderConfiguration: .init(),
        withDecoderLimitConfiguration: heads)
    }

    /// The port in use; of interest when the system chose it.
    var port: Int { channel.localAddress?.port ?? 0 }

    var connectionCount: Int { connections.count }

    /// Takes no more connections.
    func stopAccepting() async { try? await channel.close() }

    /// Lets every connection finish its request and no other.
    func quiesce() {
      for channel in connections.all { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    func closeConnections() {
      for channel in connections.all { channel.close(promise: nil) }
    }
  }

  /// The open connections of a port.
  private final class Connections: Sendable {
    private let limit: Int
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    init(limit: Int) { self.limit = limit }

    var count: Int { open.withLock { $0.count } }

    var all: [any Channel] { open.withLock { Array($0.values) } }

    /// `false` when there are too many already.
    func add(_ channel: any Channel) -> Bool {
      let id = ObjectIdentifier(channel)
      let isAdded = open.withLock { open in
        guard open.count < limit else { return false }
        open[id] = channel
        return true
      }
      guard isAdded else { return false }
      channel.closeFuture.whenComplete { [self] _ in open.withLock { _ = $0.removeValue(forKey: id) } }
      return true
    }
  }
#endif
