internal import LintelColumns
internal import Synchronization

/// A set of ids, most of them near each other: a bit an id, in chunks.
struct ContentIDs {
  private static let chunkWords = 64

  /// Where the words of each chunk begin.
  private var places: [UInt64: Int] = [:]
  private var words: [UInt64] = []
  /// A recipe's ids are mostly of one chunk.
  private var last: (chunk: UInt64, place: Int)?

  mutating func insert(_ id: UInt64) { insert(bits: 1 << (id & 63), at: id) }

  /// Consecutive ids, a word at a time.
  mutating func insert(_ run: Range<UInt64>) {
    var id = run.lowerBound
    while id < run.upperBound {
      let end = min(run.upperBound, (id | 63) + 1)
      insert(bits: (.max >> (64 - (end - id))) << (id & 63), at: id)
      id = end
    }
  }

  private mutating func insert(bits: UInt64, at id: UInt64) {
    let chunk = id >> 12
    let place: Int
    if let last, last.chunk == chunk {
      place = last.place
    } else {
      place = self.place(of: chunk)
      last = (chunk, place)
    }
    words[place + Int(id >> 6 & 63)] |= bits
  }

  private mutating func place(of chunk: UInt64) -> Int {
    if let place = places[chunk] { return place }
    let place = words.count
    places[chunk] = place
    words.append(contentsOf: repeatElement(0, count: Self.chunkWords))
    return place
  }

  mutating func formUnion(_ other: ContentIDs) {
    for (chunk, place) in other.places {
      let own = places[chunk] ?? self.place(of: chunk)
      for word in 0..<Self.chunkWords { words[own + word] |= other.words[place + word] }
    }
  }

  /// Ids are from 1 to below this.
  static let greatest: UInt64 = 1 << 61

  /// The ids, ascending, as the first of each run of consecutive ones and the run's length.
  var runs: [(first: UInt64, count: UInt64)] {
    var runs: [(first: UInt64, count: UInt64)] = []
    for (chunk, place) in places.sorted(by: { $0.key < $1.key }) {
      for word in 0..<Self.chunkWords {
        var bits = words[place + word]
        while bits != 0 {
          let id = chunk << 12 | UInt64(word) << 6 | UInt64(bits.trailingZeroBitCount)
          bits &= bits &- 1
          if let last = runs.last, last.first + last.count == id {
            runs[runs.count - 1].count += 1
          } else {
            runs.append((id, 1))
          }
        }
      }
    }
    return runs
  }

  func contains(_ id: UInt64) -> Bool {
    guard let place = places[id >> 12] else { return false }
    return words[place + Int(id >> 6 & 63)] >> (id & 63) & 1 != 0
  }
}

/// What rows refer to, and in which parts that was looked for.
struct ContentMarks {
  var ids = ContentIDs()
  var parts: Set<UInt64> = []
}

extension Store {
  /// Marks what rows of a shard's parts refer to, those of parts that were marked already apart. To be called by whoever
  /// has the turn to merge, so that no part goes meanwhile.
  ///
  /// - Returns: `nil` when every part that the manifest has was gone through; otherwise the name of one that can't be. It may
  ///   come back, with what its rows refer to: then nothing may be swept.
  func mark(_ shard: Int, _ marks: inout ContentMarks) throws(StorageError) -> String? {
    // No flush is between the manifest and what queries see.
    let (named, parts) = flushTurn.withLock { _ in
      (manifest.withLock { $0.parts.filter { $0.shard == shard } }, liveParts(shard))
    }
    for part in parts where !marks.parts.contains(part.entry.number) {
      do throws(StorageError) {
        try mark(part, &marks.ids)
        marks.parts.insert(part.entry.number)
      } catch {
        guard error.code == .corrupt else { throw error }
        return part.entry.fileName
      }
    }
    // One that was set aside meanwhile was maybe not gone through to its end, and is out of sight until the manifest says so.
    let live = Set(liveParts(shard).map(\.entry.number))
    return named.first { !marks.parts.contains($0.number) || !live.contains($0.number) }?.fileName
  }

  private func liveParts(_ shard: Int) -> [LivePart] {
    state.withLock { $0.parts.values.joined().filter { $0.entry.shard == shard } }
  }

  private func mark(_ part: LivePart, _ ids: inout ContentIDs) throws(StorageError) {
    for key in part.reader.attributeKeys where key.kind.ofContent != nil {
      for block in 0..<part.reader.blockCount {
        if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
        let recipes = try part.reader.readOnce(.attribute(key), block: block)
        try recipes.forEachValue { (_, recipe) throws(StorageError) in
          let isWhole = ContentRecipe.forEachItem(recipe) { (item) throws(Never) in
            if case .piece(let id) = item { ids.insert(id) }
          }
          guard isWhole else {
            throw StorageError(.corrupt, "a row's recipe in \(key.name) is damaged", path: part.entry.fileName)
          }
        }
      }
    }
  }
}
