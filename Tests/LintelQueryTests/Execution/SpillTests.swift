import LintelColumns
import LintelStorage
import Synchronization
import Testing

@testable import LintelQuery

private typealias T = TestTable

/// Groups and sorted rows on disk: the same answers, to the byte, and nothing left behind.
@Suite("Spilling") struct SpillTests {
  let table = TestTable(seed: 23, count: 3000)
  /// For tests in which every block goes to disk by itself. Half of its rows are late enough for the plans with a filter.
  let small = TestTable(seed: 24, count: 600, firstTime: 4000)

  /// Every plan of the executor's tests, with nothing kept in memory for longer than a block.
  @Test(arguments: ExecutorTests.plans.indices)
  func answersAreThoseOfMemory(_ index: Int) throws {
    let plan = ExecutorTests.plans[index]
    let snapshot = small.snapshot(segmentRows: 250, blockRows: 64, coded: true)
    let expected = try execute(plan, snapshot, threads: 2).cells
    for threads in [1, 3] {
      let space = TestSpill.space()
      let found = try execute(plan, snapshot, threads: threads, spillSpace: space) { $0.spillThresholdBytes = 0 }
      #expect(found.cells == expected, "plan \(index), \(threads) threads")
      if plan.aggregation.map({ !$0.keys.isEmpty }) ?? (plan.isDistinct || !plan.ordering.isEmpty) {
        #expect(found.statistics.bytesSpilled > 0, "plan \(index)")
      }
      #expect(space.used == 0)
      #expect(try PosixFileSystem().list(space.directory).isEmpty)
    }
  }

  /// Many groups, a limit in the middle of them, so that partitions are split anew and rows are dropped on the way.
  @Test(arguments: [nil, 0, 7, 300]) func manyGroups(_ limit: Int?) throws {
    let snapshot = small.snapshot(segmentRows: 250, blockRows: 128, coded: false)
    let keys = [T.time, T.model]
    let plan = QueryPlan.test(
      keys: keys, calls: [AggregateCall(.count, operands: [], filter: nil, type: .int64)],
      having: .compare(.greaterOrEqual, .groupKey(0, .timestamp), .int(4500, .timestamp)),
      outputs: [.aggregate(0, .int64), .groupKey(1, .string), .groupKey(0, .timestamp)],
      ordering: [QueryPlan.Ordering(.groupKey(1, .string), isDescending: true, nullsFirst: true)], limit: limit,
      offset: 3)
    let expected = try execute(plan, snapshot).cells
    let found = try execute(plan, snapshot, spillSpace: TestSpill.shared) { $0.spillThresholdBytes = 0 }
    #expect(found.cells == expected)
    #expect(found.rowCount == min(limit ?? .max, 547))
  }

