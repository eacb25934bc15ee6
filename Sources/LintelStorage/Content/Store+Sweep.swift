internal import LintelColumns
internal import Synchronization

/// A set of ids, most of them near each other: a bit an id, in chunks.
struct ContentIDs {
  private var chunks: [UInt64: [UInt64]] = [:]

  mutating func insert(_ id: UInt64) {
    chunks[id >> 12, default: Array(repeating: 0, count: 64)][Int(id >> 6 & 63)] |= 1 << (id & 63)
  }

  func contains(_ id: UInt64) -> Bool {
    guard let chunk = chunks[id >> 12] else { return false }
    return chunk[Int(id >> 6 & 63)] >> (id & 63) & 1 != 0
  }
}

/// What a sweep did with a segment.
struct SweptContent: Sendable {
  var old: ContentEntry
  /// `nil` when nothing of it was left.
  var new: ContentEntry?
}

/// Taking from the disk what no row refers to any more.
///
/// Mark and sweep. First the memory is written out, and nothing counts as stored any more (``ContentPool/forget()``): rows that
/// come from then on bring everything they refer to along, into segments that aren't looked at. Then the ids in the rows of
/// all parts are what is left of the segments from before.
extension Store {
  /// A segment of which less than this share has died is left as it is, when nobody waits for it.
  private static let sweptShare = 0.25

  /// Writes out what is in memory and has the log begin anew. Content of lower generations than those answered, one a
  /// shard, is referred to by rows of parts alone.
  func setContentApart() throws(StorageError) -> [UInt64] {
    var generations: [UInt64] = []
    for shard in shards {
      try freeze(shard, whole: true)
      generations.append(shard.content.generation)
    }
    try writeFrozen()
    return generations
  }

  /// Sweeps when rows have gone, here or before the store was opened.
  func sweepIfDue() throws(StorageError) {
    guard isSweepDue.exchange(false, ordering: .relaxed) else { return }
    do throws(StorageError) { try sweepContentBlocking() } catch {
      isSweepDue.store(true, ordering: .relaxed)
      throw error
    }
  }

  /// Sweeps where rows have gone, as far as it is worth it. Blocks.
  func sweepContentBlocking() throws(StorageError) {
    guard state.withLock({ $0.contentSegments.contains { !$0.isEmpty } }) else { return }
    let generations = try setContentApart()
    try mergeTurn.withLock { (_) throws(StorageError) in
      for shard in shards where !hasQuarantinedParts(shard.index) {
        _ = try sweepContent(shard, below: generations[shard.index], everything: false)
      }
    }
  }

  /// A part that is set aside may come back, with what its rows refer to.
  func hasQuarantinedParts(_ shard: Int) -> Bool {
    manifest.withLock { $0.parts.contains { $0.shard == shard && $0.isQuarantined } }
  }

  /// The ids that rows of a shard's parts refer to. To be called by whoever has the turn to merge.
  func referredContent(shard: Int) throws(StorageError) -> ContentIDs {
    var ids = ContentIDs()
    for part in state.withLock({ $0.parts.values.joined().filter { $0.entry.shard == shard } }) {
      for key in part.reader.attributeKeys where key.kind.ofContent != nil {
        for block in 0..<part.reader.blockCount {
          if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
          let recipes = try part.reader.readOnce(.attribute(key), block: block)
          try recipes.forEachValue { (_, recipe) throws(StorageError) in
            guard let found = ContentRecipe.ids(recipe) else {
              throw StorageError(.corrupt, "a row's recipe in \(key.name) is damaged", path: part.entry.fileName)
            }
            for id in found { ids.insert(id) }
          }
        }
      }
    }
    return ids
  }

  /// Takes from a shard's segments below a generation what no row refers to. To be called by whoever has the turn to merge.
  /// - Parameter everything: Also where it is little.
  /// - Returns: Every segment that was looked at.
  func sweepContent(
    _ shard: Shard, below generation: UInt64, everything: Bool
  ) throws(StorageError) -> [SweptContent] {
    let segments = state.withLock { $0.contentSegments[shard.index].filter { $0.generation < generation } }
    guard !segments.isEmpty else { return [] }
    let referred = try referredContent(shard: shard.index)
    var swept: [SweptContent] = []
    for segment in segments {
      if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
      let list = try segment.reader.list()
      let left = list.filter { referred.contains($0.id) }
      let isWorthIt = everything || Double(list.count - left.count) >= Double(list.count) * Self.sweptShare
      var result: LiveContent?
      if left.count == list.count || !isWorthIt {
        var kept = segment
        kept.generation = generation
        state.withLock { $0.replaceContent([segment.entry.number], shard: shard.index, with: [kept]) }
        result = kept
      } else {
        let new =
          left.isEmpty
          ? nil
          : try writeContent(
            shard: shard.index, level: segment.entry.level, generation: generation, .sweep
          ) { (writer) throws(StorageError) in
            try Self.copy(segment.reader, list, where: { referred.contains($0) }, to: &writer)
          }
        try replaceContent([segment], shard: shard.index, with: new.map { [$0] } ?? [])
        result = new
      }
      if result != nil { shard.content.remember(left, generation: generation) }
      swept.append(SweptContent(old: segment.entry, new: result?.entry))
    }
    return swept
  }

  /// Copies what is left of a segment: groups that stay whole as they are, the others piece by piece.
  private static func copy(
    _ reader: ContentReader, _ list: [(id: UInt64, digest: UInt128)], where isLeft: (UInt64) -> Bool,
    to writer: inout ContentWriter
  ) throws(StorageError) {
    var rest = list[...]
    for (index, group) in reader.groups.enumerated() {
      let own = rest.prefix { $0.id <= group.last }
      rest = rest.dropFirst(own.count)
      if own.allSatisfy({ isLeft($0.id) }) {
        try writer.append(group, stored: try reader.stored(index), of: own)
        continue
      }
      let pieces = try reader.read(index)
      for (id, digest) in own where isLeft(id) {
        guard let bytes = pieces.find(id) else { throw reader.mismatch() }
        try writer.append(ContentPiece(id: id, digest: digest, bytes: bytes))
      }
    }
    guard rest.isEmpty else { throw reader.mismatch() }
  }
}
