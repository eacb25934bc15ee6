#if Server
  internal import NIOHTTP1

  extension ContentCoding {
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
#endif
