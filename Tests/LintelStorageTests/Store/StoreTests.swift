import Foundation
import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct StoreTests {
  static func configuration(_ change: (inout StoreConfiguration) -> Void = { _ in }) -> StoreConfiguration {
    var configuration = StoreConfiguration()
    configuration.blockRows = 64
    configuration.flushSeconds = 3600
    configuration.dictionaryTrialValues = 1
    change(&configuration)
    return configuration
  }

  static func open(
    _ directory: ScratchDirectory, _ configuration: StoreConfiguration = configuration(), readOnly: Bool = false
  ) throws -> Store {
    try Store.open(
      path: directory.path + "/data", schemas: [Samples.schema], configuration: configuration, readOnly: readOnly)
  }

  @Test func appendedRowsAreSeenAtOnceAndAfterEverything() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(1)
    let store = try Self.open(directory)
    var expected: [String] = []
    for round in 0..<6 {
      let batch = Samples.batch(&dice)
      expected += RowText.rows(batch)
      let receipt = try await store.append(batch)
      #expect(receipt == AppendReceipt(stored: 100, duplicates: 0))
      #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
      if round % 2 == 1 {
        try await store.flush()
        #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
      }
    }
    #expect(store.parts("events").count == 3)
    try await store.mergeAll()
    #expect(store.parts("events").count == 1)
    #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
    try await store.close()
    let again = try Self.open(directory)
    #expect(difference(try RowText.rows(again.snapshot("events")), expected) == nil)
    #expect(again.problems == [])
    try await again.close()
  }

  /// What people said is for the account that the store runs under.
  @Test func nobodyElseMayReadAnyFile() async throws {
    let directory = ScratchDirectory()
    let store = try Self.open(directory)
    for time in 0..<2 {
      _ = try await store.append(TalkRows.batch([(1, "x", Samples.history(1, turns: 3))], time: Int64(time)))
      try await store.flush()
    }
    _ = try store.erase([Subject(Samples.user(2))])
    try await store.eraseFiles()
    _ = try await store.append(TalkRows.batch([(1, "x", Samples.history(2, turns: 3))], time: 7))
    let data = directory.path + "/data"
    let names = try #require(FileManager.default.enumerator(atPath: data)?.allObjects as? [String])
    for kind in [".part", ".content", ".log", ".manifest", ".rules", ".json", "audit.log", "lock", "secret"] {
      #expect(names.contains { $0.hasSuffix(kind) }, "\(kind)")
    }
    for name in [""] + names {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(data)/\(name)")
      let mode = try #require(attributes[.posixPermissions] as? Int)
      #expect(mode & 0o077 == 0, "\(name): \(String(mode, radix: 8))")
    }
    try await store.close()
  }
}
