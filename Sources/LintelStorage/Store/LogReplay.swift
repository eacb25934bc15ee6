internal import LintelColumns

/// Decodes a log's records on several threads, puts their batches together into larger ones, and hands them on in order.
///
/// The caller reads the log meanwhile: ``add(_:)`` takes a record and answers with what has become ready.
final class LogReplay: Sendable {
  /// What became of some consecutive records.
  struct Piece: Sendable {
    /// One of each table.
    var batches: [Batch] = []
    /// Of every row.
    var digests: [UInt128] = []
  }

  private struct State {
    /// Records of the next piece.
    var records: [LogRecord] = []
    var bytes = 0
    /// Pieces given to the threads, and handed on.
    var started = 0
    var finished = 0
    var ready: [Int: Result<Piece, StorageError>] = [:]
  }

  /// Bytes of records that make a piece: about a block of rows.
  private static let pieceBytes = 2 << 20

  private let schemas: [String: TableSchema]
  private let exclusions: Exclusions
  private let threads: EngineThreads
  private let state = Monitor(State())

  /// - Parameters:
  ///   - exclusions: Rows that they refuse are left out.
  ///   - threads: Without any, the caller's does everything.
  init(schemas: [TableSchema], exclusions: Exclusions, threads: Int) {
    self.exclusions = exclusions
    self.schemas = Dictionary(schemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.threads = EngineThreads(count: threads, name: "lintel-replay")
  }

  /// Takes the next record. Returns pieces that are ready, in order; waits when too many are not.
  func add(_ record: LogRecord) throws(StorageError) -> [Piece] {
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
  func finish() throws(StorageError) -> [Piece] {
    start()
    defer { threads.shutDown() }
    return try take(leaving: 0)
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
      let result: Result<Piece, StorageError>
      do throws(StorageError) { result = .success(try decode(records)) } catch { result = .failure(error) }
      state.change { $0.ready[number] = result }
    }
    if threads.count == 0 || !threads.start(work) { work() }
  }

  /// What is ready, up to the first piece that isn't; waits until no more than so many are under way.
  private func take(leaving limit: Int) throws(StorageError) -> [Piece] {
    var pieces: [Piece] = []
    while true {
      let next = state.take(
        when: { $0.ready[$0.finished] != nil || $0.started - $0.finished <= limit },
        { state -> Result<Piece, StorageError>? in
          guard let result = state.ready.removeValue(forKey: state.finished) else { return nil }
          state.finished += 1
          return result
        })
      guard let next else { return pieces }
      pieces.append(try next.get())
    }
  }

  private func decode(_ records: [LogRecord]) throws(StorageError) -> Piece {
    var piece = Piece()
    var byTable: [String: [Batch]] = [:]
    for record in records {
      let batch = exclusions.admitted(try LogPayload.decode(record, schemas: schemas))
      guard batch.rowCount > 0 else { continue }
      piece.digests += Store.digests(of: batch)
      byTable[batch.schema.name, default: []].append(batch)
    }
    for table in byTable.keys.sorted() {
      if let joined = BatchJoin.join(byTable[table] ?? []) { piece.batches.append(joined) }
    }
    return piece
  }
}
