/// The type of a column as users see it. Several logical types share one physical lane (``PhysicalType``).
public enum ColumnType: Hashable, Sendable {
  /// Signed 64-bit integer.
  case int64
  /// Unsigned 32-bit integer, held in an `Int64` lane; `0 ..< 2^32`.
  case uint32
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  case timestamp
  /// Nanoseconds.
  case duration
  /// Nano-USD.
  case money
  /// IEEE 754 binary64; NaN payloads and the sign of zero are kept.
  case float64
  case bool
  /// UTF-8 text.
  case string
  /// Arbitrary bytes.
  case bytes
  /// Eight bytes; held in an `Int64` lane as their big-endian bit pattern.
  case id8
  /// Sixteen bytes; held as the big-endian `UInt128`.
  case id16
  /// A small closed-by-convention set of named numbers; numbers without a name are legal and kept.
  case enumeration(Enumeration)
  /// A value of any kind, in the encoding of ``Variant``.
  case variant
  /// A ``Variant`` that is a map (string keys, order and repeats kept), such as `resource_attributes`.
  case map

  public var physical: PhysicalType {
    switch self {
    case .int64, .uint32, .timestamp, .duration, .money, .id8, .enumeration: .int64
    case .float64: .float64
    case .bool: .bool
    case .string, .bytes, .variant, .map: .bytes
    case .id16: .id128
    }
  }

  /// The name SpanQL and the JSON format show.
  public var name: String {
    switch self {
    case .int64: "int64"
    case .uint32: "uint32"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .money: "money"
    case .float64: "float64"
    case .bool: "bool"
    case .string: "string"
    case .bytes: "bytes"
    case .id8: "id8"
    case .id16: "id16"
    case .enumeration: "enum"
    case .variant: "any"
    case .map: "map"
    }
  }
}

/// How values lie in memory. Raw values are written to disk and never change.
public enum PhysicalType: UInt8, Hashable, Sendable, CaseIterable {
  case int64 = 0
  case float64 = 1
  case bool = 2
  case bytes = 3
  case id128 = 4
}

/// The names of an enumeration's numbers.
public struct Enumeration: Hashable, Sendable {
  public let name: String
  /// `labels[i]` names the number `i`.
  public let labels: [String]

  public init(name: String, labels: [String]) {
    self.name = name
    self.labels = labels
  }

  public func label(of number: Int64) -> String? {
    number >= 0 && number < Int64(labels.count) ? labels[Int(number)] : nil
  }

  public func number(of label: String) -> Int64? {
    labels.firstIndex(of: label).map(Int64.init)
  }
}
