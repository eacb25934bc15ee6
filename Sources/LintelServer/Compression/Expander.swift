#if Server
  internal import NIOCore

  /// Why a body could not be expanded.
  enum ExpansionError: Error, Hashable {
    /// Cut short, damaged, or not in this format at all.
    case malformed(String)
    /// It expands past the limit.
    case tooLarge
    /// The requests under way use up the memory budget.
    case noMemory
  }

  /// Expands bodies chunk by chunk, so that a bomb is noticed when it passes the limit and costs no more than that.
  struct Expander {
    /// Largest result, in bytes.
    let limit: Int
    /// Charged for the result as it grows.
    let reservation: BodyReservation

    /// Least room given to a decompressor at once.
    static let chunk = 64 << 10

    func expand(_ body: ByteBuffer, _ coding: ContentCoding) throws(ExpansionError) -> ByteBuffer {
      let result = body.withUnsafeReadableBytes { input in
        Result { () throws(ExpansionError) -> ByteBuffer in
          switch coding {
          case .identity: body
          case .gzip: try inflate(input, .gzip)
          case .deflate: try inflate(input, Self.looksLikeZlib(input) ? .zlib : .raw)
          case .zstd: try decompressZstd(input)
          }
        }
      }
      return try result.get()
    }

    /// Where expanded bytes start: a guess that is right for most telemetry, within the limit.
    func makeOutput(for input: UnsafeRawBufferPointer) -> ByteBuffer {
      ByteBufferAllocator().buffer(capacity: min(limit, max(Self.chunk, 4 * input.count)) + 1)
    }

    /// Lets a decompressor write one chunk and checks what came of it.
    func grow(
      _ output: inout ByteBuffer, _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(ExpansionError) {
      // One byte past the limit, so that a result of just the limit is told from a larger one.
      let room = limit + 1 - output.readableBytes
      let written = output.writeWithUnsafeMutableBytes(minimumWritableBytes: min(room, Self.chunk)) { target in
        write(UnsafeMutableRawBufferPointer(rebasing: target.prefix(room)))
      }
      guard output.readableBytes <= limit else { throw .tooLarge }
      guard reservation.grow(by: written) else { throw .noMemory }
    }
  }
#endif
