#if Server
  internal import CZstd
  internal import NIOCore

  extension Expander {
    /// 8 MiB, what RFC 9659 allows for the zstd content coding: a frame can't make the decoder take more for its window.
    static let windowLogLimit: Int32 = 23

    func decompressZstd(_ input: UnsafeRawBufferPointer) throws(ExpansionError) -> ByteBuffer {
      guard let context = ZSTD_createDCtx() else { throw .noMemory }
      defer { ZSTD_freeDCtx(context) }
      ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogLimit)
      var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
      var output = makeOutput(for: input)
      // What the last call returned: 0 at the end of a frame, an error, or a hint that more is needed.
      var status = 1
      var progress = true
      while progress, ZSTD_isError(status) == 0, source.pos < source.size || status != 0 {
        let position = source.pos
        var written = 0
        try grow(&output) { target in
          var sink = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
          status = ZSTD_decompressStream(context, &sink, &source)
          written = sink.pos
          return sink.pos
        }
        progress = source.pos > position || written > 0
      }
      guard ZSTD_isError(status) == 0 else {
        throw .malformed("the compressed data is damaged: " + String(cString: ZSTD_getErrorName(status)))
      }
      guard status == 0 else { throw .malformed("the compressed data is cut short") }
      return output
    }
  }
#endif
