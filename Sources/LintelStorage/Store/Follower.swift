internal import LintelColumns
internal import Synchronization

/// The view of a store that another process may be writing: the manifest's parts, and the log from the floor on.
///
/// Each snapshot looks for a newer manifest (one directory listing) and reads what the log has got since. Rows of log
/// segments that have become parts are dropped when the manifest that names those parts is taken over, so that each row
/// is seen exactly once.
final class Follower: Sendable {
  private struct LoggedSegment {
    /// The log segment that holds the rows.
    var logSegment: UInt64
    var segment: BatchSegment
  }

  private struct ShardView {
    var reader: LogReader
    /// In log order.
    var segments: [LoggedSegment] = []
    /// What the rows of each log segment brought along.
    var content: [UInt64: ContentMemory] = [:]
    var damages = 0
  }

  private struct View {
    var manifest: Manifest?
    var parts: [UInt64: LivePart] = [:]
    var content: [UInt64: LiveContent] = [:]
    /// Content segments that couldn't be opened.
    var lostContent: [ContentEntry] = []
    /// Parts that aren't there.
    var missingParts: [PartEntry] = []
    /// What is wrong with those.
    var losses: [StorageError] = []
    /// Names of such that are there again, until somebody is told.
    var regained: [String] = []
    var shards: [ShardView] = []
    var problems: [StorageError] = []
    var nextSegmentNumber: UInt64 = 1
  }

  private let directory: StoreDirectory
  private let schemas: [String: TableSchema]
  private let blockRows: Int
  private let cache: BlockCache
  private let contentCache: ContentCache
  private let exclusions: CurrentExclusions
  /// Nanoseconds since 1970.
  private let clock: @Sendable () -> Int64
  private let view = Mutex(View())
  /// Parts found damaged; apart from the view, because damage is found while reading.
  private let damaged = Mutex<(numbers: Set<UInt64>, problems: [StorageError])>(([], []))

