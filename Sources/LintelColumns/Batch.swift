/// The kind of an attribute's value. Raw values are written to disk and never change.
public enum AttributeKind: UInt8, Hashable, Sendable, CaseIterable, Comparable {
  /// Those that an attribute can have; the others are how the storage keeps some of them.
  public static let allCases: [AttributeKind] = [.string, .int, .double, .bool, .variant]

  case string = 0
  case int = 1
  case double = 2
  case bool = 3
  /// Arrays, maps, byte strings and the empty value, as ``Variant``.
  case variant = 4
  /// Strings, stored as lists of the pieces in the content store that they consist of.
  case textContent = 5
  /// What is ``variant`` otherwise, stored likewise.
  case variantContent = 6

  public var physical: PhysicalType {
    switch self {
    case .string, .variant, .textContent, .variantContent: .bytes
    case .int: .int64
    case .double: .float64
    case .bool: .bool
    }
  }

  public var type: ColumnType {
    switch self {
    case .string: .string
    case .int: .int64
    case .double: .float64
    case .bool: .bool
    case .variant: .variant
    case .textContent, .variantContent: .bytes
    }
  }

  /// How the content store keeps values of this kind; `nil` for kinds that it doesn't take.
  public var asContent: AttributeKind? {
    switch self {
    case .string: .textContent
    case .variant: .variantContent
    default: nil
    }
  }

  /// The kind that an attribute has whose values are kept so; `nil` for kinds that are not content.
  public var ofContent: AttributeKind? {
    switch self {
    case .textContent: .string
    case .variantContent: .variant
    default: nil
    }
  }

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One dynamic column: the values of one kind under one key.
public struct AttributeKey: Hashable, Sendable, Comparable {
  public let name: String
  public let kind: AttributeKind

  public init(_ name: String, _ kind: AttributeKind) {
    self.name = name
    self.kind = kind
  }

  // Strings that are canonically equivalent (é as one scalar or as two) are equal to Swift, but different keys to clients.

  public static func == (left: Self, right: Self) -> Bool {
    left.kind == right.kind && left.name == right.name && left.name.utf8.elementsEqual(right.name.utf8)
  }

  public static func < (left: Self, right: Self) -> Bool {
    guard left.name == right.name else { return left.name < right.name }
    guard left.name.utf8.elementsEqual(right.name.utf8) else {
      return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
    return left.kind < right.kind
  }
}

/// A dynamic column of a batch: only the rows that have the attribute.
public struct AttributeColumn: Sendable {
  public let key: AttributeKey
  /// Ascending row numbers; one per value.
  public var rows: [UInt32]
  /// As many values as `rows`, none null.
  public var values: ColumnVector

  public init(key: AttributeKey, rows: [UInt32], values: ColumnVector) {
    self.key = key
    self.rows = rows
    self.values = values
  }
}

/// Names a stored column: one of the schema's, or a dynamic one.
public enum ColumnReference: Hashable, Sendable {
  case column(Int)
  case attribute(AttributeKey)
}

/// Rows on their way into a table, column by column. A batch is the unit of acknowledgement.
///
/// Within a row at most one value per (name, kind); a row may hold the same name with several kinds.
public struct Batch: Sendable {
  public let schema: TableSchema
  public let rowCount: Int
  /// One vector per schema column, in the schema's order, each of `rowCount` lanes.
  public var columns: [ColumnVector]
  /// Sorted by key, each key once.
  public var attributes: [AttributeColumn]

  public init(schema: TableSchema, rowCount: Int, columns: [ColumnVector], attributes: [AttributeColumn] = []) {
    self.schema = schema
    self.rowCount = rowCount
    self.columns = columns
    self.attributes = attributes
  }
}
