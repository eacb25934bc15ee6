internal import LintelColumns
internal import Synchronization

/// A segment of the content store.
public struct ContentDescription: Sendable, Hashable {
  /// The file's name within the data directory.
  public var name: String
  public var shard: Int
  /// How many merges made it.
  public var level: Int
  /// Messages and other pieces.
  public var pieces: Int
  /// Bytes of the file.
  public var bytes: Int
}

extension Store {
  /// What each column of a table takes in its parts, the largest first, and what the store's content does where the table has
  /// some. The bytes add up to those of the files.
  public func describeStorage(_ table: String) -> [ColumnStorage] {
    let parts = follower.map { $0.parts(table) } ?? state.withLock { $0.parts[table] ?? [] }
    let content = schemas[table]?.content == nil ? [] : liveContent
    var columns: [PartColumnRole: ColumnStorage] = [:]
    var encodings: [PartColumnRole: [String: Int]] = [:]
    for directory in parts.map(\.reader.directory) {
      for column in directory.columns {
        var entry = columns[column.role] ?? ColumnStorage(column.columnName, type: column.shownType)
        entry.blocks += column.encodings.values.reduce(0, +)
        entry.values += column.valueCount
        entry.bytes += column.storedBytes
        entry.indexBytes += column.index.length
        entry.dictionaryBytes += column.dictionary?.length ?? 0
        entry.filterBytes += column.filters?.length ?? 0
        entry.rawBytes += column.rawLength
        columns[column.role] = entry
        encodings[column.role, default: [:]].merge(column.encodings, uniquingKeysWith: +)
      }
    }
    let rows = parts.reduce(0) { $0 + $1.entry.rowCount }
    let partBytes = parts.reduce(0) { $0 + $1.entry.fileBytes }
    let bytes = content.reduce(partBytes) { $0 + $1.entry.fileBytes }
    var directories = ColumnStorage("(directories)", type: "")
    directories.bytes = partBytes - columns.values.reduce(0) { $0 + $1.bytes }
    let rest = parts.isEmpty ? [] : [directories.sharing(rows: rows, bytes: bytes)]
    let pieces = content.isEmpty ? [] : [ColumnStorage(content).sharing(rows: rows, bytes: bytes)]
    return columns.map { role, entry in
      var entry = entry.sharing(rows: rows, bytes: bytes)
      entry.encodings = (encodings[role] ?? [:]).sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
      return entry
    }.sorted { ($1.bytes, $0.column, $0.type) < ($0.bytes, $1.column, $1.type) } + pieces + rest
  }

  /// Where messages and other content are, by number.
  public func contentSegments() -> [ContentDescription] {
    liveContent.map { live in
      ContentDescription(
        name: live.entry.fileName, shard: live.entry.shard, level: live.entry.level, pieces: live.entry.pieceCount,
        bytes: live.entry.fileBytes)
    }
  }

  private var liveContent: [LiveContent] {
    let found = follower.map(\.content) ?? state.withLock { Array($0.contentSegments.joined()) }
    return found.sorted { $0.entry.number < $1.entry.number }
  }
}

extension ColumnStorage {
  fileprivate init(_ column: String, type: String) {
    self.init(
      column: column, type: type, encodings: [], blocks: 0, values: 0, bytes: 0, indexBytes: 0, dictionaryBytes: 0,
      filterBytes: 0, rawBytes: 0, bytesPerRow: 0, share: 0)
  }

  fileprivate init(_ content: [LiveContent]) {
    self.init("(content)", type: "")
    let groups = content.flatMap(\.reader.groups)
    encodings = groups.contains { $0.encoding == .zstd } ? ["zstd"] : []
    if groups.contains(where: { $0.encoding == .plain }) { encodings.append("plain") }
    blocks = groups.count
    values = content.reduce(0) { $0 + $1.entry.pieceCount }
    bytes = content.reduce(0) { $0 + $1.entry.fileBytes }
    // Lists of ids and digests.
    indexBytes = bytes - groups.reduce(0) { $0 + $1.length }
    rawBytes = content.reduce(0) { $0 + $1.entry.rawBytes }
  }

  /// The same with its share of a table of so many rows and bytes.
  fileprivate func sharing(rows: Int, bytes: Int) -> ColumnStorage {
    var copy = self
    copy.bytesPerRow = Double(self.bytes) / Double(max(1, rows))
    copy.share = Double(self.bytes) / Double(max(1, bytes))
    return copy
  }
}

extension PartColumn {
  fileprivate var columnName: String {
    switch role {
    case .schema(let name): name
    // Texts and structured values of an attribute may both be content: their types tell them apart.
    case .attribute(let key): "attributes['\(key.name)']" + (key.kind.ofContent == nil ? "" : " (recipes)")
    case .tail: "rare attributes"
    }
  }

  fileprivate var shownType: String {
    switch role {
    case .schema: typeName
    case .attribute(let key): (key.kind.ofContent ?? key.kind).type.name
    case .tail: "any"
    }
  }
}
