internal import LintelColumns

/// The rows of a log that is being read: in memory as long as they fit, all of them in parts when they don't.
struct RecoveredRows {
  /// Those that are in no part, in log order.
  private(set) var batches: [LogPayload.Logged] = []
  private var bytes = 0
  private var isWriting = false
  private let memoryLimit: Int?
  private let parts: RecoveredParts
  private let contentWriter: ContentWriting

  /// Writes pieces into a segment.
  typealias ContentWriting = ([ContentPiece]) throws(StorageError) -> Void

  /// - Parameters:
  ///   - memoryLimit: Bytes; without it nothing goes into parts.
  ///   - content: Writes what rows brought along.
  init(memoryLimit: Int?, parts: RecoveredParts, content: @escaping ContentWriting) {
    contentWriter = content
    self.memoryLimit = memoryLimit
    self.parts = parts
  }

  /// Bytes of rows that are written together: what is gathered and what is being written fit into memory side by side.
  private var groupBytes: Int { max(1, (memoryLimit ?? 0) / (parts.atOnce + 2)) }

  mutating func add(_ batch: LogPayload.Logged) throws(StorageError) {
    batches.append(batch)
    bytes += batch.byteCount
    guard let memoryLimit else { return }
    if bytes > memoryLimit { isWriting = true }
    if isWriting, bytes >= groupBytes { try write() }
  }

  /// Returns the parts that hold the rows; `nil` where they are in memory.
  mutating func finish() throws(StorageError) -> [RecoveredParts.Written]? {
    guard isWriting else { return nil }
    try write()
    return try parts.finish()
  }

  private mutating func write() throws(StorageError) {
    var left = batches[...]
    batches = []
    bytes = 0
    while !left.isEmpty {
      var size = 0
      let group = left.prefix { batch in
        defer { size += batch.byteCount }
        return size < groupBytes
      }
      left = left[group.endIndex...]
      let pieces = group.flatMap(\.pieces)
      if !pieces.isEmpty { try contentWriter(pieces) }
      try parts.write(group.map(\.batch).filter { $0.rowCount > 0 })
    }
  }
}

/// Parts that are written while a log is read, several at a time.
final class RecoveredParts: Sendable {
  typealias Writer = @Sendable ([Batch]) throws(StorageError) -> [WrittenPart]
  typealias Written = (table: String, part: WrittenPart)

  private struct State {
    var running = 0
    var written: [Written] = []
    var failure: StorageError?
  }

  private let writer: Writer
  private let threads: EngineThreads
  private let state = Monitor(State())

  /// - Parameters:
  ///   - writer: Writes batches of one table into parts.
  ///   - threads: Without any, the caller's does everything.
  init(_ writer: @escaping Writer, threads: EngineThreads) {
    self.writer = writer
    self.threads = threads
  }

  /// Writes that go on at the same time, at most.
  var atOnce: Int { max(1, threads.count) }

  /// Has batches written. Waits until no more are on their way than there are threads; throws what another one threw.
  func write(_ batches: [Batch]) throws(StorageError) {
    let failure = state.take(when: { $0.running < atOnce }) { state in
      if state.failure == nil { state.running += 1 }
      return state.failure
    }
    if let failure { throw failure }
    let work: @Sendable () -> Void = { [self] in writeAll(batches) }
    if threads.count == 0 || !threads.start(work) { work() }
  }

  private func writeAll(_ batches: [Batch]) {
    var written: [Written] = []
    var failure: StorageError?
    do throws(StorageError) {
      for (table, batches) in Dictionary(grouping: batches, by: \.schema.name).sorted(by: { $0.key < $1.key }) {
        for part in try writer(batches) { written.append((table, part)) }
      }
    } catch { failure = error }
    state.change { state in
      state.running -= 1
      state.written += written
      state.failure = state.failure ?? failure
    }
  }

  /// All parts, each synced, by number.
  func finish() throws(StorageError) -> [Written] {
    let (written, failure) = settle()
    if let failure { throw failure }
    return written
  }

  /// Removes what was written. What stays, because the device refuses, is in no manifest and goes at the next opening.
  func discard(_ fileSystem: any FileSystem) {
    for (_, part) in settle().written { try? fileSystem.remove(part.path) }
  }

  private func settle() -> (written: [Written], failure: StorageError?) {
    state.wait { $0.running == 0 }
    return state.read { state in (state.written.sorted { $0.part.number < $1.part.number }, state.failure) }
  }
}
