internal import LintelColumns
internal import Synchronization

/// Putting small content segments together, in larger groups that compress better.
extension Store {
  /// So many segments of a level are merged into one of the next.
  private static let contentMergeWidth = 4
  /// Bytes before compression that a merged segment holds at most: a sweep that finds one dead piece writes a whole segment
  /// anew.
  static let contentMergeLimit = 192 << 20
  /// What the first merge makes is merged again, unless it has that share of the limit, and is compressed quickly.
  private static let lastingShare = 4
  /// From this level on, segments were compressed as well as can be.
  private static let lastingLevel = 2

  enum ContentMerging {
    case merged
    case nothing
    /// An erasure waits; what was begun is begun anew another time.
    case gaveWay
  }

  /// Merges some of a shard's content segments, in the background's measure or as far as possible. To be called by whoever has
  /// the turn to merge. Damaged segments are reported, and left as they are.
  func mergeContent(_ turn: inout MergeTurn, everything: Bool) throws(StorageError) -> ContentMerging {
    for shard in shards.indices {
      while let sources = nextContentMerge(shard, turn, everything: everything) {
        if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
        do throws(StorageError) {
          if try merge(sources, shard, everything: everything) { return .merged }
          return .gaveWay
        } catch {
          guard error.code == .corrupt || error.code == .incompatible else { throw error }
          reportOnce(error)
          turn.excludedContent.formUnion(sources.map(\.entry.number))
        }
      }
    }
    return .nothing
  }

  private func nextContentMerge(_ shard: Int, _ turn: MergeTurn, everything: Bool) -> [LiveContent]? {
    let segments = state.withLock { state in
      state.failure == nil && state.phase == .open ? state.contentSegments[shard] : []
    }.filter { !turn.excludedContent.contains($0.entry.number) }
    if everything {
      // Neighbours: ids that are close together stay so.
      let runs = Self.runs(segments)
      return runs.first { $0.count > 1 } ?? runs.first { $0[0].entry.level < Self.lastingLevel }
    }
    let levels = Dictionary(grouping: segments, by: \.entry.level).sorted { $0.key < $1.key }
    for (_, segments) in levels {
      if let run = Self.runs(segments).first(where: { $0.count >= Self.contentMergeWidth }) { return run }
    }
    return nil
  }

  /// Cuts segments into runs that are merged at once, as long as the limit allows.
  private static func runs(_ segments: [LiveContent]) -> [[LiveContent]] {
    var runs: [[LiveContent]] = []
    var bytes = 0
    for segment in segments {
      if runs.isEmpty || bytes + segment.entry.rawBytes > contentMergeLimit {
        runs.append([])
        bytes = 0
      }
      runs[runs.count - 1].append(segment)
      bytes += segment.entry.rawBytes
    }
    return runs
  }

  /// Returns whether it came to an end.
  private func merge(_ sources: [LiveContent], _ shard: Int, everything: Bool) throws(StorageError) -> Bool {
    let bytes = sources.reduce(0) { $0 + $1.entry.rawBytes }
    let level = 1 + (sources.map(\.entry.level).max() ?? 0)
    let isLasting =
      everything || level >= Self.lastingLevel || bytes >= Self.contentMergeLimit / Self.lastingShare
    let gaveWay = StorageError(.overloaded, "an erasure waits for its turn")
    do throws(StorageError) {
      let merged = try writeContent(
        shard: shard, level: isLasting ? max(level, Self.lastingLevel) : level, since: sources.map(\.since).min() ?? 0,
        isLasting ? .merge : .sweep
      ) { (writer) throws(StorageError) in
        try Self.merge(sources.map(\.reader), into: &writer) { () throws(StorageError) in
          if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
          if waitingErasures.load(ordering: .relaxed) > 0 { throw gaveWay }
        }
      }
      try replaceContent(sources, shard: shard, with: [merged])
      return true
    } catch {
      if error == gaveWay { return false }
      throw error
    }
  }

  private static func merge(
    _ readers: [ContentReader], into writer: inout ContentWriter, check: () throws(StorageError) -> Void
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
      try check()
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
