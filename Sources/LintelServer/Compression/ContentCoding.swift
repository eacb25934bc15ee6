#if Server
  internal import NIOCore
  internal import NIOHTTP1

  /// How a body is compressed on the wire.
  enum ContentCoding: Sendable, Hashable, CaseIterable {
    case identity, gzip, deflate, zstd

    /// What `Content-Encoding` says. Two codings on top of each other are refused: no exporter sends them, and each layer
    /// would multiply what a hostile body can cost.
    init(of head: HTTPRequestHead) throws(HTTPProblem) {
      let names = head.headers[canonicalForm: "content-encoding"].filter { !$0.isEmpty }
      switch names.count == 1 ? names[0].lowercased() : names.isEmpty ? "identity" : "" {
      case "identity": self = .identity
      case "gzip", "x-gzip": self = .gzip
      case "deflate": self = .deflate
      case "zstd": self = .zstd
      default:
        throw HTTPProblem(
          .unsupportedMediaType, "send one Content-Encoding of gzip, deflate, zstd, or none",
          headers: [("accept-encoding", "gzip, deflate, zstd")])
      }
    }
  }

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
