import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// A segment of which rows are missing.
struct MaskedTestSegment: Segment {
  let base: any Segment
  let mask: RowMask?

  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var blockRows: Int { base.blockRows }
  var isPart: Bool { base.isPart }
  var attributeKeys: [AttributeKey] { base.attributeKeys }
  func storedBytes(_ column: ColumnReference, block: Int) -> Int { base.storedBytes(column, block: block) }
  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? { base.statistics(column, block: block) }
  func filters(_ column: ColumnReference) -> BlockFilters? { base.filters(column) }
  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? { try base.dictionary(column) }
  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    try base.read(column, block: block)
  }
  func packed(_ column: ColumnReference, block: Int) -> PackedVector? { base.packed(column, block: block) }

  /// The segment without the rows that a seed chooses: none of some blocks, all of others, some of the rest.
  init(_ base: any Segment, _ random: inout SeededGenerator) {
    self.base = base
    var kept: [Int: Bitmap] = [:]
    for block in 0..<base.blockCount {
      let rowCount = base.rowCount(ofBlock: block)
      switch Int.random(in: 0...3, using: &random) {
      case 0: continue
      case 1 where Int.random(in: 0...2, using: &random) == 0: kept[block] = Bitmap(repeating: false, count: rowCount)
      default:
        var bits = Bitmap(repeating: true, count: rowCount)
        for row in 0..<rowCount where Int.random(in: 0...3, using: &random) == 0 { bits[row] = false }
        kept[block] = bits
      }
    }
    mask = RowMask(kept: kept)
  }

  static func masked(_ snapshot: TableSnapshot, seed: UInt64) -> TableSnapshot {
    var random = SeededGenerator(seed &* 31 &+ 7)
    return TableSnapshot(schema: snapshot.schema, segments: snapshot.segments.map { MaskedTestSegment($0, &random) })
  }
}

@Suite("Row masks") struct RowMaskTests {
  @Test func aMaskKnowsItsRows() throws {
    var bits = Bitmap(repeating: true, count: 130)
    for row in [0, 63, 64, 129] { bits[row] = false }
    let mask = try #require(RowMask(kept: [2: bits, 3: Bitmap(repeating: true, count: 5)]))
    #expect(mask.removedCount == 4 && mask.affectedBlocks == [2])
    #expect(mask.affects(2) && !mask.affects(3) && mask.kept(3) == nil)
    #expect(mask.kept(2)?.count == 126 && mask.kept(2)?.contains(64) == false)
    #expect(mask.slice(0..<2) == nil)
    #expect(mask.slice(1..<3)?.affectedBlocks == [1])
    #expect(RowMask(kept: [1: Bitmap(repeating: true, count: 9)]) == nil)
    bits[5] = false
    #expect(RowMask(kept: [2: bits])?.identity != mask.identity)
    #expect(RowMask(kept: [1: mask.bits(2) ?? bits])?.identity != mask.identity)
  }

  /// Neither an earlier answer, nor groups of a part, nor what is known of blocks stands in for rows that are gone.
  @Test(arguments: [
    "SELECT count(*) AS n, sum(number) AS s, min(time) AS a, max(time) AS b FROM rows",
    "SELECT model, count(*) AS n, sum(number) AS s FROM rows GROUP BY model",
    "SELECT number FROM rows ORDER BY time DESC LIMIT 7",
    "SELECT count(*) AS n FROM rows WHERE time >= 0",
  ]) func nothingKeptHidesAMask(_ text: String) throws {
    let table = TestTable(seed: 5, count: 300).snapshot(segmentRows: 100, blockRows: 16, coded: true)
    var options = ExecutionOptions()
    options.cacheBytes = 1 << 24
    let cache = QueryCache(capacity: options.cacheBytes)
    let plan = try QueryEngine(catalog: TestCatalog(table)).plan(text)
    func run(_ snapshot: TableSnapshot) throws -> QueryResult {
      try Executor.run(plan, on: snapshot, options: options, cancellation: CancellationToken(), cache: cache)
    }
    let whole = try run(table)
    let masked = MaskedTestSegment.masked(table, seed: 3)
    for snapshot in [masked, masked, table] {
      let found = try run(snapshot)
      let expected = try Oracle(snapshot).run(plan)
      #expect(found.rowCount == expected.count)
      for (row, values) in expected.enumerated() {
        for (column, value) in values.enumerated() {
          guard case .int64(let number) = value else { continue }
          #expect(found.cells[row][column] == .int(number), "row \(row), column \(column)")
        }
      }
    }
    #expect(try run(masked).cells != whole.cells)
  }
}
