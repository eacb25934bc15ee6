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
    let prepared = try await callers.run { [self] () throws(StorageError) in try prepare(batch) }
    if prepared.count == 1 { return try await commit(prepared[0]) }
    return try await commit(prepared)
  }

  private func commit(_ prepared: Prepared) async throws(StorageError) -> AppendReceipt {
    let result: Result<AppendReceipt, StorageError> = await withCheckedContinuation { continuation in
      let item = CommitItem(
        batch: prepared.batch, digests: prepared.digests, payload: prepared.payload,
        reservedBytes: prepared.reservedBytes, completion: { continuation.resume(returning: $0) })
      shards[prepared.shard].add(item) { [self] in commit($0, prepared.shard) }
    }
    return try result.get()
  }

  /// The parts of a batch that go to several shards. When one fails, a retry finds the others' rows again.
  private func commit(_ prepared: [Prepared]) async throws(StorageError) -> AppendReceipt {
    let results = await withTaskGroup(of: Result<AppendReceipt, StorageError>.self) { group in
      for part in prepared {
        group.addTask {
          do throws(StorageError) { return .success(try await self.commit(part)) } catch { return .failure(error) }
        }
      }
      var results: [Result<AppendReceipt, StorageError>] = []
      for await result in group { results.append(result) }
      return results
    }
    var stored = 0
    var duplicates = 0
    for result in results {
      let receipt = try result.get()
      stored += receipt.stored
      duplicates += receipt.duplicates
    }
    return AppendReceipt(stored: stored, duplicates: duplicates)
  }
}

// MARK: - On the caller's side

extension Store {
  struct Prepared: Sendable {
    let shard: Int
    let batch: Batch
    let digests: [UInt128]
    let payload: [UInt8]
    let reservedBytes: Int
  }

  /// Checks, splits, digests and encodes a batch, and reserves memory for it.
  private func prepare(_ batch: Batch) throws(StorageError) -> [Prepared] {
    let schema = try schema(batch.schema.name)
    guard batch.schema === schema || batch.schema.columns == schema.columns else {
      throw StorageError(.invalid, "the batch was made for another schema of table '\(schema.name)'")
    }
    do throws(ColumnError) { try batch.validate() } catch { throw StorageError(.invalid, error.message) }
    var pieces: [(shard: Int, batch: Batch)] = []
    if shards.count == 1 {
      pieces.append((0, batch))
    } else {
      for (shard, rows) in ShardSplit.rows(of: batch, shardCount: shards.count).enumerated() where !rows.isEmpty {
        pieces.append((shard, rows.count == batch.rowCount ? batch : batch.select(rows: rows)))
      }
    }
    let sizes = pieces.map(\.batch.byteCount)
    try reserve(sizes.reduce(0, +))
    return zip(pieces, sizes).map { piece, size in
      Prepared(
        shard: piece.shard, batch: piece.batch, digests: Self.digests(of: piece.batch),
        payload: LogPayload.encode(piece.batch), reservedBytes: size)
    }
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
