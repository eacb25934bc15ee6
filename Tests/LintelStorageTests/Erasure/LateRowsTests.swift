import LintelColumns
import Testing

@testable import LintelStorage

/// Rows of an erased subject that come for as long as anybody sends them.
@Suite("Late rows of erased subjects") struct LateRowsTests {
  private static let user = Samples.user(1)
  private static let half = 10

  /// As many rows of the erased user as of another.
  private static func batch(_ dice: inout Dice, at seconds: Int64) -> Batch {
    let options = Samples.Options(rows: 2 * half, start: Samples.epoch + seconds * 1_000_000_000)
    let batch = Samples.batch(&dice, options)
    var users = Id128ColumnBuilder()
    for row in 0..<2 * half { users.append(row < half ? user : Samples.user(2)) }
    var columns = batch.columns
    columns[9] = users.finish()
    return Batch(schema: batch.schema, rowCount: batch.rowCount, columns: columns, attributes: batch.attributes)
  }

  private static func others(_ rows: [String]) -> [String] {
    let theirs = "user=\(String(user, radix: 16))"
    return rows.filter { !$0.split(separator: " ").contains { $0 == theirs } }
  }

  /// 1,000 rows in an hour, and some of them twice, while memory is flushed and parts are merged and moved; in the middle the
  /// store is opened again.
  @Test(arguments: [nil, .nothing, .processKilled] as [Loss?])
  func noneIsStoredAndEachIsCounted(crash: Loss?) throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    var dice = Dice(seed)
    var tiered = try TieredStore(at: 0)
    let before = TieredStore.batches(2, users: 4)
    try tiered.write(before)
    var expected = before.flatMap { Self.others(RowText.rows($0)) }
    _ = try tiered.store.erase([Subject(Self.user)])
    try tiered.run { (store) async throws(StorageError) in try await store.eraseFiles() }
    var (sent, counted, repeated) = (0, 0, 0)
    for step in 0..<100 {
      let seconds = Int64(36 * (step + 1))
      tiered.scheduler.clockSeconds = seconds
      let batch = Self.batch(&dice, at: seconds)
      let rows = Self.others(RowText.rows(batch))
      #expect(rows.count == Self.half)
      let receipt = try tiered.run { (store) async throws(StorageError) in try await store.append(batch) }
      #expect(receipt == AppendReceipt(stored: Self.half, duplicates: 0, erased: Self.half), "seed \(seed), \(step)")
      expected += rows
      sent += Self.half
      if step % 7 == 3 {
        let again = try tiered.run { (store) async throws(StorageError) in try await store.append(batch) }
        #expect(again == AppendReceipt(stored: 0, duplicates: Self.half, erased: Self.half), "seed \(seed), \(step)")
        repeated += Self.half
      }
      if step % 10 == 9 { try tiered.run { (store) async throws(StorageError) in try await store.flush() } }
      if step % 25 == 20 { try tiered.run { (store) async throws(StorageError) in try await store.mergeAll() } }
      if step % 30 == 29 { try tiered.move(at: seconds) }
      if step == 54 {
        counted += tiered.store.statistics.erasedRows
        tiered = try reopened(tiered, crash, at: seconds)
      }
      #expect(difference(try tiered.rows(), expected.sorted()) == nil, "seed \(seed), step \(step)")
    }
    counted += tiered.store.statistics.erasedRows
    #expect(sent == 1000 && counted == sent + repeated)
    // Neither the log nor any other file has ever got them.
    let scan = ByteScan([Self.user])
    for path in tiered.disk.paths {
      #expect(!scan.finds(in: tiered.disk.contents(path) ?? []), "seed \(seed): \(path)")
    }
    #expect(tiered.store.problems == [])
    tiered.end()
  }

  private func reopened(_ tiered: TieredStore, _ crash: Loss?, at seconds: Int64) throws -> TieredStore {
    if let crash {
      let disk = tiered.disk.afterCrash(crash)
      tiered.scheduler.drain()
      return try TieredStore(on: disk, at: seconds)
    }
    try tiered.run { (store) async throws(StorageError) in try await store.close() }
    return try TieredStore(on: tiered.disk, at: seconds)
  }
}
