import LintelColumns
import Testing

@testable import LintelStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct DamageTests {
  /// Flips one bit of a file in place.
  static func flip(_ path: String, at offset: Int) throws {
    let file = open(path, O_RDWR)
    try #require(file >= 0)
    defer { close(file) }
    var byte: UInt8 = 0
    try #require(pread(file, &byte, 1, off_t(offset)) == 1)
    byte ^= 0x10
    try #require(pwrite(file, &byte, 1, off_t(offset)) == 1)
  }

  @Test func aDamagedBlockCostsItsPartOnly() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(101)
    var store = try StoreTests.open(directory)
    let batches = (0..<3).map { _ in Samples.batch(&dice) }
    for batch in batches {
      _ = try await store.append(batch)
      try await store.flush()
    }
    let snapshot = try store.snapshot("events")
    let reader = try #require(snapshot.segments[1] as? PartReader)
    let column = try #require(
      reader.directory.columns.firstIndex { $0.role == .schema("duration") })
    let chunk = try reader.index(ofStored: column).entries[1].chunk
    try Self.flip(directory.path + "/data/" + reader.name, at: chunk.offset + chunk.length / 2)
    let error = thrownCode { _ = try RowText.rows(snapshot) }
    #expect(error?.code == .corrupt)
    #expect(error?.path == reader.name)
    #expect(error?.message.contains("block 1 of column 'duration'") == true)
    let rest = RowText.rows(batches[0]) + RowText.rows(batches[2])
    #expect(difference(try RowText.rows(store.snapshot("events")), rest) == nil)
    #expect(store.problems.count == 1)
    try await store.mergeAll()
    #expect(difference(try RowText.rows(store.snapshot("events")), rest) == nil)
    try await store.close()
    store = try StoreTests.open(directory)
    #expect(difference(try RowText.rows(store.snapshot("events")), rest) == nil)
    #expect(store.problems.contains { $0.path == reader.name })
    #expect(try store.fileSystem.exists(directory.path + "/data/" + reader.name))
    try await store.close()
  }

  @Test func aDamagedPartIsFoundByAMerge() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(102)
    let store = try StoreTests.open(directory)
    let batches = (0..<4).map { _ in Samples.batch(&dice) }
    for batch in batches {
      _ = try await store.append(batch)
      try await store.flush()
    }
    let reader = try #require(try store.snapshot("events").segments[2] as? PartReader)
    try Self.flip(directory.path + "/data/" + reader.name, at: 100)
    try await store.mergeAll()
    let rest = [0, 1, 3].flatMap { RowText.rows(batches[$0]) }
    #expect(difference(try RowText.rows(store.snapshot("events")), rest) == nil)
    #expect(store.problems.count == 1)
    #expect(store.parts("events").count < 3)
    try await store.close()
  }

  @Test func aDamagedFooterOrAMissingFileDoesntKeepTheStoreShut() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(103)
    var store = try StoreTests.open(directory)
    let batches = (0..<3).map { _ in Samples.batch(&dice) }
    for batch in batches {
      _ = try await store.append(batch)
      try await store.flush()
    }
    let parts = store.parts("events")
    try await store.close()
    try Self.flip(directory.path + "/data/" + parts[0].name, at: parts[0].bytes - 60)
    unlink(directory.path + "/data/" + parts[1].name)
    store = try StoreTests.open(directory)
    #expect(store.problems.count == 2)
    #expect(difference(try RowText.rows(store.snapshot("events")), RowText.rows(batches[2])) == nil)
    try await store.close()
  }
}

func thrownCode(_ body: () throws -> Void) -> StorageError? {
  do {
    try body()
    return nil
  } catch {
    return error as? StorageError
  }
}
