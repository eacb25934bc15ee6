internal import LintelColumns
internal import Synchronization

/// Putting small content segments together, in larger groups that compress better.
extension Store {
  /// So many segments of a level are merged into one of the next.
  private static let contentMergeWidth = 4
  /// Segments that hold more are left alone. Bytes before compression.
  private static let contentMergeLimit = 1 << 30

  /// Merges a shard's content segments in the background's measure, or all of them. To be called by whoever has the turn to
  /// merge.
  func mergeContent(everything: Bool) throws(StorageError) {
    for shard in shards.indices {
      while let sources = nextContentMerge(shard, everything: everything) {
        if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
        let level = 1 + (sources.map(\.entry.level).max() ?? 0)
        let merged = try writeContent(
          shard: shard, level: level, generation: sources[0].generation, .merge
        ) { (writer) throws(StorageError) in
          try Self.merge(sources.map(\.reader), into: &writer) { isClosing.load(ordering: .relaxed) }
        }
        try replaceContent(sources, shard: shard, with: [merged])
      }
    }
  }

  /// Only what a sweep would look at together is merged.
  private func nextContentMerge(_ shard: Int, everything: Bool) -> [LiveContent]? {
    let segments = state.withLock { state in
      state.failure == nil && state.phase == .open ? state.contentSegments[shard] : []
    }
    guard let newest = segments.map(\.generation).max() else { return nil }
    let candidates = segments.filter { $0.generation == newest && $0.entry.rawBytes < Self.contentMergeLimit }
    if everything {
      // One that was merged before is as good as it gets.
      return candidates.count > 1 || candidates.first?.entry.level == 0 ? candidates : nil
    }
    let levels = Dictionary(grouping: candidates, by: \.entry.level)
    return levels.sorted { $0.key < $1.key }.first { $0.value.count >= Self.contentMergeWidth }?.value
  }

  private static func merge(
    _ readers: [ContentReader], into writer: inout ContentWriter, isCancelled: () -> Bool
  ) throws(StorageError) {
    var sources: [ContentPieces] = []
    for reader in readers { sources.append(try ContentPieces(reader)) }
    var last: UInt64 = 0
    while true {
      var next: Int?
      for index in sources.indices {
        guard let id = sources[index].nextID else { continue }
        if next.flatMap({ sources[$0].nextID }).map({ id < $0 }) ?? true { next = index }
      }
      guard let next else { return }
      let piece = try sources[next].take()
      // What was stored anew after a sweep has begun may be in two.
      guard piece.id > last else { continue }
      try writer.append(piece)
      last = piece.id
      if isCancelled() { throw StorageError(.closed, "the store is closing") }
    }
  }
}

/// The pieces of a segment, one after the other, a group in memory at a time.
private struct ContentPieces {
  private let reader: ContentReader
  private var list: ArraySlice<(id: UInt64, digest: UInt128)>
  private var group: ContentGroup?
  private var nextGroup = 0

  init(_ reader: ContentReader) throws(StorageError) {
    self.reader = reader
    list = try reader.list()[...]
  }

  var nextID: UInt64? { list.first?.id }

  mutating func take() throws(StorageError) -> ContentPiece {
    guard let (id, digest) = list.popFirst() else { throw reader.mismatch() }
    while group?.ids.last ?? 0 < id {
      guard nextGroup < reader.groups.count else { throw reader.mismatch() }
      group = try reader.read(nextGroup)
      nextGroup += 1
    }
    guard let bytes = group?.find(id) else { throw reader.mismatch() }
    return ContentPiece(id: id, digest: digest, bytes: bytes)
  }
}
