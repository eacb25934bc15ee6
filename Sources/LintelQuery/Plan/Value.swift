/// One value, as constants in plans and cells of results hold it.
public enum Value: Sendable, Hashable {
  case null
  /// Lane value of every ``ColumnType`` whose physical type is `.int64`.
  case int64(Int64)
  case float64(Double)
  case bool(Bool)
  /// UTF-8 text, bytes, or an encoded ``Variant``, as the type says.
  case bytes([UInt8])
  case id128(UInt128)
}
