internal import LintelColumns

/// What writing parts needs to know.
struct PartOptions: Sendable {
  let fileSystem: any FileSystem
  let blockRows: Int
  var density = PartDensity.light
  let window: MergeWindow
  /// Fewer values without a dictionary are left as they are by a merge: another one will have more.
  let dictionaryTrialValues: Int
  /// Merges of fewer rows are done by one thread.
  let parallelMergeRows: Int
  /// Threads that help a merge.
  let mergeHelpers: EngineThreads
  /// Gives a new part its number and path.
  let allocate: @Sendable () -> (number: UInt64, path: String)
}

/// A part that is on disk, whole and synced, but not in the manifest yet.
struct WrittenPart: Sendable {
  var number: UInt64
  var path: String
  var summary: PartSummary
  var rawBytes: Int
}

/// Turns the batches of a memtable into sorted parts, one a merge window, column by column: beside the batches only one
/// column is in memory at a time.
struct FlushWriter {
  private let batches: [Batch]
  private let schema: TableSchema
  private let options: PartOptions
  private let order: FlushOrder
  private let times: [Int64]
  /// The key columns, which were joined for sorting.
  private var joined: [Int: ColumnVector] = [:]
  private var outputs: [Output] = []

  private struct Output {
    let number: UInt64
    let writer: PartWriter
    /// Row numbers of the joined batches, in the part's order.
    let rows: [UInt32]
  }

  /// - Parameter batches: Of one table; at least one row.
  static func write(_ batches: [Batch], options: PartOptions) throws(StorageError) -> [WrittenPart] {
    guard let schema = batches.first?.schema else { return [] }
    var flush = FlushWriter(batches, schema, options)
    do {
      return try flush.run()
    } catch {
      for output in flush.outputs { output.writer.discard() }
      throw error
    }
  }

  private init(_ batches: [Batch], _ schema: TableSchema, _ options: PartOptions) {
    self.batches = batches
    self.schema = schema
    self.options = options
    let prefix = schema.sortPrefix
    var keys: [Int: ColumnVector] = [:]
    for column in prefix + [schema.clusterColumn, schema.timeColumn] where keys[column] == nil {
      keys[column] = Self.join(column, batches, schema)
    }
    let times = keys[schema.timeColumn]?.int64Lanes ?? []
    order = FlushOrder(
      prefix: prefix.compactMap { keys[$0] },
      cluster: keys[schema.clusterColumn] ?? .nulls(.int64, count: times.count), times: times, window: options.window)
    self.times = times
    joined = keys
  }

  private static func join(_ column: Int, _ batches: [Batch], _ schema: TableSchema) -> ColumnVector {
    ColumnJoin.join(batches.map { $0.columns[column] }, type: schema.columns[column].type.physical)
  }

  private mutating func run() throws(StorageError) -> [WrittenPart] {
    let attributes = BatchJoin.attributes(of: batches)
    let blockRows = BlockSize.rows(
      configured: options.blockRows, rowCount: times.count, widestBytes: widestBytes(attributes))
    for rows in order.rows where !rows.isEmpty {
      let (number, path) = options.allocate()
      let writer = try PartWriter(
        fileSystem: options.fileSystem, path: path, table: schema.name, rowCount: rows.count, blockRows: blockRows)
      outputs.append(Output(number: number, writer: writer, rows: rows))
    }
    for column in schema.columns.indices { try write(column) }
    let tailKeys = try write(attributes)
    let bytes = batches.reduce(0) { $0 + $1.byteCount }
    var parts: [WrittenPart] = []
    for (output, tail) in zip(outputs, tailKeys) {
      let range = timeRange(output.rows)
      let summary = try output.writer.finish(minTime: range.lowerBound, maxTime: range.upperBound, tailKeys: tail)
      let share = Double(output.rows.count) / Double(max(1, times.count))
      parts.append(
        WrittenPart(
          number: output.number, path: output.writer.path, summary: summary, rawBytes: Int(Double(bytes) * share)))
    }
    return parts
  }

  private mutating func write(_ column: Int) throws(StorageError) {
    let definition = schema.columns[column]
    let vector = joined.removeValue(forKey: column) ?? Self.join(column, batches, schema)
    for output in outputs {
      try output.writer.writeColumn(
        .schema(definition.name), typeName: definition.type.name, physical: definition.type.physical,
        vector.gather(output.rows))
    }
  }

  private func timeRange(_ rows: [UInt32]) -> ClosedRange<Int64> {
    var low = Int64.max
    var high = Int64.min
    for row in rows {
      low = min(low, times[Int(row)])
      high = max(high, times[Int(row)])
    }
    return min(low, high)...max(low, high)
  }

  /// Plain bytes of the column that has most.
  private func widestBytes(_ attributes: [(key: AttributeKey, pieces: [BatchJoin.Piece])]) -> Int {
    var widest = 0
    for column in schema.columns.indices {
      widest = max(widest, batches.reduce(0) { $0 + $1.columns[column].plainByteCount })
    }
    for attribute in attributes {
      widest = max(widest, attribute.pieces.reduce(0) { $0 + $1.column.values.plainByteCount })
    }
    return widest
  }
}

// MARK: - Dynamic columns

