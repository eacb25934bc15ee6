import LintelSimulation
@testable import LintelColumns
@testable import LintelStorage

/// A small store of which one of the small files says something else.
let storeTargets: [String: FuzzTarget] = ["store": { file, bytes in SmallStore.shared?.live(with: bytes, in: file) }]

/// A store with parts in every tier, content, an erasure and a retention, on a disk in memory.
struct SmallStore: Sendable {
  static let life = StoreScenario(
    "fuzz", isTalking: true,
    steps: [
      .append([0, 1]), .flush, .append([2]), .flush, .merge, .clock(1200), .move, .append([3, 4]), .flush, .append([5]),
      .erase(2), .eraseFiles, .retain(80_000), .append([6]), .erase(1), .backup(keep: nil),
    ])
  static let shared = SmallStore()

  let disk: SimulatedFileSystem

  init?() {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 1)
    guard let outcome = scheduler.run({ await Self.life.run(on: disk, scheduler) }), outcome.failures.isEmpty else {
      return nil
    }
    disk.crash()
    scheduler.drain()
    self.disk = disk
  }

  /// The files whose text is taken from the input: the newest manifest and rules, the audit log, `lintel.json`.
  static let kinds = [".manifest", ".rules", "audit.log", "lintel.json"]

  func path(of kind: String) -> String? { disk.paths.last { $0.hasPrefix("/data/") && $0.hasSuffix(kind) } }

  /// Opens it, asks, writes, flushes, merges, erases, expires, moves and closes: all of it may fail, and nothing may trap.
  func live(with bytes: UnsafeRawBufferPointer, in file: Int) {
    let kind = Self.kinds[file % Self.kinds.count]
    guard let path = path(of: kind) else { return }
    let text = file % Self.kinds.count < 2 ? ended(bytes) : Array(bytes)
    let damaged = disk.afterCrash(.processKilled)
    damaged.corrupt(path) { $0 = text }
    // It says its own number: the name follows.
    if file % Self.kinds.count < 2, let number = Self.number(text) {
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      try? damaged.rename(path, to: "/\(folder)/\(LogFormat.padded(number))\(kind)")
    }
    let scheduler = SimulatedScheduler(seed: 1)
    scheduler.clockSeconds = 1300
    _ = scheduler.run { await Self.live(damaged, scheduler) }
    damaged.crash()
    scheduler.drain()
  }

  private static func live(_ disk: SimulatedFileSystem, _ scheduler: SimulatedScheduler) async {
    guard let store = try? life.open(disk, scheduler) else { return }
    _ = try? RowText.rowsThrowing(store)
    for batch in life.batches.suffix(2) { _ = try? await store.append(batch) }
    try? await store.flush()
    try? await store.mergeAll()
    try? await store.eraseFiles()
    try? await store.expire()
    try? await store.move()
    _ = try? store.setRetention(table: "events", tenant: nil, nanoseconds: .max)
    _ = try? store.erase([Subject(Samples.user(1))])
    _ = store.statistics
    _ = try? store.check()
    try? await store.close()
  }

  /// What the line `sequence` says.
  private static func number(_ text: [UInt8]) -> UInt64? {
    for line in text.split(separator: 10).prefix(2) where line.starts(with: "sequence ".utf8) {
      return UInt64(String(decoding: line.dropFirst(9), as: UTF8.self))
    }
    return nil
  }
}

extension RowText {
  fileprivate static func rowsThrowing(_ store: Store) throws -> [String] { try rows(store.snapshot("events")) }
}

/// The small files as they are, without their last lines; parts, content segments and logs of the store.
func storeSeeds() -> [String: [FuzzSeed]] {
  guard let store = SmallStore.shared else { fatalError("the small store can't be made") }
  var seeds: [String: [FuzzSeed]] = [:]
  func contents(_ path: String) -> [UInt8] { store.disk.contents(path) ?? [] }
  for (number, kind) in SmallStore.kinds.enumerated() {
    guard let path = store.path(of: kind) else { fatalError("the small store has no \(kind)") }
    let text = number < 2 ? withoutEnd(contents(path)) : contents(path)
    seeds["store", default: []].append((kind.filter(\.isLetter), number, text))
    let folder = [".manifest": "manifest", ".rules": "rules", "audit.log": "audit", "lintel.json": "layout"][kind]
    if let folder { seeds[folder, default: []].append(("stored", 0, text)) }
  }
  for path in store.disk.paths {
    let name = path.filter { $0.isLetter || $0.isNumber }
    if path.hasSuffix(".part") { seeds["part", default: []].append((name, 1, contents(path))) }
    if path.hasSuffix(".content") { seeds["content-segment", default: []].append((name, 0, contents(path))) }
    if path.hasSuffix("lintel-volume") { seeds["layout", default: []].append((name, 0, withoutEnd(contents(path)))) }
    if path.hasSuffix("backup.listing") { seeds["listing", default: []].append((name, 0, withoutEnd(contents(path)))) }
    if path.contains("/receipts/") || path.hasSuffix(".receipt") {
      seeds["receipt", default: []].append((name, 0, contents(path)))
    }
  }
  return seeds
}

/// Without the line that ``ended(_:)`` appends.
private func withoutEnd(_ text: [UInt8]) -> [UInt8] {
  guard let end = text.dropLast().lastIndex(of: 10) else { return [] }
  return Array(text[...end])
}
