#if Server
  internal import LintelQuery
  internal import NIOCore
  internal import NIOHTTP1

  /// The messages that answer an export, in both encodings. They are small and written by hand.
  enum OTLPMessages {
    /// Clients cap what they read, so a message is cut at this many bytes.
    static let messageBytes = 4096

    /// `ExportTraceServiceResponse`: empty when all went well.
    static func exportResponse(rejected: Int, message: String, _ format: OTLPFormat) -> ByteBuffer {
      let message = cut(message)
      let isFull = rejected == 0 && message.isEmpty
      switch format {
      case .json:
        guard !isFull else { return ByteBuffer(string: "{}") }
        let text = "\"rejectedSpans\":\"\(rejected)\",\"errorMessage\":\(ResultText.jsonString(message))"
        return ByteBuffer(string: "{\"partialSuccess\":{\(text)}}")
      case .protobuf:
        guard !isFull else { return ByteBuffer() }
        var partial = ByteBuffer()
        if rejected != 0 { partial.writeField(1, varint: UInt64(clamping: rejected)) }
        partial.writeField(2, string: message)
        var response = ByteBuffer()
        response.writeField(1, bytes: partial)
        return response
      }
    }

    /// `google.rpc.Status`, the body of every refusal.
    static func status(_ problem: HTTPProblem, _ format: OTLPFormat) -> ByteBuffer {
      let code = Self.code(of: problem.status)
      let message = cut(problem.message)
      switch format {
      case .json:
        return ByteBuffer(string: "{\"code\":\(code),\"message\":\(ResultText.jsonString(message))}")
      case .protobuf:
        var status = ByteBuffer()
        status.writeField(1, varint: code)
        status.writeField(2, string: message)
        return status
      }
    }

    /// The `google.rpc.Code` that an HTTP status stands for.
    static func code(of status: HTTPResponseStatus) -> UInt64 {
      switch status {
      case .badRequest, .lengthRequired, .expectationFailed, .unsupportedMediaType, .payloadTooLarge: 3
      case .requestTimeout, .gatewayTimeout: 4
      case .notFound: 5
      case .forbidden: 7
      case .tooManyRequests: 8
      case .methodNotAllowed, .notImplemented, .httpVersionNotSupported: 12
      case .internalServerError: 13
      case .serviceUnavailable: 14
      case .unauthorized: 16
      default: 2
      }
    }

    private static func cut(_ message: String) -> String {
      guard message.utf8.count > messageBytes else { return message }
      return String(decoding: message.utf8.prefix(messageBytes), as: UTF8.self) + " ..."
    }
  }

  extension ByteBuffer {
    fileprivate mutating func writeVarint(_ value: UInt64) {
      var rest = value
      while rest > 0x7f {
        writeInteger(UInt8(truncatingIfNeeded: rest | 0x80))
        rest >>= 7
      }
      writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    fileprivate mutating func writeField(_ number: UInt64, varint value: UInt64) {
      writeVarint(number << 3)
      writeVarint(value)
    }

    fileprivate mutating func writeField(_ number: UInt64, bytes: ByteBuffer) {
      writeVarint(number << 3 | 2)
      writeVarint(UInt64(bytes.readableBytes))
      writeImmutableBuffer(bytes)
    }

    fileprivate mutating func writeField(_ number: UInt64, string: String) {
      writeField(number, bytes: ByteBuffer(string: string))
    }
  }
#endif
