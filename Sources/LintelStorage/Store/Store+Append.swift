public import LintelColumns
internal import Synchronization

extension Store {
  /// Appends rows. Returns when they are durable (``StoreConfiguration/Durability``); the next snapshot shows them.
  ///
  /// Rows equal to ones stored within the retry window are left out and counted: a batch may be sent again after an error.
  ///
  /// - Throws: `.overloaded` when the memory budget is used up and `.diskFull`, both worth a retry; `.invalid` when the
  ///   batch doesn't fit its table; `.failedStop` after a failed write; `.closed`; `.readOnly`.
  public func append(_ batch: Batch) async throws(StorageError) -> AppendReceipt {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    try state.withLock { (state) throws(StorageError) in try state.checkWritable() }
    guard batch.rowCount > 0 else { return AppendReceipt(stored: 0, duplicates: 0) }
    let result: Result<AppendReceipt, StorageError> = await withCheckedContinuation { continuation in
      if intake.add(PendingAppend(batch: batch, completion: { continuation.resume(returning: $0) })) { takeAppends() }
    }
    return try result.get()
  }

  /// Has a thread of the callers' take a group of appends, and then another one as long as any wait.
  private func takeAppends() {
    let isStarted = callers.start { [self] in
      let group = intake.take()
      guard !group.isEmpty else { return }
      append(group)
      // Behind what else there is to do for these threads.
      takeAppends()
    }
    if isStarted { return }
    let closed = StorageError(.closed, "the store has been closed: open it again")
    for append in intake.takeAll() { append.completion(.failure(closed)) }
  }
}

// MARK: - On the callers' threads

extension Store {
  /// Checks batches and reserves memory for them, puts together those that passed, digests and encodes them, and hands
  /// them on to the shards.
  private func append(_ group: [PendingAppend]) {
    var accepted: [PendingAppend] = []
    var reserved = 0
    for append in group {
      do throws(StorageError) {
        try check(append.batch)
        let bytes = append.batch.byteCount
        try reserve(bytes)
        reserved += bytes
        accepted.append(append)
      } catch {
        append.completion(.failure(error))
      }
    }
    guard let batch = BatchJoin.join(accepted.map(\.batch)) else { return }
    if accepted.count > 1 {
      // Each of them had dictionaries of its own.
      let freed = max(0, reserved - batch.byteCount)
      state.withLock { $0.reservedBytes -= freed }
      reserved -= freed
    }
    let pieces = pieces(of: batch)
    let members = AppendGroup(accepted, pieces: pieces.count)
    var rowsLeft = batch.rowCount
    for piece in pieces {
      // The pieces share dictionaries, so that each has its part of what the whole takes.
      let share = piece.batch.rowCount == rowsLeft ? reserved : reserved / rowsLeft * piece.batch.rowCount
      reserved -= share
      rowsLeft -= piece.batch.rowCount
      let digests = Self.digests(of: piece.batch)
      let cut = ContentCutter.cut(piece.batch, hasher: contentHasher, pool: shards[piece.shard].content)
      let item = CommitItem(
        batch: cut.batch, digests: digests, payload: LogPayload.encode(cut.batch), pieces: cut.pieces,
        reservedBytes: shrink(share, to: cut), completion: { members.finish($0, rows: piece.rows) })
      shards[piece.shard].add(item) { [self] in commit($0, piece.shard) }
    }
  }

  /// Gives back what a batch needs less without its content, which it has had many times over.
  private func shrink(_ reserved: Int, to cut: ContentCutter.Cut) -> Int {
    guard !cut.pieces.isEmpty else { return reserved }
    let needed = cut.pieces.reduce(cut.batch.byteCount) { $0 + $1.bytes.count + ContentMemory.overhead }
    guard needed < reserved else { return reserved }
    state.withLock { $0.reservedBytes -= reserved - needed }
    return needed
  }

  private struct Piece: Sendable {
    var shard: Int
    var batch: Batch
    /// The rows of the whole that it has; `nil` for all.
    var rows: [UInt32]?
  }

  private func pieces(of batch: Batch) -> [Piece] {
    if shards.count == 1 { return [Piece(shard: 0, batch: batch, rows: nil)] }
    return ShardSplit.rows(of: batch, shardCount: shards.count).enumerated().compactMap { shard, rows in
      if rows.isEmpty { return nil }
      if rows.count == batch.rowCount { return Piece(shard: shard, batch: batch, rows: nil) }
      return Piece(shard: shard, batch: batch.select(rows: rows), rows: rows)
    }
  }

  private func check(_ batch: Batch) throws(StorageError) {
    let schema = try schema(batch.schema.name)
    guard batch.schema === schema || batch.schema.columns == schema.columns else {
      throw StorageError(.invalid, "the batch was made for another schema of table '\(schema.name)'")
    }
    guard !batch.hasContent else {
      throw StorageError(.invalid, "a batch has its content in itself: only the store keeps it apart")
    }
    do throws(ColumnError) { try batch.validate() } catch { throw StorageError(.invalid, error.message) }
  }

  private func reserve(_ bytes: Int) throws(StorageError) {
    let budget = configuration.memoryBudget
    guard bytes <= budget / 2 else {
      throw StorageError(
        .invalid, "a batch of \(bytes) bytes is too large for a memory budget of \(budget): send it in pieces")
    }
    try state.withLock { (state) throws(StorageError) in
      guard state.reservedBytes + bytes <= budget else {
        throw StorageError(
          .overloaded, "the memory budget of \(budget) bytes is used up: retry in a moment, or raise it")
      }
      state.reservedBytes += bytes
    }
  }

  /// Row digests that tell tables apart.
  static func digests(of batch: Batch) -> [UInt128] {
    var salt: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    for byte in batch.schema.name.utf8 { salt = (salt ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b }
    return RowDigest.digests(of: batch).map { $0 &+ salt }
  }
}
