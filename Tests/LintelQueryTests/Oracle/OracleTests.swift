import Foundation
import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// Random queries over random data: the executor's answers are the oracle's, to the byte, however it runs.
///
/// `LINTEL_QUERIES` sets how many queries are tried, `LINTEL_SEED` the first seed.
@Suite("Oracle") struct OracleTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["LINTEL_QUERIES"].flatMap { Int($0) } ?? 400
  private static let seed = environment["LINTEL_SEED"].flatMap { UInt64($0) } ?? 1

  private struct Run: CustomStringConvertible {
    let threads: Int
    let pruning: Bool
    var isCached = false
    /// Everything that can go to disk does, after each block.
    var isSpilled = false

    var description: String {
      "\(threads) threads, pruning \(pruning ? "on" : "off")\(isCached ? ", cached" : "")\(isSpilled ? ", spilled" : "")"
    }
  }

  private static let runs = [
    Run(threads: 1, pruning: true), Run(threads: 1, pruning: false), Run(threads: 3, pruning: true),
    Run(threads: 2, pruning: true, isCached: true), Run(threads: 1, pruning: true, isSpilled: true),
    Run(threads: 3, pruning: true, isCached: true, isSpilled: true),
  ]

  @Test func executorAgreesWithOracle() throws {
    var rejected: [String: Int] = [:]
    var overflows = 0
    for number in 0..<Self.count {
      // One data set for eight queries.
      let seed = Self.seed &+ UInt64(number)
      var table = RandomTable(seed: seed / 8)
      var snapshot = table.snapshot()
      // Of every second data set rows are missing.
      if seed / 8 % 2 == 1 { snapshot = MaskedTestSegment.masked(snapshot, seed: seed / 8) }
      var writer = RandomQuery(seed: seed &* 0x9E37_79B9)
      let text = writer.query()
      let catalog = TestCatalog(snapshot)
      let plan: QueryPlan
      do {
        plan = try QueryEngine(catalog: catalog).plan(text)
      } catch {
        rejected[error.message, default: 0] += 1
        #expect(error.code == .binding || error.code == .overflow, "\(error.rendered(in: text))")
        continue
      }
      let expected = try? Oracle(snapshot).run(plan)
      if expected == nil { overflows += 1 }
      // Putting down every block costs more than answering.
      for run in Self.runs where !run.isSpilled || number % 4 == 0 {
        let problem = Self.difference(plan, snapshot, expected, run)
        if let problem {
          Issue.record("seed \(seed), \(run): \(problem)\n\(text)")
          break
        }
      }
    }
    let share = Double(rejected.values.reduce(0, +)) / Double(Self.count)
    let common = rejected.sorted { $0.value > $1.value }.prefix(5).map { "\($0.value) x \($0.key)" }
    #expect(share < 0.25, "\(Int(share * 100)) % of the random queries don't bind: \(common)")
    #expect(overflows < Self.count / 4, "\(overflows) of the random queries overflow")
  }

  /// How the executor's answer differs from the oracle's (`nil`: overflow); `nil` when it doesn't.
  private static func difference(
    _ plan: QueryPlan, _ snapshot: TableSnapshot, _ expected: [[Value]]?, _ run: Run
  ) -> String? {
    let found: QueryResult
    do throws(QueryError) {
      let space = run.isSpilled ? TestSpill.shared : nil
      let cache = run.isCached ? QueryCache(groupBytes: 1 << 20, answerBytes: 0) : nil
      // The second time from what the first has left.
      for _ in 0..<(run.isCached ? 1 : 0) {
        _ = try execute(plan, snapshot, threads: run.threads, cache: cache, spillSpace: space) {
          $0.spillThresholdBytes = run.isSpilled ? 0 : nil
        }
      }
      found = try execute(
        plan, snapshot, threads: run.threads, pruning: run.pruning, cache: cache, spillSpace: space
      ) { $0.spillThresholdBytes = run.isSpilled ? 0 : nil }
    } catch {
      return expected == nil && error.code == .overflow ? nil : "unexpected error: \(error)"
    }
    guard let expected else {
      // A LIMIT may be reached before the row that overflows.
      return plan.limit != nil ? nil : "no overflow"
    }
    guard found.rowCount == expected.count else { return "\(found.rowCount) rows, expected \(expected.count)" }
    let cells = found.cells
    for (row, values) in expected.enumerated() {
      for (column, value) in values.enumerated() where !isSame(cells[row][column], value, plan.outputs[column]) {
        let pair = [String(reflecting: "\(cells[row][column])"), String(reflecting: "\(value)")]
        return "row \(row), \(plan.outputs[column].name): \(pair[0]), expected \(pair[1])"
      }
    }
    return nil
  }

  private static func isSame(_ cell: QueryResult.Cell, _ value: Value, _ output: QueryPlan.Output) -> Bool {
    switch (cell, value) {
    case (.null, .null): true
    case (.int(let a), .int64(let b)):
      output.name == RandomQuery.approximateAlias ? abs(a - b) <= max(2, b / 30) : a == b
    // NaNs of arithmetic may differ in their payload.
    case (.double(let a), .float64(let b)): a == b.bitPattern || Double(bitPattern: a).isNaN && b.isNaN
    case (.bool(let a), .bool(let b)): a == b
    case (.bytes(let a), .bytes(let b)): a == b
    case (.id(let a), .id128(let b)): a == b
    default: false
    }
  }
}

/// A catalog of one snapshot.
struct TestCatalog: Catalog {
  let snapshot: TableSnapshot

  init(_ snapshot: TableSnapshot) { self.snapshot = snapshot }

  var tableNames: [String] { [snapshot.schema.name] }

  func snapshot(_ table: String) throws(StorageError) -> TableSnapshot { snapshot }

  func hashUser(_ user: String) throws(StorageError) -> UInt128 { UInt128(user.utf8.count) }

  /// 2026-01-01T00:10:00Z.
  var now: Int64 { 1_767_225_600_000_000_000 + 600_000_000_000 }
}
