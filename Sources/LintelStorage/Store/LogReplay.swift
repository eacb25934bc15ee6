internal import LintelColumns
internal import Synchronization

/// Decodes a log's records on several threads, and hands their batches on in order.
///
/// The caller reads the log meanwhile: ``add(_:)`` takes a record and answers with what has become ready. Small batches that
/// follow each other become one, as they do when they are appended; large ones stay as they are, for to put those together
/// costs more than all the rest, and whoever writes them into parts does it anyway.
final class LogReplay: Sendable {
  private struct State {
    /// Records of the next piece.
    var records: [LogRecord] = []
    var bytes = 0
    /// Pieces given to the threads, and handed on.
    var started = 0
    var finished = 0
    var ready: [Int: Result<[LogPayload.Logged], StorageError>] = [:]
    var erased = ErasedRows()
  }

  /// Bytes of records that make a piece, which one thread decodes: about a block of rows.
  private static let pieceBytes = 2 << 20
  /// Batches of fewer rows are put together.
  private static let smallRows = 256

  private let shard: Int
  private let schemas: [String: TableSchema]
  private let exclusions: Exclusions
  private let blockRows: Int
  private let threads: EngineThreads
  private let state = Monitor(State())

  /// - Parameters:
  ///   - exclusions: Rows that they refuse are left out.
  ///   - blockRows: Small batches are put together into one of so many rows at most.
  ///   - threads: Without any, the caller's does everything.
  init(shard: Int, schemas: [TableSchema], exclusions: Exclusions, blockRows: Int, threads: EngineThreads) {
    self.shard = shard
    self.exclusions = exclusions
    self.blockRows = blockRows
    self.schemas = Dictionary(schemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.threads = threads
  }

  /// Takes the next record. Returns the batches that are ready, in order; waits when too many are not.
  func add(_ record: LogRecord) throws(StorageError) -> [LogPayload.Logged] {
    let isFull = state.change(wakingAll: false) { state in
      state.records.append(record)
      state.bytes += record.payload.count
      return state.bytes >= Self.pieceBytes
    }
    guard isFull else { return [] }
    start()
    return try take(leaving: 2 * threads.count)
  }

  /// The rest.
  func finish() throws(StorageError) -> [LogPayload.Logged] {
    start()
    return try take(leaving: 0)
  }

  /// Rows that were left out, because their subject was erased.
  var erased: ErasedRows { state.read { $0.erased } }

  /// The digests of each batch's rows: those that the log has, where content was taken out of rows.
  func digests(of batches: ArraySlice<LogPayload.Logged>) -> [[UInt128]] {
    let digests = Mutex([[UInt128]](repeating: [], count: batches.count))
    let next = Atomic(0)
    threads.together(max(0, threads.count - 1)) {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < batches.count else { return }
        let logged = batches[batches.startIndex + index]
        let own = logged.digests ?? Store.digests(of: logged.batch)
        digests.withLock { $0[index] = own }
      }
    }
    return digests.withLock { $0 }
  }

  private func start() {
    let (number, records) = state.change(wakingAll: false) { state in
      defer {
        state.started += 1
        state.records = []
        state.bytes = 0
      }
      return (state.started, state.records)
    }
    let work: @Sendable () -> Void = { [self] in
      let result: Result<[LogPayload.Logged], StorageError>
      do throws(StorageError) { result = .success(try decode(records)) } catch { result = .failure(error) }
      state.change { $0.ready[number] = result }
    }
    if threads.count == 0 || !threads.start(work) { work() }
  }

  /// What is ready, up to the first piece that isn't; waits until no more than so many are under way.
  private func take(leaving limit: Int) throws(StorageError) -> [LogPayload.Logged] {
    var batches: [LogPayload.Logged] = []
    while true {
      let next = state.take(
        when: { $0.ready[$0.finished] != nil || $0.started - $0.finished <= limit },
        { state -> Result<[LogPayload.Logged], StorageError>? in
          guard let result = state.ready.removeValue(forKey: state.finished) else { return nil }
          state.finished += 1
          return result
        })
      guard let next else { return batches }
      batches += try next.get()
    }
  }

  private func decode(_ records: [LogRecord]) throws(StorageError) -> [LogPayload.Logged] {
    var batches: [LogPayload.Logged] = []
    var small: [LogPayload.Logged] = []
    var smallCount = 0
    func join() {
      if let joined = LogPayload.Logged(joining: small) { batches.append(joined) }
      small = []
      smallCount = 0
    }
    for record in records {
      let (logged, refused) = exclusions.admitted(try LogPayload.decode(record, schemas: schemas))
      if let refused { state.change(wakingAll: false) { $0.erased.add(refused, shard: shard) } }
      let batch = logged.batch
      // Pieces of rows that aren't taken in stay: later rows may refer to them.
      if batch.rowCount == 0, logged.pieces.isEmpty, logged.greatestID == 0 { continue }
      let isSmall = batch.rowCount < Self.smallRows
      if let first = small.first?.batch,
        !isSmall || first.schema !== batch.schema || smallCount + batch.rowCount > blockRows
      {
        join()
      }
      if isSmall {
        small.append(logged)
        smallCount += batch.rowCount
      } else {
        batches.append(logged)
      }
    }
    join()
    return batches
  }
}

extension LogPayload.Logged {
  /// Several as one; `nil` of none.
  fileprivate init?(joining logged: [LogPayload.Logged]) {
    guard let batch = BatchJoin.join(logged.map(\.batch)) else { return nil }
    let hasDigests = logged.contains { $0.digests != nil }
    self.init(
      batch: batch, pieces: logged.flatMap(\.pieces),
      digests: hasDigests ? logged.flatMap { $0.digests ?? Store.digests(of: $0.batch) } : nil,
      greatestID: logged.map(\.greatestID).max() ?? 0)
  }

  /// Bytes of memory.
  var byteCount: Int { pieces.reduce(batch.byteCount) { $0 + $1.bytes.count + ContentMemory.overhead } }
}
