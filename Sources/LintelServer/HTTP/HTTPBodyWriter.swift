#if Server
  internal import NIOCore
  internal import NIOHTTP1

  /// Where a streamed answer is written. Each write returns when the operating system has taken the bytes, so a slow
  /// reader slows the producer down instead of filling memory.
  struct HTTPBodyWriter: Sendable {
    let channel: any Channel
    let stallSeconds: Double

    /// Throws when the client has gone, or has taken nothing for too long.
    func write(_ bytes: ByteBuffer) async throws {
      let channel = channel
      let stall = channel.eventLoop.scheduleTask(in: .seconds(stallSeconds)) { channel.close(promise: nil) }
      defer { stall.cancel() }
      try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(bytes)))
    }
  }

  extension TimeAmount {
    /// Fractions of a second count; meant for values that ``ServerLimits`` has checked.
    static func seconds(_ seconds: Double) -> TimeAmount {
      .nanoseconds(Int64(max(0, min(seconds, 1e9)) * 1e9))
    }
  }
#endif
