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
}
