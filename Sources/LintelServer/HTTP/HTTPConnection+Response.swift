#if Server
  internal import NIOCore
  internal import NIOHTTP1

  extension HTTPConnection {
    /// A client that goes on sending after a refusal gets this long, in seconds, to read the answer.
    static let lingerSeconds = 5.0

    /// Starts the answer. Called once an exchange, on the event loop.
    func send(_ response: HTTPResponse) {
      if isStopping() { exchange?.closes = true }
      guard let context, let exchange, !isClosing else { return }
      service.didAnswer(exchange.head, status: response.status)
      self.exchange?.place = response.place
      self.exchange?.responseBegun = true
      // Whoever writes sees whether the client is there.
      timer?.cancel()
      var head = HTTPResponseHead(version: .http1_1, status: response.status, headers: response.headers)
      if exchange.closes {
        head.headers.replaceOrAdd(name: "connection", value: "close")
      } else if exchange.head.version.minor == 0 {
        head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
      }
      switch response.body {
      case .bytes(let bytes):
        head.headers.replaceOrAdd(name: "content-length", value: String(bytes.readableBytes))
        send(head, bytes, of: exchange, context)
      case .stream(let produce):
        // HTTP/1.0 has no chunks: the end of the connection is the end of the answer.
        if exchange.head.version.minor == 0 { self.exchange?.closes = true }
        context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
        stream(produce, context)
      }
    }

    /// The end of the answer is written only when the peer has taken all of it: the next pipelined request doesn't start
    /// before, so that a client that never reads can't pile up answers.
    private func send(
      _ head: HTTPResponseHead, _ bytes: ByteBuffer, of exchange: Exchange, _ context: ChannelHandlerContext
    ) {
      let sent = context.eventLoop.makePromise(of: Void.self)
      if bytes.readableBytes > 0, exchange.head.method != .HEAD {
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: sent)
      } else {
        context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: sent)
      }
      // A slow reader gets more time for more bytes, as a slow sender does.
      let seconds = Double(bytes.readableBytes) / Double(limits.bodyBytesPerSecond)
      startTimer(limits.writeStallSeconds + seconds) { $0.close() }
      sent.futureResult.assumeIsolated().whenComplete { result in
        switch result {
        case .success: self.endResponse()
        case .failure: self.close()
        }
      }
    }

    private func stream(
      _ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> HTTPResponse.StreamEnd,
      _ context: ChannelHandlerContext
    ) {
      let channel = context.channel
      let writer = HTTPBodyWriter(channel: channel, stallSeconds: limits.writeStallSeconds)
      let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
      let place = answers.enter()
      task = Task {
        let end = try? await produce(writer)
        withExtendedLifetime(place) { channel.eventLoop.execute { connection.value.endStream(end) } }
      }
    }

    /// - Parameter end: `nil` after an error.
    private func endStream(_ end: HTTPResponse.StreamEnd?) {
      guard let exchange, let end else { return abort() }
      if exchange.head.takesTrailers { return endResponse(end.trailers) }
      if end.isComplete { endResponse() } else { abort() }
    }

    /// Ends the connection so that the client sees that the answer is no whole one.
    private func abort() {
      // Without chunks the end of the connection would pass for the end of the answer: it is reset.
      if let context, exchange?.head.version.minor == 0, let socket = context.channel as? any SocketOptionProvider {
        socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: Linger())
          .assumeIsolated().whenComplete { _ in self.close() }
      } else {
        close()
      }
    }

    /// The system's structure of that name, so that what is left is thrown away and the peer is told.
    private struct Linger: Sendable {
      var isOn: Int32 = 1
      var seconds: Int32 = 0
    }

    private func endResponse(_ trailers: HTTPHeaders = HTTPHeaders()) {
      guard let context, let exchange, !isClosing else { return }
      self.exchange?.responseEnded = true
      let ended = context.eventLoop.makePromise(of: Void.self)
      if exchange.closes {
        ended.futureResult.assumeIsolated().whenComplete { _ in self.closeAfterRequest() }
      } else if exchange.requestEnded {
        // Before the end is written: writing it delivers the next request.
        endExchange()
      } else {
        startTimer(limits.bodySeconds) { $0.close() }
      }
      context.writeAndFlush(Self.wrapOutboundOut(.end(trailers.isEmpty ? nil : trailers)), promise: ended)
    }

    private func closeAfterRequest() {
      guard exchange?.requestEnded == false else { return close() }
      startTimer(Self.lingerSeconds) { $0.close() }
    }
  }
#endif
