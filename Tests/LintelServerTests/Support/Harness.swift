#if Server
  import CZlib
  import CZstd
  import Logging

  @testable import LintelServer

  /// Runs a server on free ports for the length of a test.
  func withServer(
    _ backend: any Backend = StandInBackend(), limits change: (inout ServerLimits) -> Void = { _ in },
    tokens: AccessTokens? = nil, _ body: (SpanServer) async throws -> Void
  ) async throws {
    var configuration = ServerConfiguration()
    configuration.otlpHTTP.port = 0
    configuration.api.port = 0
    configuration.limits.shutdownSeconds = 0.2
    configuration.tokens = tokens
    change(&configuration.limits)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = try await SpanServer.start(backend: backend, configuration: configuration, logger: logger)
    do {
      try await body(server)
    } catch {
      await server.shutDown()
      throw error
    }
    await server.shutDown()
  }

  /// The compressors that clients use.
  enum Compress {
    static func gzip(_ bytes: [UInt8]) -> [UInt8] { deflate(bytes, windowBits: 31) }
    static func zlib(_ bytes: [UInt8]) -> [UInt8] { deflate(bytes, windowBits: 15) }
    static func rawDeflate(_ bytes: [UInt8]) -> [UInt8] { deflate(bytes, windowBits: -15) }

    static func zstd(_ bytes: [UInt8]) -> [UInt8] {
      var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
      output.removeLast(output.count - ZSTD_compress(&output, output.count, bytes, bytes.count, 3))
      return output
    }

    /// A frame that promises a window of this size, as `zstd --ultra --long` makes them.
    static func zstd(_ bytes: [UInt8], windowLog: Int32) -> [UInt8] {
      let context = ZSTD_createCCtx()
      defer { ZSTD_freeCCtx(context) }
      ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog)
      var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count) + 64)
      return output.withUnsafeMutableBytes { target in
        bytes.withUnsafeBytes { source in
          var sink = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
          var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
          // In two steps: in one the compressor would shrink the window to the content.
          ZSTD_compressStream2(context, &sink, &input, ZSTD_e_continue)
          ZSTD_compressStream2(context, &sink, &input, ZSTD_e_end)
          return Array(target[..<sink.pos])
        }
      }
    }

    private static func deflate(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      defer { stream.deallocate() }
      let size = Int32(MemoryLayout<z_stream>.size)
      deflateInit2_(stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
      defer { deflateEnd(stream) }
      var input = bytes
      var output = [UInt8](repeating: 0, count: Int(deflateBound(stream, UInt(bytes.count))) + 64)
      let produced = input.withUnsafeMutableBufferPointer { source in
        output.withUnsafeMutableBufferPointer { target in
          stream.pointee.next_in = source.baseAddress
          stream.pointee.avail_in = UInt32(source.count)
          stream.pointee.next_out = target.baseAddress
          stream.pointee.avail_out = UInt32(target.count)
          CZlib.deflate(stream, Z_FINISH)
          return target.count - Int(stream.pointee.avail_out)
        }
      }
      output.removeLast(output.count - produced)
      return output
    }
  }

  /// Small, fast, and the same for the same seed.
  struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      return mixed ^ mixed >> 31
    }
  }
#endif