extension FlushWriter {
  /// Writes the dynamic columns; returns each output's tail keys.
  private func write(
    _ attributes: [(key: AttributeKey, pieces: [BatchJoin.Piece])]
  ) throws(StorageError) -> [[TailKey]] {
    let counts = attributes.map { $0.pieces.reduce(0) { $0 + $1.column.rows.count } }
    let columns = AttributeChoice.columns(counts: counts)
    let placement = Placement(outputs.map(\.rows), rowCount: times.count)
    var rare: [(key: AttributeKey, column: SparseColumn)] = []
    for (index, attribute) in attributes.enumerated() {
      let joined = BatchJoin.join(attribute.pieces, type: attribute.key.kind.physical)
      guard columns[index] else {
        rare.append((attribute.key, joined))
        continue
      }
      for (number, output) in outputs.enumerated() {
        try output.writer.writeColumn(attribute.key, placement.sorted(joined, output: number))
      }
    }
    var tails: [[TailKey]] = []
    for (number, output) in outputs.enumerated() {
      tails.append(try writeTail(rare, to: output, number, placement))
    }
    return tails
  }

  private func writeTail(
    _ rare: [(key: AttributeKey, column: SparseColumn)], to output: Output, _ number: Int, _ placement: Placement
  ) throws(StorageError) -> [TailKey] {
    var keys: [TailKey] = []
    var builder = TailBuilder()
    for (key, column) in rare {
      let sorted = placement.sorted(column, output: number)
      guard !sorted.rows.isEmpty else { continue }
      for (index, row) in sorted.rows.enumerated() {
        builder.add(row: Int(row), key: keys.count, value: sorted.values, at: index, kind: key.kind)
      }
      keys.append(TailKey(key: key, valueCount: sorted.rows.count))
    }
    guard !keys.isEmpty else { return [] }
    try output.writer.writeColumn(.tail, typeName: "", physical: .bytes, builder.finish(rowCount: output.rows.count))
    return keys
  }
}

/// Which dynamic columns get blocks of their own.
enum AttributeChoice {
  /// The most frequent ones, up to the limit; the first among equals.
  static func columns(counts: [Int]) -> [Bool] {
    guard counts.count > PartFormat.maximumAttributeColumns else { return Array(repeating: true, count: counts.count) }
    var chosen = Array(repeating: false, count: counts.count)
    let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
    for index in order.prefix(PartFormat.maximumAttributeColumns) { chosen[index] = true }
    return chosen
  }
}

/// Where the rows of the joined batches end up.
private struct Placement {
  private static let nowhere = UInt32.max
  private let lists: [[UInt32]]
  /// The output of each row; empty when there is but one.
  private var outputOf: [UInt8] = []
  /// The position of each row in its output.
  private var positions: [UInt32]

  init(_ lists: [[UInt32]], rowCount: Int) {
    self.lists = lists
    positions = Array(repeating: 0, count: rowCount)
    if lists.count > 1 { outputOf = Array(repeating: 0, count: rowCount) }
    for (number, rows) in lists.enumerated() {
      for (position, row) in rows.enumerated() {
        positions[Int(row)] = UInt32(truncatingIfNeeded: position)
        if lists.count > 1 { outputOf[Int(row)] = UInt8(truncatingIfNeeded: number) }
      }
    }
  }

  /// The values that belong to one output, in its order.
  func sorted(_ column: SparseColumn, output: Int) -> SparseColumn {
    let rowCount = lists[output].count
    if column.rows.count > rowCount / 32 { return scattered(column, output, rowCount) }
    var entries: [UInt64] = []
    entries.reserveCapacity(column.rows.count)
    for (index, row) in column.rows.enumerated() where belongs(row, output) {
      entries.append(UInt64(positions[Int(row)]) << 32 | UInt64(index))
    }
    entries.sort()
    return SparseColumn(
      rows: entries.map { UInt32(truncatingIfNeeded: $0 >> 32) },
      values: column.values.gather(entries.map { UInt32(truncatingIfNeeded: $0) }))
  }

  /// The same through an array of all positions, for columns that aren't sparse.
  private func scattered(_ column: SparseColumn, _ output: Int, _ rowCount: Int) -> SparseColumn {
    var slots = Array(repeating: Self.nowhere, count: rowCount)
    for (index, row) in column.rows.enumerated() where belongs(row, output) {
      slots[Int(positions[Int(row)])] = UInt32(truncatingIfNeeded: index)
    }
    var rows: [UInt32] = []
    var values: [UInt32] = []
    rows.reserveCapacity(column.rows.count)
    values.reserveCapacity(column.rows.count)
    for (position, index) in slots.enumerated() where index != Self.nowhere {
      rows.append(UInt32(truncatingIfNeeded: position))
      values.append(index)
    }
    return SparseColumn(rows: rows, values: column.values.gather(values))
  }

  private func belongs(_ row: UInt32, _ output: Int) -> Bool {
    outputOf.isEmpty || outputOf[Int(row)] == UInt8(truncatingIfNeeded: output)
  }
}

extension TableSchema {
  /// The columns of the sort key before the time column.
  var sortPrefix: [Int] { Array(sortKey.prefix { $0 != timeColumn && $0 != clusterColumn }) }
}

extension ColumnVector {
  /// The lanes of an integer column.
  var int64Lanes: [Int64]? {
    if case .int64(let lanes) = storage { return lanes }
    return nil
  }

  /// Bytes of the values where they are not in a dictionary; 4 a row where they are.
  var plainByteCount: Int {
    switch storage {
    case .int64(let lanes): 8 * lanes.count
    case .float64(let lanes): 8 * lanes.count
    case .bool(let lanes): lanes.count
    case .bytes(let strings): strings.bytes.count + 4 * strings.count
    case .id128(let lanes): 16 * lanes.count
    case .codes(let codes, _): 4 * codes.count
    }
  }
}
