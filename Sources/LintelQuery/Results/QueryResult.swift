public import LintelColumns

/// Rows of an answer, column by column.
public struct QueryResult: Sendable {
  public struct Column: Sendable {
    public let name: String
    public let type: ColumnType
    /// One lane per row.
    public let values: ColumnVector

    public init(name: String, type: ColumnType, values: ColumnVector) {
      self.name = name
      self.type = type
      self.values = values
    }
  }

  public struct Statistics: Sendable, Hashable {
    public var elapsedMilliseconds: Double
    /// Rows in the blocks that were not pruned.
    public var rowsRead: Int
    /// Bytes of the column blocks that were read.
    public var bytesRead: Int
    public var blocksPruned: Int
    /// Those of the pruned blocks that zone maps would have kept and filters did not.
    public var blocksFiltered: Int
    public var blocksTotal: Int
    /// Parts that were not read because their groups were kept from an earlier query.
    public var partsFromCache = 0
    /// Whether the whole answer was kept from an earlier query.
    public var isFromCache = false
    /// Blocks that were not read because what is known of them was enough.
    public var blocksAnswered = 0
    /// Bytes of groups and of rows to be sorted that were put on disk because memory couldn't hold them.
    public var bytesSpilled = 0
    /// The most bytes that intermediate results took at one time, as the query accounts for them.
    public var peakBytes = 0
    /// What was done, in the order in which it ended.
    public var operators: [OperatorRun] = []

    public init(
      elapsedMilliseconds: Double = 0, rowsRead: Int = 0, bytesRead: Int = 0, blocksPruned: Int = 0,
      blocksFiltered: Int = 0, blocksTotal: Int = 0
    ) {
      self.elapsedMilliseconds = elapsedMilliseconds
      self.rowsRead = rowsRead
      self.bytesRead = bytesRead
      self.blocksPruned = blocksPruned
      self.blocksFiltered = blocksFiltered
      self.blocksTotal = blocksTotal
    }
  }

  /// One step of a query. Scans, and aggregations with them, work on a block one after the other on several threads at once:
  /// their times are those of all threads together. Of every other step it is the time that passed.
  public struct OperatorRun: Sendable, Hashable {
    public let name: String
    public internal(set) var milliseconds: Double
    public internal(set) var rowsIn: Int
    public internal(set) var rowsOut: Int
    /// Bytes of column blocks that the step itself read.
    public internal(set) var bytesRead = 0
    /// Bytes that it put on disk for want of memory.
    public internal(set) var bytesSpilled = 0
    /// Which blocks a scan left out; `nil` for other steps.
    public internal(set) var pruning: Pruning?
  }

  /// Blocks that a scan didn't read, by what told that it needn't.
  public struct Pruning: Sendable, Hashable {
    public internal(set) var blocks = 0
    /// Least and greatest values, nulls.
    public internal(set) var byZoneMaps = 0
    /// Filters of the values that occur, where zone maps had kept the block.
    public internal(set) var byFilters = 0
    /// No entry of the part's dictionary passes.
    public internal(set) var byDictionaries = 0
    /// Answered by what is known of the block.
    public internal(set) var byStatistics = 0
    /// Rows read before were enough: LIMIT, or none here comes before the last of them in the order.
    public internal(set) var byLimit = 0
  }

  public let columns: [Column]
  public let rowCount: Int
  public var statistics: Statistics
  /// What the reader should know, such as a part that was left out because it is corrupt.
  public var warnings: [String]

  public init(columns: [Column], rowCount: Int, statistics: Statistics = Statistics(), warnings: [String] = []) {
    self.columns = columns
    self.rowCount = rowCount
    self.statistics = statistics
    self.warnings = warnings
  }

  var byteCount: Int { columns.reduce(0) { $0 + $1.values.byteCount } }
}
