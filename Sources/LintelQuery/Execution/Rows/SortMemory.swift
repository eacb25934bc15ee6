/// Accounts for the rows that one thread sorts; where they are too many for memory they go to disk.
final class SortMemory {
  private let query: QueryContext
  private var reserved = 0

  init(_ query: QueryContext) { self.query = query }

  func reserve(_ top: inout TopRows) throws(ExecutionFailure) {
    let more = top.byteCount - reserved
    reserved = top.byteCount
    if query.account(more), let space = query.spillSpace, query.shouldSpill(reserved) {
      let start = ContinuousClock.now
      let before = top.spilledBytes
      let rows = try top.spill(space)
      query.note(
        spilled: "put sorted rows on disk", ContinuousClock.now - start, rows: rows, bytes: top.spilledBytes - before)
      release()
      return
    }
    try query.checkMemory(more)
  }

  func release() {
    _ = query.account(-reserved)
    reserved = 0
  }
}
