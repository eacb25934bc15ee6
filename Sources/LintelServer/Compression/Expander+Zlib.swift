#if Server
  internal import CZlib
  internal import NIOCore

  extension Expander {
    /// The wrappings of a deflate stream; raw values are zlib's window bits.
    enum Wrapping: Int32 {
      /// CRC-32 and length follow each member; members may follow each other.
      case gzip = 31
      /// What HTTP calls deflate: Adler-32 at the end.
      case zlib = 15
      /// What some clients send for deflate: nothing around it, nothing to check.
      case raw = -15
    }

    /// The first two bytes of a zlib stream name the method and are a multiple of 31.
    static func looksLikeZlib(_ input: UnsafeRawBufferPointer) -> Bool {
      guard input.count >= 2 else { return false }
      return input[0] & 0x0f == 8 && (Int(input[0]) << 8 | Int(input[1])) % 31 == 0
    }

    func inflate(_ input: UnsafeRawBufferPointer, _ wrapping: Wrapping) throws(ExpansionError) -> ByteBuffer {
      // zlib remembers the address of its stream, so the stream gets one that stays.
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      defer { stream.deallocate() }
      let size = Int32(MemoryLayout<z_stream>.size)
      guard inflateInit2_(stream, wrapping.rawValue, ZLIB_VERSION, size) == Z_OK else { throw .noMemory }
      defer { inflateEnd(stream) }
      stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
      stream.pointee.avail_in = UInt32(clamping: input.count)

      var output = makeOutput(for: input)
      var status = Z_OK
      repeat {
        try grow(&output) { target in
          stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
          stream.pointee.avail_out = UInt32(clamping: target.count)
          status = CZlib.inflate(stream, Z_NO_FLUSH)
          return target.count - Int(stream.pointee.avail_out)
        }
        if status == Z_STREAM_END, stream.pointee.avail_in > 0 {
          guard wrapping == .gzip else { throw .malformed("there are bytes after the end of the compressed data") }
          status = inflateReset(stream)
        }
      } while status == Z_OK
      guard status == Z_STREAM_END else { throw .malformed(Self.describe(status, stream.pointee.msg)) }
      return output
    }

    private static func describe(_ status: Int32, _ message: UnsafeMutablePointer<CChar>?) -> String {
      guard status != Z_BUF_ERROR else { return "the compressed data is cut short" }
      return "the compressed data is damaged" + (message.map { ": " + String(cString: $0) } ?? "")
    }
  }
#endif
