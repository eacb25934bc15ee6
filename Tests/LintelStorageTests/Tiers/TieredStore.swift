import LintelColumns
import Testing

@testable import LintelStorage

/// A store on a simulated disk with a warm tier elsewhere and a cold one of its own, whose clock the tests move.
struct TieredStore {
  static let warm = "/volumes/warm"
  let disk: SimulatedFileSystem
  let scheduler: SimulatedScheduler
  let store: Store

  static func configuration(_ change: (inout StoreConfiguration) -> Void = { _ in }) -> StoreConfiguration {
    StoreTests.configuration {
      $0.tiers.warm = TierSettings(directory: warm, afterSeconds: 1000)
      $0.tiers.cold = TierSettings(afterSeconds: 5000)
      change(&$0)
    }
  }

  init(
    on disk: SimulatedFileSystem = SimulatedFileSystem(), at seconds: Int64 = 0, readOnly: Bool = false,
    _ change: (inout StoreConfiguration) -> Void = { _ in }
  ) throws {
    self.disk = disk
    let scheduler = SimulatedScheduler(seed: 1)
    scheduler.clockSeconds = seconds
    self.scheduler = scheduler
    store = try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: Self.configuration(change), fileSystem: disk,
      readOnly: readOnly, scheduler: scheduler, clock: { Samples.epoch + scheduler.clockSeconds * 1_000_000_000 })
  }

  /// Runs what the store has threads for otherwise.
  func run<Answer: Sendable>(
    _ body: @escaping @Sendable (Store) async throws(StorageError) -> Answer
  ) throws -> Answer {
    let store = store
    let outcome = scheduler.run { () async -> Result<Answer, StorageError> in
      do throws(StorageError) { return .success(try await body(store)) } catch { return .failure(error) }
    }
    return try (outcome ?? .failure(StorageError(.io, "it waits for something that nobody does"))).get()
  }

  /// Each batch becomes a part.
  func write(_ batches: [Batch]) throws {
    for batch in batches {
      try run { (store) async throws(StorageError) in
        _ = try await store.append(batch)
        try await store.flush()
      }
    }
  }

  func move(at seconds: Int64) throws {
    scheduler.clockSeconds = seconds
    try run { (store) async throws(StorageError) in try await store.move() }
  }

  func rows() throws -> [String] { try RowText.rows(store.snapshot("events")).sorted() }

  /// How many parts each tier has, the hot one first.
  var parts: [Int] { Tier.allCases.map { tier in store.tiers().first { $0.tier == tier }?.parts ?? 0 } }

  /// Files of parts on the disk.
  var files: [String] { disk.paths.filter { $0.hasSuffix(".part") } }

  /// Stops the machine, and what still ran.
  func end() {
    disk.crash()
    scheduler.drain()
  }

  static func batches(_ count: Int, rows: Int = 100, users: Int = 30) -> [Batch] {
    var dice = Dice(7)
    return (0..<count).map { _ in Samples.batch(&dice, Samples.Options(rows: rows, users: users)) }
  }
}
