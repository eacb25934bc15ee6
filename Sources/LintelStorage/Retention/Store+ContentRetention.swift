internal import LintelColumns
internal import Synchronization

/// Taking content away from rows that are kept for longer.
extension Store {
  /// Writes the parts anew in which content has been past its time for a while. What rows referred to is swept then. To be
  /// called by whoever has the turn to merge.
  func expireContent(_ exclusions: Exclusions, now: Int64) throws(StorageError) {
    for part in state.withLock({ $0.parts.values.joined().sorted { $0.entry.number < $1.entry.number } }) {
      if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
      let schema = try schema(part.entry.table)
      guard let keys = schema.content else { continue }
      let cutoffs = RetentionCutoffs(exclusions.rules.retention, schema, .content, now: now)
      guard cutoffs.cover(part.entry.minTime, part.entry.maxTime, patience: Self.patience) else { continue }
      do throws(StorageError) {
        let remains = try exclusions.remains(of: part.reader, schema, now: now, for: .contentExpiry)
        guard try holdsContent(part, keys, without: remains) else { continue }
        try rewrite(part, schema, keys, remains)
      } catch {
        // It is reported and quarantined by its reader.
        guard error.code == .corrupt else { throw error }
      }
    }
  }

  /// Whether one of the rows that are to have no content has some.
  private func holdsContent(
    _ part: LivePart, _ content: ContentKeys, without remains: Exclusions.Remains
  ) throws(StorageError) -> Bool {
    if case .everything = remains { return false }
    for key in part.reader.attributeKeys where content.holds(key) {
      for block in 0..<part.reader.blockCount {
        var kept: Bitmap?
        if case .some(let mask) = remains {
          guard let bits = mask.bits(block) else { continue }
          kept = bits
        }
        let vector = try part.reader.readOnce(.attribute(key), block: block)
        for row in 0..<vector.count where vector.isValid(row) {
          if !(kept?[row] ?? false) { return true }
        }
      }
    }
    return false
  }

  /// Writes a part anew, as two: the rows that keep their content, and the others without it. Merges may put them together.
  private func rewrite(
    _ part: LivePart, _ schema: TableSchema, _ content: ContentKeys, _ remains: Exclusions.Remains
  ) throws(StorageError) {
    var written: [WrittenPart] = []
    var live: [LivePart] = []
    do throws(StorageError) {
      func write(_ mask: RowMask?, withContent: Bool) throws(StorageError) {
        var new = try PartMerger.merge(
          [part.reader], masks: [mask], schema: schema, options: partOptions(part.entry.tier),
          leavingOut: { !withContent && content.holds($0) },
          isCancelled: { [self] in isClosing.load(ordering: .relaxed) })
        let share = Double(new.summary.rowCount) / Double(max(1, part.entry.rowCount))
        new.rawBytes = Int(Double(part.entry.rawBytes) * share)
        written.append(new)
      }
      switch remains {
      case .everything: return
      case .nothing: try write(nil, withContent: false)
      case .some(let mask):
        try write(mask, withContent: true)
        try write(mask.inverted(part.reader), withContent: false)
      }
      try fileSystem.syncDirectory(directory.folder(part.entry.tier))
      for new in written {
        live.append(
          try open(
            new, table: part.entry.table, shard: part.entry.shard, tier: part.entry.tier,
            level: max(1, part.entry.level),
            arrived: part.entry.arrived))
      }
    } catch {
      for new in written { try? fileSystem.remove(new.path) }
      throw error
    }
    noteRowsHaveGone()
    try replace([part.entry], with: live)
    cache.forget(part: part.entry.number)
    FreedMemory.giveBack()
  }
}

extension ContentKeys {
  /// Whether the storage keeps content under a key, apart or in the rows.
  func holds(_ key: AttributeKey) -> Bool { contains(AttributeKey(key.name, key.kind.ofContent ?? key.kind)) }
}

extension RowMask {
  /// The rows of a segment that this one leaves out; `nil` when those are all.
  fileprivate func inverted(_ segment: some Segment) -> RowMask? {
    var blocks: [Int: Bitmap] = [:]
    for block in 0..<segment.blockCount {
      let count = segment.rowCount(ofBlock: block)
      var others = Bitmap(repeating: false, count: count)
      if let bits = bits(block) {
        for row in 0..<count where !bits[row] { others[row] = true }
      }
      blocks[block] = others
    }
    return RowMask(kept: blocks)
  }
}
