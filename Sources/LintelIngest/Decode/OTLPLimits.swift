/// What a request may ask of the decoder. Memory stays within a small multiple of the request's size.
public struct OTLPLimits: Sendable, Hashable {
  /// What happens when a string isn't well-formed UTF-8.
  public enum InvalidText: String, Sendable, Hashable, CaseIterable {
    /// The span that holds it is rejected and counted; its neighbours are stored.
    case rejectSpan = "reject-span"
    /// The whole request is refused, as protobuf's own decoders do.
    case rejectRequest = "reject-request"
  }

  /// Largest request, in bytes after decompression. Servers refuse larger ones before (64 MiB by default).
  public var requestBytes = 1 << 29
  /// Deepest nesting of messages, the request itself counted; protobuf's own decoders allow 100 as well.
  public var messageDepth = 100
  /// Distinct attribute keys of spans in one request. Attributes with a key beyond are kept and exported, but SpanQL doesn't
  /// find them by name.
  public var attributeKeys = 131_072
  /// Resources whose attributes take more bytes than this keep them all in `resource_attributes`: the values still fill
  /// their columns, but nothing is moved out, so that the map is stored once whatever the spans override.
  public var movableResourceBytes = 65_536
  /// See ``InvalidText``.
  public var invalidText = InvalidText.rejectRequest

  public init() {}
}
