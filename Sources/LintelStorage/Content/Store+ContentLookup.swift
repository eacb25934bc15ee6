internal import LintelColumns
internal import Synchronization

/// Which pieces visible rows refer to, remembered by segment as long as the same rows are visible.
final class ContentReach: Sendable {
  private struct Known {
    var rows: MaskMemo.Key
    var ids: ContentIDs
  }

  private let known = Mutex<[String: Known]>([:])
  /// Segments that are remembered: parts by the name of their file, of which there are never two.
  private static let capacity = 4096

  func ids(
    _ segment: String, _ rows: MaskMemo.Key, _ find: () throws(StorageError) -> ContentIDs
  ) throws(StorageError) -> ContentIDs {
    if let found = known.withLock({ $0[segment] }), found.rows == rows { return found.ids }
    let ids = try find()
    known.withLock { known in
      if known.count >= Self.capacity { known = [:] }
      known[segment] = Known(rows: rows, ids: ids)
    }
    return ids
  }
}

/// Messages by their digests.
extension Store {
  /// The bytes of a piece of content: a message as it was sent, or, of a structured one, as ``Variant`` encodes it.
  ///
  /// Found within a tenant only: its key is needed to make a digest, and the digest is made again of what is found. And only
  /// while a row that can be seen refers to it: rows may be hidden long before their content is swept. Blocks.
  ///
  /// - Parameter tenant: `nil` for rows without a tenant.
  /// - Throws: `.corrupt` when the piece is there and can't be read, naming the file.
  public func content(_ digest: UInt128, tenant: TenantName?) throws(StorageError) -> [UInt8]? {
    let damage = ContentDamage { [weak self] in self?.reportOnce($0) }
    // Before the segments, as a snapshot has it.
    var exclusions = exclusions.current
    var segments: [(schema: TableSchema, placed: [PlacedSegment])] = []
    var views: [ContentView] = []
    for table in tableNames {
      let schema = try schema(table)
      guard schema.content != nil else { continue }
      if let follower {
        let found = try follower.segments(table, noting: damage)
        (exclusions, views) = (found.exclusions, found.content)
        segments.append((schema, found.segments))
      } else {
        let (placed, content) = try state.withLock { (state) throws(StorageError) in
          if state.phase == .closed { throw StorageError(.closed, "the store has been closed: open it again") }
          return (state.segments(table), state.contentViews(noting: damage))
        }
        views = content
        segments.append((schema, placed))
      }
    }
    let key = contentHasher.key(tenant: tenant?.utf8)
    var problem: StorageError?
    for (shard, view) in views.enumerated() {
      for id in try ids(of: digest, in: view, shard: shard) {
        guard try isReached(id, shard: shard, from: segments, exclusions) else { continue }
        var rebuilder = ContentRebuilder(view)
        do throws(StorageError) {
          let bytes = try rebuilder.piece(id)
          if bytes.withUnsafeBytes({ key.digest($0) }) == digest { return Array(bytes) }
        } catch {
          guard ContentRebuilder.isDamage(error) else { throw error }
          problem = error
        }
      }
    }
    if let problem { throw problem }
    return nil
  }

  /// Ids of pieces with a digest: several where one was stored again after it had been forgotten.
  private func ids(of digest: UInt128, in view: ContentView, shard: Int) throws(StorageError) -> [UInt64] {
    var ids: Set<UInt64> = []
    if shard < shards.count, let id = shards[shard].content.known(digest) { ids.insert(id) }
    for memory in view.memories { ids.formUnion(memory.ids(of: digest)) }
    for segment in view.segments {
      do throws(StorageError) { ids.formUnion(try segment.ids(of: digest)) } catch {
        guard ContentRebuilder.isDamage(error) else { throw error }
        reportOnce(error)
      }
    }
    return ids.sorted(by: >)
  }

  /// Whether a row that can be seen refers to a piece. Without rules every piece is some row's.
  private func isReached(
    _ id: UInt64, shard: Int, from segments: [(schema: TableSchema, placed: [PlacedSegment])], _ exclusions: Exclusions
  ) throws(StorageError) -> Bool {
    if exclusions.rules.sequence == 0 { return true }
    let now = clock()
    for (schema, placed) in segments {
      let cutoffs = RetentionCutoffs(exclusions.rules.retention, schema, now: now)
      let contentCutoffs = RetentionCutoffs(exclusions.rules.retention, schema, .content, now: now)
      for place in placed.reversed() where place.shard == shard {
        let times = place.segment as? any MemoizingSegment
        let (first, last) = (times?.minTime ?? .min, times?.maxTime ?? .max)
        let rows = MaskMemo.Key(
          rules: exclusions.number, purpose: .reading,
          cutoffs: cutoffs.within(first, last) + contentCutoffs.within(first, last))
        do throws(StorageError) {
          let ids = try contentReach.ids(place.segment.name, rows) { () throws(StorageError) in
            try Self.reached(
              place.segment, try exclusions.remains(of: place.segment, schema, now: now),
              try exclusions.remains(of: place.segment, schema, now: now, for: .content))
          }
          if ids.contains(id) { return true }
        } catch {
          // A damaged part is reported by its reader, and left out of answers.
          guard error.code == .corrupt else { throw error }
        }
      }
    }
    return false
  }

  /// What the rows of a segment refer to that are left, and have their content.
  private static func reached(
    _ segment: any Segment, _ rows: Exclusions.Remains, _ content: Exclusions.Remains
  ) throws(StorageError) -> ContentIDs {
    var ids = ContentIDs()
    func kept(_ remains: Exclusions.Remains, _ block: Int) -> Bitmap? {
      if case .some(let mask) = remains { mask.bits(block) } else { nil }
    }
    if case .nothing = rows { return ids }
    if case .nothing = content { return ids }
    for key in segment.attributeKeys where key.kind.ofContent != nil {
      for block in 0..<segment.blockCount {
        let (left, said) = (kept(rows, block), kept(content, block))
        try segment.read(.attribute(key), block: block).forEachValue { (row, recipe) throws(Never) in
          guard left?[row] ?? true, said?[row] ?? true else { return }
          _ = ContentRecipe.forEachItem(recipe) { (item) throws(Never) in
            if case .piece(let id) = item { ids.insert(id) }
          }
        }
      }
    }
    return ids
  }
}
