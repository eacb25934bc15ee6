#if Server
  internal import NIOCore
  internal import NIOHTTP1

  /// One connection: takes one request at a time, hands it to the service, writes the answer.
  ///
  /// Runs on its event loop alone and never blocks it. The handlers before it parse HTTP and hold back pipelined
  /// requests until the answer's end has been written.
  ///
  ///     waiting -> receiving -> answering -> waiting            the usual way
  ///     waiting -> refused (answer out, rest of the body thrown away) -> waiting, or closed
  final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The request under way and what has become of it.
    struct Exchange {
      let head: HTTPRequestHead
      let began: NIODeadline
      var admission: Admission?
      var body = ByteBuffer()
      var reservation: BodyReservation?
      var requestEnded = false
      var responseBegun = false
      var responseEnded = false
      /// What the answer holds until the peer has taken it.
      var place: Place?
      /// Whether the connection ends with this exchange.
      var closes: Bool
    }

    let service: any HTTPService
    let limits: ServerLimits
    let budget: BodyBudget
    /// Counts the tasks that will come back to an event loop: the loops must outlive them.
    let answers: Places
    /// Told when a request begins, and when its answer is over.
    private let reportBusy: @Sendable (Bool) -> Void
    let isStopping: @Sendable () -> Bool
    var context: ChannelHandlerContext?
    var exchange: Exchange?
    /// The one clock that runs: for the next request, for the body, or for the peer to take the answer.
    var timer: Scheduled<Void>?
    var task: Task<Void, Never>?
    /// Nothing more is read from a connection that is being closed.
    var isClosing = false

    init(
      service: any HTTPService, limits: ServerLimits, budget: BodyBudget, answers: Places,
      reportBusy: @escaping @Sendable (Bool) -> Void, isStopping: @escaping @Sendable () -> Bool
    ) {
      self.service = service
      self.limits = limits
      self.budget = budget
      self.answers = answers
      self.reportBusy = reportBusy
      self.isStopping = isStopping
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
      startTimer(limits.idleSeconds) { $0.close() }
      context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
      isClosing = true
      timer?.cancel()
      cancelIfUnwanted()
      exchange = nil
      context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard !isClosing else { return }
      switch Self.unwrapInboundIn(data) {
      // Nothing that was sent behind the last request of a connection is looked at.
      case .head(let head): if exchange == nil { begin(head) }
      case .body(var bytes): receive(&bytes)
      case .end: endRequest()
      }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent { inputClosed() }
      context.fireUserInboundEventTriggered(event)
    }

    /// Malformed HTTP has been answered by the handler before this one; after an I/O error there is nobody to answer.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      isClosing = true
      context.close(promise: nil)
    }

    // MARK: Receiving

    private func begin(_ head: HTTPRequestHead) {
      reportBusy(true)
      guard let loop = context?.eventLoop else { return }
      exchange = Exchange(head: head, began: loop.now, closes: !head.isKeepAlive)
      do throws(HTTPProblem) {
        let admission = try service.admit(head)
        let length = try BodyLength(of: head, atMost: admission.bodyBytes)
        let reservation = BodyReservation(budget)
        if case .known(let bytes) = length {
          guard budget.hasRoom(for: bytes) else { throw .noMemory }
          // Address space only, and never more than a little on the client's word alone.
          exchange?.body.reserveCapacity(min(bytes, 1 << 20))
        }
        exchange?.admission = admission
        exchange?.reservation = reservation
        if head.expectsContinue {
          let go = HTTPResponseHead(version: .http1_1, status: .continue)
          context?.writeAndFlush(Self.wrapOutboundOut(.head(go)), promise: nil)
        }
        startTimer(limits.bodySeconds) { $0.checkProgress() }
      } catch {
        refuse(error)
      }
    }

    private func receive(_ bytes: inout ByteBuffer) {
      guard let admission = exchange?.admission, let reservation = exchange?.reservation,
        let received = exchange?.body.readableBytes
      else { return }  // refused: what still comes is thrown away
      guard bytes.readableBytes <= admission.bodyBytes - received else {
        return refuse(.bodyTooLarge(limit: admission.bodyBytes))
      }
      guard reservation.grow(by: bytes.readableBytes) else { return refuse(.noMemory) }
      exchange?.body.writeBuffer(&bytes)
    }

    private func endRequest() {
      exchange?.requestEnded = true
      guard let exchange else { return }
      guard let reservation = exchange.reservation else {
        if exchange.responseEnded { endExchange() }
        return
      }
      timer?.cancel()
      let request = HTTPRequest(head: exchange.head, body: exchange.body, reservation: reservation)
      // From here the task holds them; they go when it is done with them, not when the answer is out.
      self.exchange?.body = ByteBuffer()
      self.exchange?.reservation = nil
      guard let loop = context?.eventLoop else { return }
      let connection = NIOLoopBound(self, eventLoop: loop)
      let place = answers.enter()
      task = Task { [service] in
        let response = await service.answer(request)
        withExtendedLifetime(place) {
          loop.execute { connection.value.send(response) }
        }
      }
    }

    /// Time is up for the body, unless so much has come that more time is due.
    private func checkProgress() {
      guard let exchange, exchange.reservation != nil, let now = context?.eventLoop.now else { return }
      let due = limits.bodySeconds + Double(exchange.body.readableBytes) / Double(limits.bodyBytesPerSecond)
      let left = exchange.began + .seconds(due) - now
      if left > .zero {
        startTimer(Double(left.nanoseconds) / 1e9 + 0.001) { $0.checkProgress() }
      } else {
        refuse(.tooSlow, closing: true)
      }
    }

    /// Answers before the request has ended. What still comes of it is read and thrown away: a client in the middle of
    /// sending would otherwise get a reset instead of the answer.
    private func refuse(_ problem: HTTPProblem, closing: Bool = false) {
      guard let exchange else { return }
      self.exchange?.reservation = nil
      self.exchange?.body = ByteBuffer()
      // It isn't worth the transfer to save the connection when a lot, or an unknown amount, is still to come.
      let left = exchange.head.headers.first(name: "content-length").flatMap(Int.init)
      let isChunked = exchange.head.headers.contains(name: "transfer-encoding")
      if closing || isChunked || (left ?? 0) > Self.discardBytes || exchange.head.expectsContinue {
        self.exchange?.closes = true
      }
      send(service.answer(problem, to: exchange.head))
    }

    /// A body up to this size is read to its end for the sake of the connection.
    static let discardBytes = 1 << 20

    /// The client sends no more. It may go on reading, as HTTP/1.1 allows, or may have gone: nobody can tell before something
    /// is sent to it.
    private func inputClosed() {
      guard let exchange, exchange.requestEnded else { return close() }
      self.exchange?.closes = true
      let speaksInterim = exchange.head.version.minor >= 1
      if exchange.admission?.endsWithClient == true, !exchange.responseBegun, speaksInterim { probeLater() }
    }

    /// Every such number of seconds a client that sends no more is asked whether it is still there.
    static let probeSeconds = 1.0

    private func probeLater() { startTimer(Self.probeSeconds) { $0.probe() } }

    /// Sends what clients pass over (RFC 9110, 15.2): the system of one that has gone answers with a reset, which closes the
    /// connection and stops the query.
    private func probe() {
      guard let context, exchange?.responseBegun == false else { return }
      let interim = HTTPResponseHead(version: .http1_1, status: .continue)
      context.writeAndFlush(Self.wrapOutboundOut(.head(interim)), promise: nil)
      probeLater()
    }

    /// Stops a query whose client has gone.
    private func cancelIfUnwanted() {
      guard exchange?.admission?.endsWithClient == true, exchange?.requestEnded == true else { return }
      task?.cancel()
    }

    // MARK: Timing and closing

    func startTimer(_ seconds: Double, _ body: @escaping (HTTPConnection) -> Void) {
      timer?.cancel()
      timer = context?.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) { [weak self] in
        guard let self, !isClosing else { return }
        body(self)
      }
    }

    func close() {
      isClosing = true
      timer?.cancel()
      context?.close(promise: nil)
    }

    /// Request and answer are over: on to the next, or good-bye.
    func endExchange() {
      guard exchange?.closes == false else { return close() }
      exchange = nil
      task = nil
      reportBusy(false)
      startTimer(limits.idleSeconds) { $0.close() }
    }
  }

  @available(*, unavailable)
  extension HTTPConnection: Sendable {}
#endif
