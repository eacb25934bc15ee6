#if Server
  internal import NIOCore
  internal import NIOHTTP1

  /// Where a streamed answer is written, from a thread that may block.
  struct HTTPBodyWriter: Sendable {
    let channel: any Channel
    let stallSeconds: Double

    /// Returns when the operating system has taken the bytes, so that a slow reader slows the producer down instead of
    /// filling memory. Throws when the client has gone, or has taken nothing for too long.
    func write(_ bytes: ByteBuffer) throws {
      let channel = channel
      let stall = channel.eventLoop.scheduleTask(in: .seconds(stallSeconds)) { channel.close(promise: nil) }
      defer { stall.cancel() }
      try channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(bytes))).wait()
    }
  }

  extension TimeAmount {
    /// Fractions of a second count; meant for values that ``ServerLimits`` has checked.
    static func seconds(_ seconds: Double) -> TimeAmount {
      .nanoseconds(Int64(max(0, min(seconds, 1e9)) * 1e9))
    }
  }
#endif
