import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// A store's directory, a directory of its backups, and what was restored, in one place on the real disk.
struct BackupPlace {
  let directory = ScratchDirectory()
  var data: String { directory.path + "/data" }
  var backups: Backups { Backups(directory.path + "/backups") }

  func folder(_ number: UInt64) -> String { backups.folder(number) }

  /// Restores a backup into a directory of its own and gives back the rows that a store finds there.
  func rowsRestored(
    _ number: UInt64, to name: String = "restored", _ options: RestoreOptions = RestoreOptions()
  ) async throws -> [String] {
    let target = directory.path + "/\(name)"
    _ = try Backups.restore(folder(number), to: target, options)
    return try await rows(in: target)
  }

  func rows(in path: String) async throws -> [String] {
    let store = try Store.open(
      path: path, schemas: [Samples.schema], configuration: StoreTests.configuration())
    let rows = try RowText.rows(store.snapshot("events"))
    #expect(store.problems == [])
    try await store.close()
    return rows
  }

  /// Every file below a directory, relative to it.
  static func files(_ path: String) throws -> [String] {
    let fileSystem = PosixFileSystem()
    return try fileSystem.list(path).sorted().flatMap { name -> [String] in
      guard try fileSystem.isDirectory("\(path)/\(name)") else { return [name] }
      return try files("\(path)/\(name)").map { "\(name)/\($0)" }
    }
  }
}

/// Holds a backup up at one of its calls, until whoever waits for that has changed the store.
final class Gate: Sendable {
  private struct State {
    var calls = 0
    var isReached = false
    var isOpen = false
  }

  private let at: Int
  private let state = Monitor(State())

  init(at: Int) { self.at = at }

  var isReached: Bool { state.read { $0.isReached } }
  var calls: Int { state.read { $0.calls } }

  func pass() {
    let isTurn = state.change { state in
      defer { state.calls += 1 }
      if state.calls == at { state.isReached = true }
      return state.calls == at
    }
    if isTurn { state.wait { $0.isOpen } }
  }

  func open() { state.change { $0.isOpen = true } }
}

/// Files of another file system, each call of which passes a gate first.
final class GatedFileSystem: FileSystem {
  private let base: any FileSystem
  private let gate: Gate

  init(_ base: any FileSystem, _ gate: Gate) {
    self.base = base
    self.gate = gate
  }

  private func passed() -> any FileSystem {
    gate.pass()
    return base
  }

  func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile {
    try passed().create(path, isPrivate: isPrivate)
  }
  func open(_ path: String) throws(StorageError) -> any ReadableFile {
    GatedFile(try passed().open(path), gate)
  }
  func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile {
    try passed().reopen(path, length: length)
  }
  func rename(_ from: String, to: String) throws(StorageError) { try passed().rename(from, to: to) }
  func remove(_ path: String) throws(StorageError) { try passed().remove(path) }
  func link(_ from: String, to: String) throws(StorageError) -> Bool { try passed().link(from, to: to) }
  func list(_ directory: String) throws(StorageError) -> [String] { try passed().list(directory) }
  func exists(_ path: String) throws(StorageError) -> Bool { try passed().exists(path) }
  func isPrivate(_ path: String) throws(StorageError) -> Bool { try passed().isPrivate(path) }
  func isDirectory(_ path: String) throws(StorageError) -> Bool { try passed().isDirectory(path) }
  func createDirectory(_ path: String) throws(StorageError) { try passed().createDirectory(path) }
  func removeDirectory(_ path: String) throws(StorageError) { try passed().removeDirectory(path) }
  func syncDirectory(_ path: String) throws(StorageError) { try passed().syncDirectory(path) }
  func lock(_ path: String) throws(StorageError) -> any FileLock { try passed().lock(path) }
  func freeSpace(_ path: String) throws(StorageError) -> Int { try passed().freeSpace(path) }
}

private final class GatedFile: ReadableFile {
  private let base: any ReadableFile
  private let gate: Gate

  init(_ base: any ReadableFile, _ gate: Gate) {
    self.base = base
    self.gate = gate
  }

  func size() throws(StorageError) -> Int {
    gate.pass()
    return try base.size()
  }

  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    gate.pass()
    return try base.read(at: offset, count: count)
  }
}
