/// A value of any kind, as clients send them in attributes: the engine's own tree, and its byte encoding.
///
///     value   := tag payload
///     tag     := 0 empty | 1 false | 2 true | 3 int | 4 double | 5 string | 6 bytes | 7 array | 8 map
///     int     := zig-zag varint          double := 8 bytes, little-endian bit pattern
///     string  := varint length, UTF-8    bytes  := varint length, bytes
///     array   := varint count, values    map    := varint count, (varint length, UTF-8 key, value)*
///
/// Maps keep the order and the repeats of their keys. Nesting is limited to ``maximumDepth``.
public indirect enum Variant: Sendable, Hashable {
  case empty
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case array([Variant])
  case map([Entry])

  public struct Entry: Sendable, Hashable {
    public var key: String
    public var value: Variant

    public init(_ key: String, _ value: Variant) {
      self.key = key
      self.value = value
    }
  }

  /// Deepest nesting that is accepted, on the way in and on the way out.
  public static let maximumDepth = 64
}