  init(
    directory: StoreDirectory, schemas: [TableSchema], blockRows: Int, cache: BlockCache,
    contentCache: ContentCache, exclusions: CurrentExclusions, clock: @escaping @Sendable () -> Int64
  ) {
    self.clock = clock
    self.contentCache = contentCache
    self.directory = directory
    self.schemas = Dictionary(schemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.blockRows = blockRows
    self.cache = cache
    self.exclusions = exclusions
  }

  var problems: [StorageError] { view.withLock { $0.problems + $0.losses } + damaged.withLock { $0.problems } }

  /// What a snapshot is made of.
  struct Found {
    var segments: [PlacedSegment]
    /// Of each shard.
    var content: [ContentView]
    /// What hides some of the rows.
    var exclusions: Exclusions
    /// Damaged parts.
    var omitted: [PartEntry]
    /// Files that are there again.
    var regained: [String]
  }

  /// All rows of a table.
  /// - Parameter damage: Takes note of content that can't be read.
  func segments(_ table: String, noting damage: ContentDamage) throws(StorageError) -> Found {
    try view.withLock { (view) throws(StorageError) in
      try refresh(&view)
      let damaged = damaged.withLock { $0.numbers }
      let parts = view.parts.values.filter { $0.entry.table == table && !damaged.contains($0.entry.number) }
      var segments = parts.sorted { $0.entry.number < $1.entry.number }.map {
        PlacedSegment(segment: $0.reader, shard: $0.entry.shard)
      }
      for (index, shard) in view.shards.enumerated() {
        for logged in shard.segments where logged.segment.batch.schema.name == table {
          segments.append(PlacedSegment(segment: logged.segment, shard: index))
        }
      }
      let stored = view.content.values.sorted { $0.entry.number < $1.entry.number }
      let content = view.shards.enumerated().map { index, shard in
        ContentView(
          memories: Array(shard.content.values), segments: stored.filter { $0.entry.shard == index }.map(\.reader),
          lost: view.lostContent.filter { $0.shard == index }.map(\.fileName), damage: damage)
      }
      let omitted = view.manifest?.parts.filter { $0.isQuarantined || damaged.contains($0.number) } ?? []
      defer { view.regained = [] }
      return Found(
        segments: segments, content: content, exclusions: exclusions.current, omitted: omitted + view.missingParts,
        regained: view.regained)
    }
  }

  func refresh() throws(StorageError) {
    try view.withLock { (view) throws(StorageError) in try refresh(&view) }
  }

  /// The parts seen, with their entries.
  func parts(_ table: String) -> [LivePart] {
    view.withLock { $0.parts.values.filter { $0.entry.table == table }.sorted { $0.entry.number < $1.entry.number } }
  }

  /// The content segments seen.
  var content: [LiveContent] { view.withLock { Array($0.content.values) } }

  /// Attempts before the writer, which replaces files under our hands, is taken to be too fast.
  private static let attempts = 20

  private func refresh(_ view: inout View) throws(StorageError) {
    var attempt = 1
    /// The manifest that names a file that isn't there.
    var incomplete: UInt64?
    while true {
      var tried: UInt64?
      do throws(StorageError) {
        // First of all: an erasure stops hiding rows only when no file that is looked at afterwards has them any more.
        let rules = try directory.rules.latest()
        let hasNewRules = rules != exclusions.current.rules.sequence
        if hasNewRules { exclusions.set(try directory.rules.load()) }
        let latest = try directory.manifests.latestSequence()
        let isMoreThere = try isSomethingBack(view)
        if latest != view.manifest?.sequence || isMoreThere {
          tried = latest
          try reload(&view, latest, withoutMissing: incomplete == latest)
          tried = nil
        }
        for index in view.shards.indices { try follow(&view, shard: index) }
        return
      } catch {
        // The writer has removed a file: there is a newer manifest, or will be in a moment. If not, the file is gone.
        guard error.isMissingFile, attempt < Self.attempts else { throw error }
        attempt += 1
        incomplete = tried
        view.manifest = nil
      }
    }
  }

  /// Whether a file is there that wasn't.
  private func isSomethingBack(_ view: View) throws(StorageError) -> Bool {
    for name in view.missingParts.map(\.fileName) + view.lostContent.map(\.fileName)
    where view.losses.contains(where: { $0.isMissingFile && $0.isDamage(of: name) }) {
      if try directory.fileSystem.exists(directory.path(of: name)) { return true }
    }
    return false
  }

  /// Takes over the newest manifest: opens new parts, lets go of old ones and of logged rows that are in parts now.
  /// - Parameters:
  ///   - latest: Its number.
  ///   - withoutMissing: Goes on without files that aren't there, as the writer does at its opening; otherwise throws.
  private func reload(_ view: inout View, _ latest: UInt64, withoutMissing: Bool) throws(StorageError) {
    var missing: [(part: PartEntry, problem: StorageError)] = []
    let loaded = try directory.loadManifest()
    if let problem = loaded.problem { view.problems.append(problem) }
    let manifest = loaded.manifest
    try directory.follow(manifest)
    var parts: [UInt64: LivePart] = [:]
    for entry in manifest.parts where !entry.isQuarantined {
      guard let schema = schemas[entry.table], !damaged.withLock({ $0.numbers.contains(entry.number) }) else {
        continue
      }
      if let known = view.parts[entry.number] {
        parts[entry.number] = known
      } else {
        do throws(StorageError) {
          guard let reader = try open(entry, schema) else { continue }
          parts[entry.number] = LivePart(entry: entry, reader: reader)
        } catch {
          guard error.isMissingFile, withoutMissing else { throw error }
          // On a full disk an expired part's file goes first, to make room for the manifest that doesn't name it.
          if !exclusions.current.isExpired(entry, schema, now: clock()) { missing.append((entry, error)) }
        }
      }
    }
    var content: [UInt64: LiveContent] = [:]
    var lostContent: [ContentEntry] = []
    var lost: [StorageError] = []
    for entry in manifest.content {
      do throws(StorageError) {
        if let known = view.content[entry.number] {
          content[entry.number] = known
        } else {
          let reader = try directory.open(entry, cache: contentCache)
          content[entry.number] = LiveContent(entry: entry, reader: reader, since: 0)
        }
      } catch {
        guard error.code == .corrupt || error.isMissingFile && withoutMissing else { throw error }
        lostContent.append(entry)
        lost.append(error)
      }
    }
    // Files go after the manifest that doesn't name them is there: what isn't there under the newest one is gone.
    if let gone = missing.first?.problem ?? lost.first(where: \.isMissingFile),
      try directory.manifests.latestSequence() != latest
    {
      throw gone
    }
    let lostNames = Set(missing.map(\.part.fileName) + lostContent.map(\.fileName))
    let formerlyLost = view.missingParts.map(\.fileName) + view.lostContent.map(\.fileName)
    view.regained += formerlyLost.filter { !lostNames.contains($0) }
    view.missingParts = missing.map(\.part)
    view.losses = missing.map(\.problem) + lost
    for (index, floor) in manifest.logFloors.enumerated() {
      if index == view.shards.count {
        view.shards.append(ShardView(reader: reader(index, from: floor)))
      } else if view.shards[index].reader.position.segment < floor {
        view.shards[index].reader = reader(index, from: floor)
        view.shards[index].damages = 0
      }
      view.shards[index].segments.removeAll { $0.logSegment < floor }
      view.shards[index].content = view.shards[index].content.filter { $0.key >= floor }
    }
    let rules = exclusions.current.rules
    let isDoubtful = manifest.erased < rules.finished
    if isDoubtful != exclusions.isDoubtful { exclusions.set(rules, isDoubtful: isDoubtful) }
    view.parts = parts
    view.content = content
    view.lostContent = lostContent
    view.manifest = manifest
  }

  private func reader(_ shard: Int, from floor: UInt64) -> LogReader {
    LogReader(
      directory.logDirectory(shard: shard), shard: shard, fileSystem: directory.fileSystem,
      from: LogPosition(segment: floor))
  }

  /// `nil` for a damaged part, which is noted. A missing file is thrown.
  private func open(_ entry: PartEntry, _ schema: TableSchema) throws(StorageError) -> PartReader? {
    do throws(StorageError) {
      return try PartReader(
        file: try directory.fileSystem.open(directory.path(of: entry.fileName)), name: entry.fileName, schema: schema,
        expectedChecksum: entry.footerChecksum, cache: cache, cacheID: entry.number,
        onDamage: { [weak self] in self?.note($0, in: entry) })
    } catch {
      guard error.code == .corrupt else { throw error }
      note(error, in: entry)
      return nil
    }
  }

  private func note(_ problem: StorageError, in entry: PartEntry) {
    damaged.withLock { damaged in
      if damaged.numbers.insert(entry.number).inserted { damaged.problems.append(problem) }
    }
  }

  /// Reads what the log has got since the last time, and puts small batches together.
  private func follow(_ view: inout View, shard index: Int) throws(StorageError) {
    let firstNew = view.shards[index].segments.count
    while let record = try view.shards[index].reader.next() {
      let logged = try LogPayload.decode(record, schemas: schemas)
      let batch = logged.batch
      if !logged.pieces.isEmpty {
        let memory = view.shards[index].content[record.position.segment] ?? ContentMemory(generation: 0)
        memory.insert(logged.pieces)
        view.shards[index].content[record.position.segment] = memory
      }
      let name = "memory/\(index)/\(view.nextSegmentNumber)"
      view.nextSegmentNumber += 1
      view.shards[index].segments.append(
        LoggedSegment(
          logSegment: record.position.segment, segment: BatchSegment(batch, name: name, blockRows: blockRows)))
    }
    let damages = view.shards[index].reader.damages
    for damage in damages.dropFirst(view.shards[index].damages) { view.problems.append(damage.error) }
    view.shards[index].damages = damages.count
    if view.shards[index].segments.count > firstNew { settle(&view.shards[index].segments) }
  }

  /// So many small segments are put up with.
  private static let smallSegmentLimit = 32

  /// Joins neighbours of one table and log segment up to a block's rows.
  private func settle(_ segments: inout [LoggedSegment]) {
    var result: [LoggedSegment] = []
    var run: [LoggedSegment] = []
    var rows = 0
    func join() {
      if run.count >= Self.smallSegmentLimit, let joined = BatchJoin.join(run.map(\.segment.batch)) {
        let segment = BatchSegment(joined, name: run[0].segment.name, blockRows: blockRows)
        result.append(LoggedSegment(logSegment: run[0].logSegment, segment: segment))
      } else {
        result += run
      }
      run = []
      rows = 0
    }
    for logged in segments {
      if let last = run.last,
        last.logSegment != logged.logSegment || last.segment.batch.schema.name != logged.segment.batch.schema.name
          || rows + logged.segment.rowCount > blockRows
      {
        join()
      }
      run.append(logged)
      rows += logged.segment.rowCount
    }
    join()
    segments = result
  }
}
