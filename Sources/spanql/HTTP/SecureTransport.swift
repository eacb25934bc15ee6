#if Server
  import NIOCore
  import NIOEmbedded
  import NIOSSL

  /// TLS over a socket.
  ///
  /// The library's handler sits in a channel that has no event loop of its own: what it wants to send is taken out and
  /// written to the socket, what the socket has is put in, all on the calling thread.
  final class SecureTransport: Transport {
    private let socket: Socket
    private let channel: EmbeddedChannel

    /// - Parameter authorities: A PEM file of those who may vouch for the server; `nil`: whom the system trusts.
    init(_ socket: Socket, _ address: ServerAddress, authorities: String?) throws(ShellError) {
      self.socket = socket
      do {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities { configuration.trustRoots = .file(authorities) }
        let context = try NIOSSLContext(configuration: configuration)
        // A certificate names a host or an address; which one is looked for follows from how the server was given.
        let peer = try? SocketAddress(ipAddress: address.host, port: Int(address.port))
        let handler = try NIOSSLClientHandler(context: context, serverHostname: peer == nil ? address.host : nil)
        channel = EmbeddedChannel(handler: handler)
        // For a host's name, an address that no certificate can be for: the library takes a match of either.
        try channel.connect(to: peer ?? SocketAddress(unixDomainSocketPath: "spanql"), promise: nil)
      } catch {
        throw Self.failure(error)
      }
      try send()
    }

    /// Says good-bye, and doesn't wait for the answer: as far as the handler knows, its time for that is over.
    deinit {
      channel.close(promise: nil)
      try? send()
      channel.embeddedEventLoop.advanceTime(by: .hours(1))
    }

    func write(_ bytes: [UInt8]) throws(ShellError) {
      channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
      try send()
    }

    func read(upTo count: Int) throws(ShellError) -> [UInt8] {
      while true {
        do {
          if let bytes = try channel.readInbound(as: ByteBuffer.self) { return Array(bytes.readableBytesView) }
          if !channel.isActive { return [] }
          let sealed = try socket.read(upTo: count)
          // Only the other side's own word ends what it says: a connection that just ends may have been cut.
          guard !sealed.isEmpty else { throw ShellError.failed("the connection to the server was cut") }
          try channel.writeInbound(ByteBuffer(bytes: sealed))
        } catch {
          // What it has to say about that, the other side should hear.
          try? send()
          throw Self.failure(error)
        }
        try send()
      }
    }

    /// Sends what is ready to go.
    private func send() throws(ShellError) {
      do {
        while let sealed = try channel.readOutbound(as: ByteBuffer.self) {
          try socket.write(Array(sealed.readableBytesView))
        }
      } catch {
        throw Self.failure(error)
      }
    }

    private static func failure(_ error: any Error) -> ShellError {
      if let error = error as? ShellError { return error }
      return .failed("no TLS with the server: \(error)")
    }
  }
#endif
