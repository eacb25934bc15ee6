/// The values of one column for a run of rows, in memory.
///
/// `storage` has one lane per row, also where the row is null (then its content means nothing, and builders put zero or
/// the empty string there). `validity` is `nil` when no row is null.
public struct ColumnVector: Sendable {
  public enum Storage: Sendable {
    case int64([Int64])
    case float64([Double])
    case bool([Bool])
    case bytes(ByteStrings)
    case id128([UInt128])
    /// Row `i` has the value `dictionary[codes[i]]`. Every code of a valid row is below `dictionary.count`.
    case codes([UInt32], ValueDictionary)
  }

  public var storage: Storage
  /// Bit `i` is set where row `i` has a value.
  public var validity: Bitmap?

  public init(_ storage: Storage, validity: Bitmap? = nil) {
    self.storage = storage
    self.validity = validity
  }

  public var count: Int {
    switch storage {
    case .int64(let lanes): lanes.count
    case .float64(let lanes): lanes.count
    case .bool(let lanes): lanes.count
    case .bytes(let lanes): lanes.count
    case .id128(let lanes): lanes.count
    case .codes(let lanes, _): lanes.count
    }
  }

  /// The lane type of the values, whether they are dictionary-coded or not.
  public var physicalType: PhysicalType {
    switch storage {
    case .int64: .int64
    case .float64: .float64
    case .bool: .bool
    case .bytes: .bytes
    case .id128: .id128
    case .codes(_, let dictionary): dictionary.physicalType
    }
  }

  @inlinable
  public func isValid(_ row: Int) -> Bool { validity?[row] ?? true }

  /// A vector of `count` nulls.
  public static func nulls(_ type: PhysicalType, count: Int) -> ColumnVector {
    let validity = Bitmap(repeating: false, count: count)
    switch type {
    case .int64: return ColumnVector(.int64(Array(repeating: 0, count: count)), validity: validity)
    case .float64: return ColumnVector(.float64(Array(repeating: 0, count: count)), validity: validity)
    case .bool: return ColumnVector(.bool(Array(repeating: false, count: count)), validity: validity)
    case .id128: return ColumnVector(.id128(Array(repeating: 0, count: count)), validity: validity)
    case .bytes:
      var strings = ByteStrings()
      strings.offsets = Array(repeating: 0, count: count + 1)
      return ColumnVector(.bytes(strings), validity: validity)
    }
  }
}

/// The distinct values of a dictionary-coded column; shared by every block of a part, or by one batch.
public final class ValueDictionary: Sendable {
  public enum Values: Sendable {
    case bytes(ByteStrings)
    case id128([UInt128])
  }

  public let values: Values

  public init(_ values: Values) { self.values = values }

  public var count: Int {
    switch values {
    case .bytes(let strings): strings.count
    case .id128(let ids): ids.count
    }
  }

  public var physicalType: PhysicalType {
    switch values {
    case .bytes: .bytes
    case .id128: .id128
    }
  }
}