  @Test func memoryStaysBelowItsLimit() throws {
    let snapshot = table.snapshot(segmentRows: 3000, blockRows: 64, coded: true)
    // A state of 64 bytes and more for each of 3,000 groups, and an answer of one row.
    let plan = QueryPlan.test(
      keys: [T.time, T.span],
      calls: [
        AggregateCall(.sum, operands: [T.score], filter: nil, type: .float64),
        AggregateCall(.standardDeviation, operands: [T.score], filter: nil, type: .float64),
        AggregateCall(.any, operands: [T.model], filter: nil, type: .string),
      ], outputs: [.groupKey(0, .timestamp), .aggregate(1, .float64)], limit: 1)
    let expected = try execute(plan, snapshot).cells
    do {
      _ = try execute(plan, snapshot, threads: 1) { $0.memoryLimitBytes = 400_000 }
      Issue.record("no error without room on disk")
    } catch { #expect(error.code == .limitExceeded) }
    let found = try execute(plan, snapshot, threads: 1, spillSpace: TestSpill.shared) { $0.memoryLimitBytes = 400_000 }
    #expect(found.cells == expected)
    #expect(found.statistics.bytesSpilled > 0)
  }

  @Test func explainAnalyzeTellsTheBytes() throws {
    let catalog = TestCatalog(table.snapshot(segmentRows: 1000, blockRows: 64, coded: true))
    var options = ExecutionOptions()
    options.spillThresholdBytes = 0
    let engine = QueryEngine(catalog: catalog, options: options, spillSpace: TestSpill.shared)
    let text = ResultFormatter(.csv).string(
      try engine.run("EXPLAIN ANALYZE SELECT trace, count(*) FROM rows GROUP BY trace"))
    #expect(text.contains("bytes put on disk for want of memory: "))
    #expect(text.contains("put groups on disk: "))
  }

  @Test func filesAreForTheOwnerAlone() throws {
    let space = TestSpill.space()
    let file = try space.makeFile()
    let extent = try file.append([1, 2, 3])
    #expect(try file.read(extent) == [1, 2, 3])
    #expect(try PosixFileSystem().isPrivate(space.directory))
    // No name leads to it.
    #expect(try PosixFileSystem().list(space.directory).isEmpty)
    #expect(space.used == 3)
  }

  @Test func leftoversAreRemoved() throws {
    let space = TestSpill.space()
    _ = try space.makeFile()
    let files = PosixFileSystem()
    _ = try files.create("\(space.directory)/1-2-3.spill", isPrivate: true)
    _ = try files.create("\(space.directory)/mine.txt", isPrivate: true)
    try space.removeLeftovers()
    #expect(try files.list(space.directory) == ["mine.txt"])
  }

  // MARK: Failures

  @Test(arguments: [StorageError.Code.diskFull, .io]) func failingWritesAreErrors(_ code: StorageError.Code) throws {
    let snapshot = table.snapshot(segmentRows: 1000, blockRows: 64, coded: true)
    for plan in [
      QueryPlan.test(keys: [T.trace], calls: [AggregateCall(.count, operands: [], filter: nil, type: .int64)]),
      .test(outputs: [T.trace], ordering: [QueryPlan.Ordering(T.time, isDescending: true, nullsFirst: false)]),
    ] {
      let space = TestSpill.space(limit: 1 << 30, FailingFiles(failure: StorageError(code, "made to fail")))
      do {
        _ = try execute(plan, snapshot, spillSpace: space) { $0.spillThresholdBytes = 0 }
        Issue.record("no error")
      } catch {
        #expect(error.code == (code == .diskFull ? .limitExceeded : .storage))
        #expect(error.message.contains("made to fail"))
      }
      #expect(space.used == 0)
    }
  }

  @Test func thereIsALimit() throws {
    let snapshot = table.snapshot(segmentRows: 1000, blockRows: 64, coded: true)
    let space = TestSpill.space(limit: 1000)
    let plan = QueryPlan.test(keys: [T.trace], calls: [AggregateCall(.count, operands: [], filter: nil, type: .int64)])
    do {
      _ = try execute(plan, snapshot, spillSpace: space) { $0.spillThresholdBytes = 0 }
      Issue.record("no error")
    } catch { #expect(error.code == .limitExceeded) }
    #expect(space.used == 0)
  }

  @Test func damageIsFound() throws {
    let snapshot = table.snapshot(segmentRows: 1000, blockRows: 64, coded: true)
    let space = TestSpill.space(limit: 1 << 30, FailingFiles(flips: true))
    let plan = QueryPlan.test(keys: [T.trace], calls: [AggregateCall(.count, operands: [], filter: nil, type: .int64)])
    do {
      _ = try execute(plan, snapshot, spillSpace: space) { $0.spillThresholdBytes = 0 }
      Issue.record("no error")
    } catch { #expect(error.code == .storage) }
  }

  /// Whatever comes back from disk, nothing traps: what isn't a state is refused.
  @Test(arguments: 1...40) func anyBytesAreNoState(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let types: [PhysicalType] = [.int64, .float64, .bool, .bytes, .id128]
    let call = { (function: AggregateCall.Function, operand: Expression) in
      AggregateCall(function, operands: [operand], filter: nil, type: operand.type)
    }
    let calls = [
      call(.count, T.number), call(.countDistinct, T.model), call(.approximateCountDistinct, T.model),
      call(.sum, T.number), call(.sum, T.score), call(.min, T.number), call(.max, T.score), call(.min, T.model),
      call(.any, T.trace), call(.quantile(0.5), T.score), call(.quantileExact(0.5), T.number),
      call(.standardDeviation, T.number), call(.standardDeviation, T.score), call(.histogram(buckets: 3), T.score),
      call(.topK(2), T.extra),
    ]
    for call in calls {
      let aggregator = try Aggregator.make(call, .never)
      let count = Int.random(in: 0...4, using: &random)
      // Mostly of the right types, with any content.
      let columns = aggregator.stateTypes.map { type in
        Self.anything(
          Int.random(in: 0...9, using: &random) == 0 ? types.randomElement(using: &random) ?? type : type, count,
          &random)
      }
      let groups = Int.random(in: 0...4, using: &random)
      if aggregator.restore(StateRows(columns, count: count), groups: groups) {
        aggregator.grow(groups)
        _ = try? aggregator.finish(groups, call)
      }
    }
  }

  private static func anything(_ type: PhysicalType, _ count: Int, _ random: inout SeededGenerator) -> Vector {
    func number(_ random: inout SeededGenerator) -> Int64 {
      [0, 1, 2, 3, -1, .max, .min, Int64(bitPattern: random.next())].randomElement(using: &random) ?? 0
    }
    switch type {
    case .int64: return Vector(.int64((0..<count).map { _ in number(&random) }))
    case .float64: return Vector(.float64((0..<count).map { _ in Double(bitPattern: random.next()) }))
    case .bool: return Vector(.bool((0..<count).map { _ in Bool.random(using: &random) }))
    case .id128: return Vector(.id128((0..<count).map { _ in UInt128(random.next()) << 64 | UInt128(random.next()) }))
    case .bytes:
      var strings = ByteStrings()
      for _ in 0..<count {
        let length = [0, 3, 8, 64, 576, 1088].randomElement(using: &random) ?? 0
        strings.append((0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      }
      return Vector(.bytes(strings))
    }
  }
}

/// Real files whose writes fail, or whose bytes come back flipped.
private struct FailingFiles: FileSystem {
  var failure: StorageError?
  var flips = false
  private let real = PosixFileSystem()

  init(failure: StorageError? = nil, flips: Bool = false) {
    self.failure = failure
    self.flips = flips
  }

  func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile {
    let file = try real.create(path, isPrivate: isPrivate)
    return failure.map { FailingFile($0, file) } ?? file
  }

  func open(_ path: String) throws(StorageError) -> any ReadableFile {
    let file = try real.open(path)
    return flips ? FlippedFile(file) : file
  }

  func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile {
    try real.reopen(path, length: length)
  }
  func rename(_ from: String, to: String) throws(StorageError) { try real.rename(from, to: to) }
  func remove(_ path: String) throws(StorageError) { try real.remove(path) }
  func link(_ from: String, to: String) throws(StorageError) -> Bool { try real.link(from, to: to) }
  func list(_ directory: String) throws(StorageError) -> [String] { try real.list(directory) }
  func isDirectory(_ path: String) throws(StorageError) -> Bool { try real.isDirectory(path) }
  func removeDirectory(_ path: String) throws(StorageError) { try real.removeDirectory(path) }
  func exists(_ path: String) throws(StorageError) -> Bool { try real.exists(path) }
  func isPrivate(_ path: String) throws(StorageError) -> Bool { try real.isPrivate(path) }
  func createDirectory(_ path: String) throws(StorageError) { try real.createDirectory(path) }
  func syncDirectory(_ path: String) throws(StorageError) { try real.syncDirectory(path) }
  func lock(_ path: String) throws(StorageError) -> any FileLock { try real.lock(path) }
  func freeSpace(_ path: String) throws(StorageError) -> Int { try real.freeSpace(path) }
}

private final class FailingFile: WritableFile {
  private let failure: StorageError
  private let file: any WritableFile
  private let left = Mutex(20_000)

  init(_ failure: StorageError, _ file: any WritableFile) {
    self.failure = failure
    self.file = file
  }

  var length: Int { file.length }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let isFull = left.withLock { left in
      left -= bytes.count
      return left < 0
    }
    if isFull { throw failure }
    try file.append(bytes)
  }

  func sync() throws(StorageError) { try file.sync() }
  func close() throws(StorageError) { try file.close() }
}

private final class FlippedFile: ReadableFile {
  private let file: any ReadableFile

  init(_ file: any ReadableFile) { self.file = file }

  func size() throws(StorageError) -> Int { try file.size() }

  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    var bytes = try file.read(at: offset, count: count)
    if !bytes.isEmpty { bytes[bytes.count / 2] ^= 1 }
    return bytes
  }
}
