internal import LintelColumns
internal import Synchronization

/// Taking hidden rows out of memory and files, and taking note of what goes.
extension Store {
  /// Takes hidden rows out of memory, log and parts, and then what only they referred to out of content. To be called by whoever
  /// has the turn to merge.
  /// - Returns: Of each shard the generation of content that has begun.
  func clear(_ exclusions: Exclusions) throws(StorageError) -> [UInt64] {
    do throws(StorageError) {
      // The rows in memory go into parts without those that are hidden; the log begins anew.
      var generations: [UInt64] = []
      for shard in shards { generations.append(try freeze(shard, for: .erasure(exclusions))) }
      try writeFrozen()
      try clearParts(exclusions)
      for shard in shards { try clearContent(shard, exclusions, below: generations[shard.index]) }
      return generations
    } catch {
      // What is there needn't be stored again.
      for shard in shards { try? rememberContent(shard) }
      throw error
    }
  }

  /// Writes the parts anew that hold hidden rows. To be called by whoever has the turn to merge.
  func clearParts(_ exclusions: Exclusions) throws(StorageError) {
    for part in state.withLock({ $0.parts.values.joined().sorted { $0.entry.number < $1.entry.number } }) {
      if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
      guard try holdsHidden(part, exclusions) else { continue }
      let entry = part.entry
      erasureJournal.willErase(try piecesOfHidden(part, exclusions), shard: entry.shard)
      _ = try rewrite([part], exclusions, for: .erasure)
      cache.forget(part: entry.number)
    }
  }

  private func holdsHidden(_ part: LivePart, _ exclusions: Exclusions) throws(StorageError) -> Bool {
    let schema = try schema(part.entry.table)
    guard let column = schema.subjectColumn else { return false }
    var isHolding = false
    do throws(StorageError) {
      try exclusions.hidden.forEachRow(of: part.reader, subject: column, tenant: schema.tenantColumn) { _, _, _ in
        isHolding = true
      }
    } catch {
      // It is reported and quarantined; the verification names it.
      guard error.code == .corrupt else { throw error }
    }
    return isHolding
  }

  /// What the hidden rows of a part refer to.
  private func piecesOfHidden(_ part: LivePart, _ exclusions: Exclusions) throws(StorageError) -> ContentIDs {
    var ids = ContentIDs()
    let keys = part.reader.attributeKeys.filter { $0.kind.ofContent != nil }
    if keys.isEmpty { return ids }
    let schema = try schema(part.entry.table)
    let remains = try exclusions.remains(of: part.reader, schema, now: clock(), for: .erasure)
    for block in 0..<part.reader.blockCount {
      let kept: Bitmap?
      switch remains {
      case .everything: continue
      case .nothing: kept = nil
      case .some(let mask):
        guard let bits = mask.bits(block) else { continue }
        kept = bits
      }
      for key in keys {
        try part.reader.readOnce(.attribute(key), block: block).forEachValue { (row, recipe) throws(Never) in
          if kept?[row] ?? false { return }
          for id in ContentRecipe.ids(recipe) ?? [] { ids.insert(id) }
        }
      }
    }
    return ids
  }

  /// Takes from a shard's content what no row is left to refer to.
  private func clearContent(_ shard: Shard, _ exclusions: Exclusions, below generation: UInt64) throws(StorageError) {
    var marks = ContentMarks()
    // Where a part can't be looked at, the verification says so.
    if try mark(shard.index, &marks) == nil {
      try sweepContent(shard, marks, below: generation, for: exclusions)
    }
    try rememberContent(shard)
  }
}
