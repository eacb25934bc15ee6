internal import LintelColumns
internal import Synchronization

/// What a store holds and has done since it was opened.
public struct StoreStatistics: Sendable, Hashable {
  /// Rows in parts and in memory.
  public var rows = 0
  public var parts = 0
  /// Bytes of the parts' files.
  public var partBytes = 0
  /// Segments of content, their bytes, and the messages and other pieces in them.
  public var contentSegments = 0
  public var contentBytes = 0
  public var contentPieces = 0
  /// Rows in memory, those being flushed included.
  public var memtableRows = 0
  /// Bytes reserved from the memory budget.
  public var memtableBytes = 0
  /// Bytes of the log segments being written.
  public var logBytes = 0
  /// Bytes of decoded blocks and dictionaries kept.
  public var cacheBytes = 0
  public var appendedRows = 0
  public var duplicateRows = 0
  /// Rows that came of erased subjects and were not taken in.
  public var erasedRows = 0
  /// Erasures that files still hold rows of.
  public var erasuresPending = 0
  public var flushes = 0
  public var flushedRows = 0
  public var merges = 0
  public var mergedRows = 0
  /// Each tier with its parts.
  public var tiers: [TierDescription] = []
  /// Moves to another tier, the rows moved and the bytes written by that.
  public var moves = 0
  public var movedRows = 0
  public var movedBytes = 0
  /// Bytes of all parts written by flushes, merges and moves.
  public var writtenPartBytes = 0
  /// Bytes of parts read again in the background, and how often all parts have been gone through.
  public var scrubbedBytes = 0
  public var scrubPasses = 0
  public var problems = 0
  /// Set after a failed write: nothing more is taken.
  public var failure: StorageError?

  public init() {}
}

/// One part, or one segment in memory.
public struct PartDescription: Sendable, Hashable {
  public var isInMemory: Bool { tier == nil }

  public var table: String
  /// The file's name within the data directory; `memory/..` for what is in no part yet.
  public var name: String
  /// `nil` for what is in memory.
  public var tier: Tier?
  public var shard: Int
  /// How many merges made it.
  public var level: Int
  public var rows: Int
  /// Bytes of the file; of memory where it is in memory.
  public var bytes: Int
  /// Bounds of the time column, in nanoseconds.
  public var minTime: Int64
  public var maxTime: Int64
}

/// What one column takes on disk, over all parts.
public struct ColumnStorage: Sendable, Hashable {
  /// The column's name; `attributes['key']` for a dynamic one, with ` (recipes)` behind it for what rows have of it whose
  /// values are content; `(content)` for those values, `(directories)` for what a part takes beside its columns.
  public var column: String
  public var type: String
  /// Names of the blocks' encodings, the most frequent first.
  public var encodings: [String]
  public var blocks: Int
  /// Rows that have a value; of content messages and other pieces.
  public var values: Int
  /// Bytes on disk: blocks, indexes, dictionaries and filters.
  public var bytes: Int
  /// Bytes of block indexes, of dictionaries and of filters; all within `bytes`.
  public var indexBytes: Int
  public var dictionaryBytes: Int
  public var filterBytes: Int
  /// Bytes before encoding.
  public var rawBytes: Int
  /// `bytes` by the rows of the table's parts.
  public var bytesPerRow: Double
  /// `bytes` by those of all columns, 0 ... 1.
  public var share: Double
}

extension Store {
  public var statistics: StoreStatistics {
    var statistics = StoreStatistics()
    state.withLock { state in
      let parts = state.parts.values.joined().map(\.entry)
      let frozen = state.frozen.flatMap(\.tables.values)
      let active = state.memtables.flatMap(\.values)
      statistics.parts = parts.count
      statistics.partBytes = parts.reduce(0) { $0 + $1.fileBytes }
      let content = state.contentSegments.joined().map(\.entry)
      statistics.contentSegments = content.count
      statistics.contentBytes = content.reduce(0) { $0 + $1.fileBytes }
      statistics.contentPieces = content.reduce(0) { $0 + $1.pieceCount }
      statistics.memtableRows = (frozen + active).reduce(0) { $0 + $1.rowCount }
      statistics.memtableBytes = state.reservedBytes
      statistics.rows = statistics.memtableRows + parts.reduce(0) { $0 + $1.rowCount }
      statistics.appendedRows = state.counters.appendedRows
      statistics.duplicateRows = state.counters.duplicateRows
      statistics.erasedRows = state.counters.erasedRows
      statistics.flushes = state.counters.flushes
      statistics.flushedRows = state.counters.flushedRows
      statistics.merges = state.counters.merges
      statistics.mergedRows = state.counters.mergedRows
      statistics.moves = state.counters.moves
      statistics.movedRows = state.counters.movedRows
      statistics.movedBytes = state.counters.movedBytes
      statistics.writtenPartBytes = state.counters.writtenPartBytes
      statistics.scrubbedBytes = state.counters.scrubbedBytes
      statistics.scrubPasses = state.counters.scrubPasses
      statistics.failure = state.failure
    }
    statistics.erasuresPending = exclusions.current.rules.erasures.count { $0.state == .hidden }
    statistics.tiers = tiers()
    statistics.problems = problems.count
    statistics.cacheBytes = cache.cost
    statistics.logBytes = shards.reduce(0) { sum, shard in sum + shard.log.withLock { $0.writer.bytes } }
    return statistics
  }

  /// The parts of a table, then what it has in memory.
  public func parts(_ table: String) -> [PartDescription] {
    if let follower {
      let segments = (try? follower.segments(table, noting: ContentDamage()).segments.map(\.segment)) ?? []
      return follower.parts(table).map { Self.describe($0.entry) } + segments.compactMap { Self.describe($0, table, 0) }
    }
    return state.withLock { state in
      var result = (state.parts[table] ?? []).map { Self.describe($0.entry) }
      for frozen in state.frozen {
        result += (frozen.tables[table]?.segments ?? []).compactMap { Self.describe($0, table, frozen.shard) }
      }
      for (shard, tables) in state.memtables.enumerated() {
        result += (tables[table]?.segments ?? []).compactMap { Self.describe($0, table, shard) }
      }
      return result
    }
  }

  static func describe(_ entry: PartEntry) -> PartDescription {
    PartDescription(
      table: entry.table, name: entry.fileName, tier: entry.tier, shard: entry.shard, level: entry.level,
      rows: entry.rowCount, bytes: entry.fileBytes, minTime: entry.minTime, maxTime: entry.maxTime)
  }

  private static func describe(_ segment: any Segment, _ table: String, _ shard: Int) -> PartDescription? {
    guard let segment = segment as? BatchSegment else { return nil }
    return PartDescription(
      table: table, name: segment.name, tier: nil, shard: shard, level: 0, rows: segment.rowCount,
      bytes: segment.byteCount, minTime: segment.minTime, maxTime: segment.maxTime)
  }
}
