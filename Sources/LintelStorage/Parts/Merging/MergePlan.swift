internal import LintelColumns

/// The order in which a merge takes the rows of its sources: runs of adjacent rows of one source.
///
/// Found by reading the key columns once. Every further column is then merged on its own by following the plan, so that
/// a merge holds one block per source and the plan in memory, whatever the size of the parts.
struct MergePlan {
  struct Run {
    var source: UInt32
    var start: UInt32
    var count: UInt32
  }

  private(set) var runs: [Run] = []
  let rowCount: Int
  /// Bounds of the time column.
  let minTime: Int64
  let maxTime: Int64

  init(_ sources: MergeSources, schema: TableSchema) throws(StorageError) {
    rowCount = sources.rowCount
    let keeping = BlockKeeping.keys(sources.keys)
    var scan = Scan(schema, keeping)
    for (number, source) in sources.readers.enumerated() {
      try scan.add(source, UInt32(number), sources.masks[number])
    }
    minTime = min(scan.minTime, scan.maxTime)
    maxTime = max(scan.minTime, scan.maxTime)
    let order = scan.order()
    let heads = scan.runsByGroup()
    runs.reserveCapacity(scan.runs.count)
    var times = sources.readers.map { TimeCursor($0, column: schema.timeColumn, keeping) }
    for group in order {
      let members = heads.members(Int(group))
      if members.count == 1 || Self.followEachOther(members, scan.runs) {
        for member in members { runs.append(scan.runs[Int(member)].run) }
      } else {
        try interleave(members.map { scan.runs[Int($0)].run }, &times)
      }
    }
  }

  /// Whether the runs, sorted by their first time, don't overlap.
  private static func followEachOther(_ members: ArraySlice<UInt32>, _ runs: [TimedRun]) -> Bool {
    zip(members, members.dropFirst()).allSatisfy { runs[Int($0)].lastTime <= runs[Int($1)].firstTime }
  }

