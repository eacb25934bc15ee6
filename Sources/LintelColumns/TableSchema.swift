/// One column of a table.
public struct ColumnDefinition: Sendable, Hashable {
  public let name: String
  public let type: ColumnType
  public let isNullable: Bool
  /// Hidden columns carry what rebuilding needs; `SELECT *` and `DESCRIBE` leave them out.
  public let isHidden: Bool
  public let documentation: String

  public init(
    _ name: String, _ type: ColumnType, nullable: Bool = false, hidden: Bool = false, documentation: String = ""
  ) {
    self.name = name
    self.type = type
    isNullable = nullable
    isHidden = hidden
    self.documentation = documentation
  }
}

/// A column that is not stored but computed from stored ones, such as `end_time`.
public struct ComputedColumn: Sendable, Hashable {
  public let name: String
  /// A SpanQL expression over stored columns.
  public let expression: String
  public let documentation: String
  /// Left out of `SELECT *`, because it may be large: fetched only by its name.
  public let isOnRequest: Bool

  public init(_ name: String, _ expression: String, documentation: String = "", onRequest: Bool = false) {
    self.name = name
    self.expression = expression
    self.documentation = documentation
    isOnRequest = onRequest
  }
}

/// Says that attribute `key` may have been moved into a stored column when a row was ingested, so that
/// `attributes['key']` must look there too. Whether it was, for a given row, stands in the row's origins column.
public struct MovedAttribute: Sendable, Hashable {
  /// The attribute's key as clients send it.
  public let key: String
  /// `attributes` or `resource_attributes`: which list the client sent it in.
  public let list: String
  /// Name of the stored column.
  public let column: String
  /// How the column's value becomes the attribute's value.
  public let conversion: AttributeConversion
  /// The client's value for each value of the column, where `conversion` is a table of names.
  public let originals: [String: String]
  /// What the origins column of a row contains (as one of its `;`-separated entries) when this move was made.
  public var originEntry: String { "\(list == "attributes" ? "s" : "r"):\(key)>\(column):\(conversion.rawValue)" }

  public init(
    key: String, list: String, column: String, conversion: AttributeConversion, originals: [String: String] = [:]
  ) {
    self.key = key
    self.list = list
    self.column = column
    self.conversion = conversion
    self.originals = originals
  }
}

/// How a client's value and a column's value correspond. A value is moved only where the way back is exact.
/// Raw values are written to disk and never change.
public enum AttributeConversion: String, Sendable, Hashable, CaseIterable {
  /// The same string.
  case string
  /// The same integer.
  case int
  /// The client sent a double that is a whole number.
  case double
  /// Column: nanoseconds; client: seconds as a double.
  case seconds
  /// Column: nanoseconds; client: milliseconds as a double.
  case milliseconds
  /// Column: nano-USD; client: USD as a double.
  case usd
  /// Column: one string; client: an array of exactly that string.
  case singleton
  /// Column: an operation name; client: an OpenInference span kind such as `LLM`.
  case openInferenceKind
}

/// How a column's values tend to follow from other columns, so that a part can store a rule and exceptions in their place.
/// A hint: values that follow no rule come back all the same.
public enum ColumnDerivation: Sendable, Hashable {
  /// The value is the value that the column `of` has in another row of the same cluster: the id of a parent.
  case reference(of: String)
  /// The value is a sum of the named integer columns, each times a whole factor that follows from a predictor: a cost.
  case weightedSum(of: [String])
}

/// What a table is: its columns, and how its rows are clustered, sharded, timed and made unique.
public final class TableSchema: Sendable {
  public let name: String
  public let columns: [ColumnDefinition]
  public let computed: [ComputedColumn]
  /// Whether rows have a dynamic `attributes[...]` list beside the columns.
  public let hasAttributes: Bool
  /// Column indices that order the rows of a part.
  public let sortKey: [Int]
  /// The column whose value chooses the shard.
  public let shardKey: Int
  /// The column that retention, merging windows and time pruning go by.
  public let timeColumn: Int
  /// Rows with equal values here belong together (a trace) and stay in one shard, adjacent in a part.
  public let clusterColumn: Int
  public let movedAttributes: [MovedAttribute]
  /// The hidden string column that lists, per row, the moves made (``MovedAttribute/originEntry``).
  public let originsColumn: Int?
  /// Columns of few values from which those of others tend to follow, such as a span's name.
  public let predictors: [Int]
  /// By column.
  public let derivations: [Int: ColumnDerivation]
  /// By column: columns of integers of the same row whose size tells something of its own. Tried where bytes count most.
  public let correlations: [Int: [Int]]
  /// The column of how long it took from the row's time on; what comes first in a cluster tends to last as long as the rest.
  public let durationColumn: Int?
  /// The column of ids that says whom a row is about: the rows of one value can be erased.
  public let subjectColumn: Int?
  /// The column of strings that says whose a row is: erasures, holds and retention may be limited to one value.
  public let tenantColumn: Int?
  /// Attributes that are kept in the content store.
  public let content: ContentKeys?
  private let indices: [String: Int]

  public init(
    name: String, columns: [ColumnDefinition], computed: [ComputedColumn] = [], hasAttributes: Bool,
    sortKey: [String], shardKey: String, timeColumn: String, clusterColumn: String,
    movedAttributes: [MovedAttribute] = [], originsColumn: String? = nil, predictors: [String] = [],
    derivations: [String: ColumnDerivation] = [:], correlations: [String: [String]] = [:],
    durationColumn: String? = nil, subjectColumn: String? = nil, tenantColumn: String? = nil,
    content: ContentKeys? = nil
  ) {
    self.content = content
    self.name = name
    self.columns = columns
    self.computed = computed
    self.hasAttributes = hasAttributes
    self.movedAttributes = movedAttributes
    var indices: [String: Int] = [:]
    for (index, column) in columns.enumerated() {
      precondition(indices[column.name] == nil, "the schema of \(name) has two columns named \(column.name)")
      indices[column.name] = index
    }
    self.indices = indices
    func require(_ column: String) -> Int {
      guard let index = indices[column] else { preconditionFailure("the schema of \(name) has no column \(column)") }
      return index
    }
    self.sortKey = sortKey.map(require)
    self.shardKey = require(shardKey)
    self.timeColumn = require(timeColumn)
    self.clusterColumn = require(clusterColumn)
    self.originsColumn = originsColumn.map(require)
    self.predictors = predictors.map(require)
    self.derivations = Dictionary(uniqueKeysWithValues: derivations.map { (require($0.key), $0.value) })
    self.correlations = Dictionary(
      uniqueKeysWithValues: correlations.map { (require($0.key), $0.value.map(require)) })
    self.durationColumn = durationColumn.map(require)
    self.subjectColumn = subjectColumn.map(require)
    self.tenantColumn = tenantColumn.map(require)
  }

  public func index(of column: String) -> Int? { indices[column] }
}
