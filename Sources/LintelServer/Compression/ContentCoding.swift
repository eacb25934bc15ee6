#if Server
  /// How a body is compressed on the wire.
  enum ContentCoding: Sendable, Hashable, CaseIterable {
    case identity, gzip, deflate, zstd
  }
#endif