  /// Merges the rows of one cluster that several sources have, by time.
  private mutating func interleave(_ parts: [Run], _ times: inout [TimeCursor]) throws(StorageError) {
    var rows: [(time: Int64, part: Int, row: UInt32)] = []
    for (number, part) in parts.enumerated() {
      for row in part.start..<(part.start + part.count) {
        rows.append((try times[Int(part.source)].time(Int(row)), number, row))
      }
    }
    rows.sort { ($0.time, $0.part, $0.row) < ($1.time, $1.part, $1.row) }
    for row in rows {
      let source = parts[row.part].source
      if let last = runs.last, last.source == source, last.start + last.count == row.row {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(source: source, start: row.row, count: 1))
      }
    }
  }

  fileprivate struct TimedRun {
    var run: Run
    var group: UInt32
    var firstTime: Int64
    var lastTime: Int64
  }

  /// Reads the key columns of the sources and cuts the rows into runs of one cluster.
  private struct Scan {
    let schema: TableSchema
    let keeping: BlockKeeping
    let prefixColumns: [Int]
    var prefixes: PrefixCodes
    var clusters: ValueCodes
    var groups = ClusterGroups(clusterCount: 0)
    var runs: [TimedRun] = []
    var minTime = Int64.max
    var maxTime = Int64.min

    init(_ schema: TableSchema, _ keeping: BlockKeeping) {
      self.schema = schema
      self.keeping = keeping
      prefixColumns = schema.sortPrefix
      prefixes = PrefixCodes(prefixColumns.map { schema.columns[$0].type.physical })
      clusters = ValueCodes(schema.columns[schema.clusterColumn].type.physical)
    }

    /// - Parameter mask: Rows that are left out.
    mutating func add(_ source: PartReader, _ number: UInt32, _ mask: RowMask?) throws(StorageError) {
      // Each keeps its dictionary, which would otherwise be read anew for every block.
      var keyColumns = prefixColumns.map { reader(of: $0, source) }
      var clusterColumn = reader(of: schema.clusterColumn, source)
      var timeColumn = reader(of: schema.timeColumn, source)
      var key: (prefix: UInt32, cluster: UInt32)?
      for block in 0..<source.blockCount {
        let rowCount = source.rowCount(ofBlock: block)
        var vectors: [ColumnVector] = []
        for index in keyColumns.indices { vectors.append(try keyColumns[index].block(block)) }
        let prefix = prefixes.codes(of: vectors, rowCount: rowCount)
        let cluster = clusters.codes(of: try clusterColumn.block(block))
        let times = try timeColumn.block(block).int64Lanes ?? []
        guard cluster.count == rowCount, times.count == rowCount else {
          throw StorageError(.corrupt, "block \(block) of the key columns is not complete", path: source.name)
        }
        let first = block * source.blockRows
        let kept = mask?.bits(block)
        for row in 0..<rowCount {
          if let kept, !kept[row] {
            key = nil
            continue
          }
          minTime = min(minTime, times[row])
          maxTime = max(maxTime, times[row])
          if let key, key.prefix == prefix[row], key.cluster == cluster[row] {
            extend(times[row])
          } else {
            key = (prefix[row], cluster[row])
            start(number, first + row, prefix[row], cluster[row], times[row])
          }
        }
      }
    }

    private func reader(of column: Int, _ source: PartReader) -> SourceColumn {
      SourceColumn(source, source.place(.column(column)), schema.columns[column].type.physical, keeping)
    }

    private mutating func extend(_ time: Int64) {
      let last = runs.count - 1
      runs[last].run.count += 1
      runs[last].lastTime = max(runs[last].lastTime, time)
    }

    private mutating func start(_ source: UInt32, _ row: Int, _ prefix: UInt32, _ cluster: UInt32, _ time: Int64) {
      let group = groups.group(prefix: UInt64(prefix), cluster: cluster, time: time)
      let run = Run(source: source, start: UInt32(truncatingIfNeeded: row), count: 1)
      runs.append(
        TimedRun(run: run, group: UInt32(truncatingIfNeeded: group), firstTime: time, lastTime: time))
    }

    mutating func order() -> [UInt32] {
      groups.rankPrefixes(prefixes.ranks())
      return groups.sorted(rowCount: runs.reduce(0) { $0 + Int($1.run.count) }, clusters.comparator())
    }

    func runsByGroup() -> GroupedRuns { GroupedRuns(runs, groupCount: groups.groups.count) }
  }

  /// The runs of each group, by first time (counting sort).
  private struct GroupedRuns {
    private var starts: [Int]
    private var order: [UInt32]

    init(_ runs: [TimedRun], groupCount: Int) {
      starts = Array(repeating: 0, count: groupCount + 1)
      for run in runs { starts[Int(run.group) + 1] += 1 }
      for group in 0..<groupCount { starts[group + 1] += starts[group] }
      var next = starts
      order = Array(repeating: 0, count: runs.count)
      for (number, run) in runs.enumerated() {
        order[next[Int(run.group)]] = UInt32(truncatingIfNeeded: number)
        next[Int(run.group)] += 1
      }
      for group in 0..<groupCount where starts[group + 1] - starts[group] > 1 {
        order[starts[group]..<starts[group + 1]].sort {
          (runs[Int($0)].firstTime, $0) < (runs[Int($1)].firstTime, $1)
        }
      }
    }

    func members(_ group: Int) -> ArraySlice<UInt32> { order[starts[group]..<starts[group + 1]] }
  }
}

/// Reads single times of a part in nearly ascending order.
private struct TimeCursor {
  let reader: PartReader
  let column: Int
  private let keeping: BlockKeeping
  private var block = -1
  private var lanes: [Int64] = []

  init(_ reader: PartReader, column: Int, _ keeping: BlockKeeping) {
    self.reader = reader
    self.column = column
    self.keeping = keeping
  }

  mutating func time(_ row: Int) throws(StorageError) -> Int64 {
    let wanted = row / reader.blockRows
    if wanted != block {
      lanes = try reader.readOnce(.column(column), block: wanted, keeping: keeping).int64Lanes ?? []
      block = wanted
    }
    let offset = row - block * reader.blockRows
    return offset < lanes.count ? lanes[offset] : 0
  }
}
