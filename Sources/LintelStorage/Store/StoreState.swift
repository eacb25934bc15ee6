internal import LintelColumns

/// A part that queries see.
struct LivePart: Sendable {
  var entry: PartEntry
  let reader: PartReader
}

/// A segment, and the shard whose content it refers to.
struct PlacedSegment: Sendable {
  var segment: any Segment
  var shard: Int
}

struct SettlingKey: Hashable, Sendable {
  var table: String
  var shard: Int
}

/// What a store holds at one moment. Changed only under the store's lock, and never while the lock is held across a call
/// to the file system.
struct StoreState: Sendable {
  enum Phase {
    case open
    case closed
  }

  var phase = Phase.open
  /// Set when a write failed: nothing more is taken until the store is opened again.
  var failure: StorageError?
  /// Per shard, by table.
  var memtables: [[String: Memtable]]
  /// When the oldest row of a shard's memtables came, monotonic nanoseconds; `nil` when there is none.
  var oldestRow: [Int64?]
  /// Per shard, what the memtables' rows refer to that no segment has.
  var content: [ContentMemory]
  /// Per shard, ascending by number.
  var contentSegments: [[LiveContent]]
  /// Per shard, the names of content segments that couldn't be opened.
  var lostContent: [[String]]
  /// Oldest first.
  var frozen: [FrozenMemtables] = []
  /// By table, ascending by number.
  var parts: [String: [LivePart]] = [:]
  /// Parts that were found damaged: their files stay, and may come back whole.
  var quarantined: [PartEntry] = []
  /// Oldest first.
  private var noted: [NotedProblem] = []
  /// Problems so far, those that gave way included.
  private(set) var reported = 0
  /// Bytes reserved for rows in memory and on their way there.
  var reservedBytes = 0
  var nextSegmentNumber: UInt64 = 1
  var nextFrozenNumber: UInt64 = 1
  /// Per shard, rows of erased subjects that the recovery found in the log and left out: gone when the log begins anew.
  var erasedInLog: [ErasedRows]
  /// Memtables whose small batches are being joined.
  var settling: Set<SettlingKey> = []
  var counters = Counters()

  struct Counters: Sendable {
    var appendedRows = 0
    var duplicateRows = 0
    /// Parts that went as a whole, because their rows had expired or none was left.
    var droppedParts = 0
    var droppedRows = 0
    /// Rows that came of erased subjects.
    var erasedRows = 0
    var flushes = 0
    var flushedRows = 0
    var merges = 0
    var mergedRows = 0
    /// Moves to another tier, which are no merges, and what they wrote.
    var moves = 0
    var movedRows = 0
    var movedBytes = 0
    var writtenPartBytes = 0
    var scrubbedBytes = 0
    var scrubPasses = 0
  }

  /// Older ones give way; each is kept in the log of whoever watches the store.
  static let maximumProblems = 1000

  init(shardCount: Int) {
    memtables = Array(repeating: [:], count: shardCount)
    oldestRow = Array(repeating: nil, count: shardCount)
    content = (0..<shardCount).map { _ in ContentMemory(generation: 0) }
    contentSegments = Array(repeating: [], count: shardCount)
    lostContent = Array(repeating: [], count: shardCount)
    erasedInLog = Array(repeating: ErasedRows(), count: shardCount)
  }

  var problems: [StorageError] { noted.map(\.error) }

  /// The problems after the first `count`, as far as they are still known.
  func problems(after count: Int) -> [StorageError] { noted.filter { $0.number > count }.map(\.error) }

  /// - Parameter work: What failed by it, and is tried again: its last failure is noted until it has succeeded.
  mutating func report(_ problem: StorageError, by work: BackgroundWork? = nil) {
    func isSame(_ other: NotedProblem) -> Bool { other.error == problem && other.work == work }
    guard !(work == nil ? noted.last.map(isSame) ?? false : noted.contains(where: isSame)) else { return }
    // The same work fails of something else by now, or of another file.
    if let work { forgetProblems(by: work) }
    if noted.count >= Self.maximumProblems { noted.removeFirst() }
    reported += 1
    noted.append(NotedProblem(error: problem, work: work, number: reported))
  }

  /// Whether something is wrong with a file.
  func hasProblem(of file: String) -> Bool { noted.contains { $0.error.isDamage(of: file) } }

  /// Forgets what was wrong with a file that is whole again.
  mutating func forgetProblems(of file: String) { noted.removeAll { $0.error.isDamage(of: file) } }

  /// Forgets why some work had failed, for now it hasn't.
  mutating func forgetProblems(by work: BackgroundWork) { noted.removeAll { $0.work == work } }

  /// Throws when the store takes no rows.
  func checkWritable() throws(StorageError) {
    if let failure { throw failure }
    if phase == .closed { throw StorageError(.closed, "the store has been closed: open it again") }
  }

  mutating func insert(_ segment: BatchSegment, shard: Int, reservedBytes: Int, now: Int64) {
    let schema = segment.batch.schema
    memtables[shard][schema.name, default: Memtable(schema)].insert(segment, reservedBytes: reservedBytes)
    if oldestRow[shard] == nil { oldestRow[shard] = now }
  }

  /// Pieces that were in the log count where the next flush sees them.
  func memtableBytes(shard: Int) -> Int { memtables[shard].values.reduce(0) { $0 + $1.reservedBytes } }

  mutating func segmentName(shard: Int) -> String {
    defer { nextSegmentNumber += 1 }
    return "memory/\(shard)/\(nextSegmentNumber)"
  }

  mutating func add(_ part: LivePart) {
    var list = parts[part.entry.table] ?? []
    let place = list.firstIndex { $0.entry.number > part.entry.number } ?? list.endIndex
    list.insert(part, at: place)
    parts[part.entry.table] = list
  }

  mutating func removeParts(_ numbers: Set<UInt64>, table: String) {
    parts[table]?.removeAll { numbers.contains($0.entry.number) }
  }

  /// Parts, then memory, oldest rows first as far as known.
  func segments(_ table: String) -> [PlacedSegment] {
    var segments = (parts[table] ?? []).map { PlacedSegment(segment: $0.reader, shard: $0.entry.shard) }
    for frozen in frozen {
      segments += (frozen.tables[table]?.segments ?? []).map { PlacedSegment(segment: $0, shard: frozen.shard) }
    }
    for (shard, tables) in memtables.enumerated() {
      segments += (tables[table]?.segments ?? []).map { PlacedSegment(segment: $0, shard: shard) }
    }
    return segments
  }

  /// Where the content of each shard is.
  /// - Parameter damage: Takes note of what can't be read.
  func contentViews(noting damage: ContentDamage = ContentDamage()) -> [ContentView] {
    content.indices.map { shard in
      let frozen = frozen.filter { $0.shard == shard }.map(\.content)
      return ContentView(
        memories: [content[shard]] + frozen, segments: contentSegments[shard].map(\.reader),
        lost: lostContent[shard], damage: damage)
    }
  }

  /// Puts segments in the place of others.
  mutating func replaceContent(_ numbers: Set<UInt64>, shard: Int, with new: [LiveContent]) {
    contentSegments[shard].removeAll { numbers.contains($0.entry.number) }
    contentSegments[shard] += new
    contentSegments[shard].sort { $0.entry.number < $1.entry.number }
  }
}
